"""Texts of bounded length that are still told apart.

What is too long for an index is cut, and a hash of the whole takes the place
of what was cut off: two texts that differ only at their ends stay two.
"""

import hashlib
import re

MOST_LETTERS = 500
MOST_BYTES = 1_500
# The end of a text that was cut: nobody's own text may pass for one.
SEAL = re.compile(r"~[0-9a-f]{64}\Z")
SEAL_LENGTH = 65


def shorten(text: str) -> str:
    """Return a text that an index takes, and that no other text becomes."""
    if len(text) * 4 <= MOST_BYTES and "~" not in text:
        return text
    raw = text.encode(errors="surrogatepass")
    fits = len(text) <= MOST_LETTERS and len(raw) <= MOST_BYTES
    if fits and SEAL.search(text) is None:
        return text
    seal = f"~{hashlib.sha256(raw).hexdigest()}"
    kept = text[: MOST_LETTERS - SEAL_LENGTH]
    start = kept.encode(errors="replace")[: MOST_BYTES - SEAL_LENGTH]
    return start.decode(errors="ignore") + seal


def clip(text: str, most: int = MOST_LETTERS) -> str:
    """Return the beginning of a line for people; nothing is found by it."""
    return text if len(text) <= most else f"{text[: most - 4]} ..."
