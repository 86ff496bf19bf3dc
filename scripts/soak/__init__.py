"""The soak: every proof by force, at the scale that we promise."""
