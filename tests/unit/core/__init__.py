"""Tests of app/core, one part at a time."""
