"""Step 6: tell people, log line first."""
