"""Tests of the evaluation itself: a wrong scorer would praise anything."""
