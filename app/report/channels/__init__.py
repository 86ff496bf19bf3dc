"""Ways to tell people something, one file each."""
