"""Tests of the fuzzers: that they can fail."""
