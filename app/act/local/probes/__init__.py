"""What can be looked at on this machine, one file each; all only read."""
