"""Spellings: how programs write one text, each in its own way.

A secret stands in an address, in JSON, in JSON within JSON, on a page, or is
packed as base64 together with what stands beside it: it is the same secret.
"""

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, quote_plus

PERCENT = re.compile(r"%[0-9A-F]{2}")
# So many letters of base64 at its beginning tell of what stands before, too.
TORN = (0, 2, 3)


def spell(text: str) -> frozenset[str]:
    """Return the ways in which a text is often written, itself among them."""
    return frozenset((text, *_quoted(text), *_escaped(text), *_packed(text)))


def _quoted(text: str) -> Iterator[str]:
    """Yield a text as addresses and pages have it."""
    for quoted in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield quoted
        yield PERCENT.sub(lambda one: one[0].lower(), quoted)
    yield html.escape(text)
    yield html.escape(text, quote=False)


def _escaped(text: str) -> Iterator[str]:
    """Yield a text as JSON has it, and as JSON within JSON does."""
    for write in (json.dumps, partial(json.dumps, ensure_ascii=False)):
        once = write(text)[1:-1]
        yield once
        yield once.replace("/", r"\/")
        yield write(once)[1:-1]


def _packed(text: str) -> Iterator[str]:
    """Yield those letters of base64 that tell of nothing but a text.

    Three bytes are four letters: so it matters how many stand before it.
    """
    raw = text.encode()
    for before, torn in enumerate(TORN):
        whole = (before + len(raw)) * 8 // 6
        for pack in (b64encode, urlsafe_b64encode):
            yield pack(bytes(before) + raw).decode()[torn:whole]
