"""Tests of app/api, one part at a time."""
