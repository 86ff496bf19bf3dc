"""What the shell scripts cannot say well in shell."""
