"""This machine as its kernel shows it: now, and an hour ago."""
