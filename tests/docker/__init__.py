"""The containers: their files, their scripts, and all of it for real."""
