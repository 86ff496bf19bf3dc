"""The automation backends, one file each."""
