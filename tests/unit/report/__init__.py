"""Tests of step 6."""
