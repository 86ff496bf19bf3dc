"""The last number that a row can have: what both databases count to."""

LAST_ID = 2**63 - 1
