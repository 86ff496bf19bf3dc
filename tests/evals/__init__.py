"""The evaluation as a test: sets of cases, and what must hold on them."""
