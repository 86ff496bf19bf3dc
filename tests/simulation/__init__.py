"""Deterministic simulation: the real engine in a world that is made up."""
