"""Step 4: act. What may be done is declared in actions/, one file each."""
