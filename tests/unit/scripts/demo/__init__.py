"""Tests of the demo, one part at a time."""
