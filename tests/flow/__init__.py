"""The HTTP service in this process, end to end."""
