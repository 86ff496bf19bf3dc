"""One file for each part of the book; each yields what it found."""
