"""Step 5: measure whether it helped."""
