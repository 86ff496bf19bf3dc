"""Somebody else's words on one line, fit for a log."""

# Of what is cut to size once secrets are taken out of it: of one that is cut
# before nobody would know the half that stays.
LONG = 4_000


def brief(text: str, most: int = 200) -> str:
    """Return a text on one line, without control characters, cut to size."""
    line = " ".join(text[: 4 * most].split())
    return "".join(c for c in line if c.isprintable())[:most]
