"""HTTP in and out: thin, decides nothing."""
