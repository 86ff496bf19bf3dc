"""Tests of the brains; the servers that they call are fakes."""
