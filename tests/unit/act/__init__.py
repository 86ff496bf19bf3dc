"""Tests of the catalogue and its actions."""
