"""Tests of the book of performance."""
