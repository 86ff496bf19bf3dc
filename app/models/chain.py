"""The chain: what the entries of the action log say about each other.

A walk along it, row by row in the order of ids, names the first row that is
not what was written. It sees rows as they lie in the store, in whatever form
an intruder left them.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from app.models.entry import BEGINNING, COLUMNS, End, Entry, seal

# The entry that tells of a cut, and the one that tells of a broken end.
CUT_KIND = "log.cut"
BROKEN_KIND = "log.broken"
TYPES = tuple(Entry.__annotations__[name] for name in COLUMNS)
KIND = COLUMNS.index("kind")
BODY = COLUMNS.index("body")
SUMMARY = COLUMNS.index("summary")
HASH = r"[0-9a-fA-F]{64}"
Row = tuple[Any, ...]


class Anchor(msgspec.Struct, frozen=True):
    """An entry's id and hash, kept where the database's owner cannot write.

    Attributes:
        entry: the id.
        hash: the hash in hexadecimal digits.
    """

    entry: int
    hash: str


class Breach(msgspec.Struct, frozen=True):
    """The first entry at which the log is not what was written.

    Attributes:
        entry: its id.
        what: what is wrong with it, as the rest of a sentence.
    """

    entry: int
    what: str


class Finding(msgspec.Struct, frozen=True):
    """What a walk through the log found.

    Attributes:
        entries: how many were right.
        last: the id of the last of those.
        hash: the hash of that one, to be kept elsewhere.
        breach: the first that is wrong, or None.
        anchored: the entries that were compared with an anchor.
    """

    entries: int
    last: int
    hash: str
    breach: Breach | None
    anchored: tuple[int, ...] = ()


class CutBody(msgspec.Struct):
    """What the log says about a cut of its beginning."""

    through: int
    hash: str


def parse_anchor(text: str) -> Anchor:
    """Return a text ID:HASH as an anchor.

    Raises:
        ValueError: it is none.
    """
    number, _, digest = text.strip().partition(":")
    is_number = number.isascii() and number.isdecimal()
    if not is_number or len(number) > len(str(2**63)) or int(number) < 1:
        raise ValueError("must begin with the id of an entry, and a colon")
    if re.fullmatch(HASH, digest) is None:
        raise ValueError("must end with a hash of 64 hexadecimal digits")
    return Anchor(int(number), digest.lower())


class Chain:
    """A walk along the chain, which remembers where it is."""

    def __init__(
        self,
        before: tuple[int, bytes | None],
        cut: End,
        anchors: Iterable[Anchor] = (),
    ) -> None:
        """Take what lies before the first row, and what is known else.

        Args:
            before: id and hash of the entry before the first row; no hash
                when that entry is gone and only its successors are left.
            cut: the last entry that was cut off; BEGINNING when none was.
            anchors: what was kept elsewhere.
        """
        self._last, self._hash = before
        self._cut = cut
        self._is_cut_told = cut == BEGINNING
        self._anchors: dict[int, set[str]] = defaultdict(set)
        for anchor in anchors:
            self._anchors[anchor.entry].add(anchor.hash)
        self._compared: list[int] = []
        self._odd: Row | None = None
        self._count = 0

    def follow(self, row: Row) -> Breach | None:
        """Take the next row; return what is wrong, once that is certain."""
        if self._odd is not None:
            return self._explain(self._odd, row)
        expected = self._last + 1
        if row[0] != expected:
            return _misplaced(row[0], expected, is_first=not self._count)
        if tuple(map(type, row)) != TYPES:
            return Breach(expected, "was edited: a column is of another type")
        if self._hash is not None and seal(self._hash, row[:-1]) != row[-1]:
            # The next row knows what this one was.
            self._odd = row
            return None
        flaw = self._contradiction(row)
        if flaw:
            return Breach(expected, flaw)
        self._last, self._hash = expected, row[-1]
        self._count += 1
        return None

    def end(self, head: int) -> Breach | None:
        """Return what is wrong when no row is left.

        Args:
            head: the last entry that the writer says it wrote.
        """
        if self._odd is not None:
            return self._explain(self._odd, None)
        if not self._is_cut_told:
            what = "and all before it are gone, and no entry tells of a cut"
            return Breach(self._cut.id, what)
        known = max(head, *self._anchors, self._last)
        if known > self._last:
            what = f"is missing: the end was cut off, {known} were written"
            return Breach(self._last + 1, what)
        if head < self._last:
            what = f"was not written by us: we ended at entry {head}"
            return Breach(head + 1, what)
        return None

    def found(self, breach: Breach | None) -> Finding:
        """Return what this walk found."""
        return Finding(
            self._count,
            self._last,
            (self._hash or b"").hex(),
            breach,
            tuple(self._compared),
        )

    def _contradiction(self, row: Row) -> str:
        """Return what speaks against a row that fits to its forerunner."""
        number, digest = row[0], row[-1]
        if number == self._cut.id and digest != self._cut.hash:
            return "is not the one at which the log was cut off"
        if row[KIND] == BROKEN_KIND:
            return f"tells of a breach: {row[SUMMARY]}"
        if row[KIND] == CUT_KIND:
            self._is_cut_told |= _tells_of(row, self._cut)
        if number in self._anchors:
            self._compared.append(number)
            if self._anchors[number] != {digest.hex()}:
                return "is not what was anchored: the log was written anew"
        return ""

    def _explain(self, odd: Row, following: Row | None) -> Breach:
        """Return what was done to a row that does not fit."""
        number = odd[0]
        before = self._hash or b""
        if _fits(number, odd[-1], following):
            return Breach(number, "was edited: its hash tells of other words")
        if _fits(number, seal(before, odd[:-1]), following):
            return Breach(number, "was edited: its hash is another one")
        what = "is not what was written there: edited, moved or inserted"
        return Breach(number, what)


def _misplaced(number: Any, expected: int, *, is_first: bool) -> Breach:
    """Return what is wrong with a row that is not the next one."""
    if number > expected:
        return Breach(expected, "is missing")
    if is_first:
        return Breach(number, "was inserted before the beginning of the log")
    return Breach(number, "stands there twice")


def _fits(number: int, digest: bytes, following: Row | None) -> bool:
    """Tell whether the next row was written after one with this hash."""
    if following is None or following[0] != number + 1:
        return False
    if tuple(map(type, following)) != TYPES:
        return False
    is_so: bool = seal(digest, following[:-1]) == following[-1]
    return is_so


def _tells_of(row: Row, cut: End) -> bool:
    """Tell whether an entry is the one that tells of a cut."""
    try:
        told = msgspec.json.decode(row[BODY], type=CutBody)
    except msgspec.DecodeError:
        return False
    return told.through == cut.id and told.hash == cut.hash.hex()
