"""Masking: what a job writes is stored without secrets.

Output comes in pieces that end anywhere, also within a secret. So the end
of each piece is kept back as long as it may be the beginning of one: an
unfinished line, a line that announces a value, a key between its marks.
"""

import re
from collections.abc import Iterable
from copy import copy
from enum import StrEnum
from typing import Self

from app.act.spellings import spell
from app.core.redaction import SHOWN, hide_secrets

# A shorter secret would take away every word that it is part of.
LEAST_CHARS = 6
# A longer line is let go where nothing is torn, or is not shown at all.
MOST_HELD = 8_192
# So many lines before the last one are looked at, and so many spaces.
MOST_LINES = 40
MOST_CUTS = 4
LINE_CUT = "(LONG LINE LEFT OUT)"
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z ]{1,40}-----")
_KEY_ENDS = re.compile(r"-----END [A-Z ]{1,40}-----")
# What ends like this says that a secret follows, maybe on the next line.
_ANNOUNCED = re.compile(
    r"(?i)(?:(?:passw(?:or)?d|passphrase|pwd|secret|token|key|credentials?)"
    r"['\"]?\s*(?:(?:=|:|\bis)\s*)?|\b(?:bearer|basic)\s*|(?:=|:|\bis\b)\s*"
    r"(?:\"[^\"]{0,256}|'[^']{0,256})?)\Z"
)
# The longest that the rule above looks at.
ANNOUNCE = 400
# A mark of a key is no longer.
MARK_CHARS = 60
# Ends of a text: one within which a key has begun, one within which it may
# have, and what then stands in the rest of the line.
_KEY_BEGUN = re.compile(r"-----BEGIN[A-Z ]{0,41}-{0,5}\Z")
_MARK_BEGUN = re.compile(r"-{1,5}(?:B(?:E(?:GI?)?)?)?\Z")
_MARK_REST = re.compile(r"-{0,4}B?E?G?I?N [A-Z ]{1,40}-----\s*\Z")
# And one within which the mark of a key's end has.
_KEY_MAY_END = re.compile(r"(?m)^-{1,5}(?:E(?:N(?:D[A-Z ]{0,41}-{0,5})?)?)?\Z")


class Seam(StrEnum):
    """What the output of a job was cut within."""

    WHOLE = "whole"
    LINE = "line"
    MARK = "mark"
    KEY = "key"


class Secrets:
    """The secrets of this house that no output may show."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Take their texts; those that are short are left out."""
        self._texts: set[str] = set()
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Take one more, with the spellings that it is often sent in."""
        if len(text) >= LEAST_CHARS:
            self._texts |= spell(text)

    def hide(self, text: str) -> str:
        """Return a text without any secret, ours or others'."""
        for secret in sorted(self._texts, key=len, reverse=True):
            text = text.replace(secret, SHOWN)
        return hide_secrets(text)

    def begun(self, text: str) -> int:
        """Return how many chars at the end may begin one of ours."""
        return max((_overlap(text, one) for one in self._texts), default=0)


def _overlap(text: str, secret: str) -> int:
    """Return how long a beginning of a secret a text ends with."""
    most = min(len(secret) - 1, len(text))
    sizes = range(most, 0, -1)
    return next((n for n in sizes if text.endswith(secret[:n])), 0)


class Mask:
    """Masks the output of one job, piece by piece."""

    def __init__(self, secrets: Secrets, seam: Seam = Seam.WHOLE) -> None:
        """Take what else must not be shown.

        Args:
            secrets: the texts of ours.
            seam: what the output begins within: its rest is not shown.
        """
        self._secrets = secrets
        self._swallows = seam in (Seam.LINE, Seam.MARK)
        self._rest = "" if seam is Seam.MARK else None
        self._held = ""
        self._in_key = seam is Seam.KEY

    @property
    def seam(self) -> Seam:
        """Return what the output until now ends within."""
        begins = [*_KEY_BEGINS.finditer(self._held)]
        inside = begins[-1].end() if begins else 0
        is_in = self._in_key or (
            bool(begins) and not _KEY_ENDS.search(self._held, inside)
        )
        if is_in and not _KEY_MAY_END.search(self._held, inside):
            return Seam.KEY
        if not is_in and _KEY_BEGUN.search(self._held):
            return Seam.KEY
        if self._rest is not None or _MARK_BEGUN.search(self._held):
            return Seam.MARK
        return Seam.LINE if self._swallows or self._held else Seam.WHOLE

    def copy(self) -> Self:
        """Return a mask that stands where this one does."""
        return copy(self)

    def feed(self, piece: str) -> str:
        """Return what can be shown now; the rest is kept back."""
        if self._swallows and piece:
            rest, found, piece = piece.partition("\n")
            self._swallow(rest, is_all=bool(found))
            return LINE_CUT + self.feed(piece) if found else ""
        text = self._held + piece
        if self._in_key:
            ends = _KEY_ENDS.search(text)
            if ends is None:
                self._held = text[-MARK_CHARS:]
                return ""
            self._in_key = False
            text = text[ends.end() :]
        end = self._safe_end(text)
        if len(text) - end > MOST_HELD:
            return self._let_go(text)
        self._held = text[end:]
        return self._secrets.hide(text[:end])

    def finish(self) -> str:
        """Return what was kept back; nothing follows."""
        text, self._held = self._held, ""
        return "" if self._in_key else self._secrets.hide(text)

    def _swallow(self, rest: str, *, is_all: bool) -> None:
        """Leave out the rest of a line; it may be that of a key's mark."""
        self._swallows = not is_all
        if self._rest is not None:
            self._rest = (self._rest + rest)[:MARK_CHARS]
            if is_all:
                self._in_key = bool(_MARK_REST.fullmatch(self._rest))
                self._rest = None

    def _safe_end(self, text: str) -> int:
        """Return up to where a text can be shown, whatever follows."""
        end = text.rfind("\n", 0, len(text) - self._secrets.begun(text)) + 1
        for _ in range(MOST_LINES):
            if not _ANNOUNCED.search(text, max(0, end - ANNOUNCE), end):
                break
            end = text.rfind("\n", 0, max(0, end - 1)) + 1
        else:
            return 0
        for begin in _KEY_BEGINS.finditer(text, 0, end):
            if not _KEY_ENDS.search(text, begin.end(), end):
                return begin.start()
        return end

    def _let_go(self, text: str) -> str:
        """Return a beginning of what is kept back for too long.

        It is cut where both halves together show what the whole would;
        where there is no such place it is not shown at all.
        """
        begin = _KEY_BEGINS.search(text)
        if begin and not _KEY_ENDS.search(text, begin.end()):
            self._in_key = True
            self._held = text[begin.end() :][-MARK_CHARS:]
            return self._secrets.hide(text[: begin.end()])
        whole = self._secrets.hide(text)
        end = len(text) - 1_000
        for _ in range(MOST_CUTS):
            end = text.rfind(" ", 0, end)
            if end < 1:
                break
            shown = self._secrets.hide(text[:end])
            if shown + self._secrets.hide(text[end:]) == whole:
                self._held = text[end:]
                return shown
        self._held = ""
        self._swallows = not text.endswith("\n")
        return LINE_CUT
