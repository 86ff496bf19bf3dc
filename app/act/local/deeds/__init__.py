"""What can be done on this machine, one file each; nothing else is."""
