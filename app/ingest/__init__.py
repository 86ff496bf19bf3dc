"""Step 1: accept alerts durably."""
