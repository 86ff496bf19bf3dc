"""Tests of what is done on this machine."""
