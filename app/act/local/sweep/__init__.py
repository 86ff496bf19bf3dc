"""Remove old files by rules: first a plan, then that plan only."""
