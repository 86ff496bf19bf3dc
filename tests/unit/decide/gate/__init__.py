"""Tests of the trained gate."""
