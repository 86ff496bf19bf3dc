"""How fast a page of a long action log is, on both databases."""
