"""One part at a time; no network, no program of others."""
