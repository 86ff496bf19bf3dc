"""Databases of earlier releases, and what this release makes of them."""
