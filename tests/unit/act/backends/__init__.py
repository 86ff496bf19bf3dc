"""The backends: one contract for all of them, and what is special."""
