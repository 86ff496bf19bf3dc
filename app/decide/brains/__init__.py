"""The brains, one file each; each chooses one action of a menu."""
