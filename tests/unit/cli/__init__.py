"""Tests of the commands, in this process."""
