"""Tests of app/store, one part at a time."""
