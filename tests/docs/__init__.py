"""The documents, taken at their word: every command and setting is tried."""
