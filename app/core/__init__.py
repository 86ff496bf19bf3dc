"""Plumbing: knows no word of the domain."""
