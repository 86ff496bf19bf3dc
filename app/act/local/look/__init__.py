"""Look at this machine, now and against its own last hour; only read."""
