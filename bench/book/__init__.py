"""The book of performance: every figure, its aim, and what it was before."""
