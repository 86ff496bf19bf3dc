"""What may be restarted here, and what never is."""
