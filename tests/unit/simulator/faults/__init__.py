"""Tests of the simulator: real children, and nothing left of them."""
