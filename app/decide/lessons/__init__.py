"""Lessons: what the gate learns from; see docs/reflex.md."""
