"""Who wakes what is due: see docs/decisions and the design of the engine."""
