"""Measured performance, side by side with references."""
