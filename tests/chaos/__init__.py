"""A running service is killed, cut, filled and slowed."""
