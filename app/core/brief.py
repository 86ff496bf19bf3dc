"""Somebody else's words on one line, fit for a log."""


def brief(text: str, most: int = 200) -> str:
    """Return a text on one line, without control characters, cut to size."""
    line = " ".join(text[: 4 * most].split())
    return "".join(c for c in line if c.isprintable())[:most]
