"""Step 1b: alerts become incidents, and people have their say."""
