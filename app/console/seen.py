"""Texts as people see them: what hides or turns letters is shown itself."""

import unicodedata

# Two that writing needs, in Persian and in pictures of people.
JOINERS = "\u200c\u200d"


def seen(text: object) -> str:
    r"""Return a text in which no invisible character can deceive.

    What turns the direction of reading, or has no shape, is written as its
    number: U+202E as ``\u202e``.
    """
    return "".join(map(_show, str(text)))


def _show(one: str) -> str:
    """Return a character, or its number when it cannot be seen."""
    is_hidden = unicodedata.category(one) in ("Cc", "Cf", "Co", "Cs")
    if one in JOINERS or one == "\n" or not is_hidden:
        return one
    return f"\\u{ord(one):04x}"
