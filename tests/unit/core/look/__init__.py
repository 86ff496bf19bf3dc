"""Tests of how the machine is looked at."""
