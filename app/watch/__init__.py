"""The watch: this machine's own monitor, for where there is no other."""
