"""The nouns: data and pure rules, no input or output."""
