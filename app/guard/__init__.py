"""Step 3: code rules on what was chosen."""
