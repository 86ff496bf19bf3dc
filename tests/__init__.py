"""Tests: unit/, flow/, real/ and chaos/ mirror what they prove."""
