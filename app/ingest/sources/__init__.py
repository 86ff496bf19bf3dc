"""One file per monitoring system; found by scanning this folder."""
