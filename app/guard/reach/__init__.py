"""Which rules can never match, and which parts of them never decide."""
