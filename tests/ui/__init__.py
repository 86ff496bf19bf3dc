"""The console in a real browser: every screen's main path."""
