"""Tests of what code allows."""
