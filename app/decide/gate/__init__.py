"""The gate: a small trained classifier that knows when not to act."""
