"""Fuzzing: what nobody would send, sent; see __main__ for the command."""
