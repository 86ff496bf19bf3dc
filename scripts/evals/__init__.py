"""The evaluation: sets of labelled alerts, brains, and honest figures."""
