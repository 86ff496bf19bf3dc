"""A disk after a power cut, rebuilt from the shim's journal.

What was synced is there. Of what was written since, each 512-byte sector
is at some moment of its own: before, between or after the writes to it.
What was dropped by a failed sync is gone even if a later sync works. Names
made or removed since the last sync of the folder may have been forgotten.
"""

import random
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

HEAD = struct.Struct("<BIQI")
SECTOR = 512
# How many of the writes to a sector are there: given how many there were.
Keep = Callable[[int], int]


class Record(NamedTuple):
    """One change or sync; ``end`` is its place in the journal."""

    kind: str
    file: int
    offset: int
    content: bytes
    end: int


class Change(NamedTuple):
    """A write, or with no content a change of the size to ``offset``."""

    offset: int
    content: bytes | None


def read_journal(journal: Path) -> Iterator[Record]:
    """Yield the whole records; the last may be cut off by a kill."""
    content = journal.read_bytes()
    place = 0
    while place + HEAD.size <= len(content):
        kind, file, offset, length = HEAD.unpack_from(content, place)
        start = place + HEAD.size
        place = start + length
        if place > len(content):
            return
        yield Record(chr(kind), file, offset, content[start:place], place)


def trim(journal: Path) -> None:
    """Cut off half a record at the end, before another process appends."""
    end = 0
    for record in read_journal(journal):
        end = record.end
    with journal.open("r+b") as file:
        file.truncate(end)


@dataclass
class Content:
    """The bytes of one file: those that are safe, and the changes since."""

    safe: bytearray = field(default_factory=bytearray)
    changes: list[Change] = field(default_factory=list)

    def settle(self) -> None:
        """Make all changes safe: a sync worked."""
        for change in self.changes:
            _apply(self.safe, change)
        self.changes.clear()

    def drop(self, keep: Keep) -> None:
        """Lose what the cache held: a sync failed; sizes are kept."""
        self.safe = self.after_cut(keep)
        self.changes.clear()

    def after_cut(self, keep: Keep) -> bytearray:
        """Return what a reader finds after the power is back."""
        found = bytearray(self.safe)
        last = len(self.changes)
        for index, (_, content) in enumerate(self.changes):
            if content is None and keep(1) == 0:
                # A cut to size that is not there hides all that follows.
                last = index
                break
        moments: dict[int, int] = defaultdict(lambda: keep(last))
        for index, change in enumerate(self.changes[:last]):
            for piece in _sectors(change):
                moment = moments[piece.offset // SECTOR]
                if piece.content is None or index < moment:
                    _apply(found, piece)
        return found


def _sectors(change: Change) -> Iterator[Change]:
    """Yield the parts of a change that reach the disk on their own."""
    offset, content = change
    if content is None:
        yield change
        return
    place = 0
    while place < len(content):
        size = SECTOR - (offset + place) % SECTOR
        yield Change(offset + place, content[place : place + size])
        place += size


def _apply(content: bytearray, change: Change) -> None:
    """Change some bytes; a gap before them reads as zeros."""
    offset, new = change
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    if new is None:
        del content[offset:]
    else:
        content[offset : offset + len(new)] = new


class Disk:
    """Follows a journal; can be cut at any moment of it."""

    def __init__(self, keep_of_failed: Keep) -> None:
        self._keep_of_failed = keep_of_failed
        self._safe_names: dict[str, Content] = {}
        self._moves: list[tuple[str, Content | None]] = []
        self._names: dict[str, Content] = {}
        self._open: dict[int, Content] = {}

    def follow(self, record: Record) -> None:
        """Take one more record."""
        steps: dict[str, Callable[[Record], None]] = {
            "C": self._create,
            "O": self._reopen,
            "W": self._write,
            "T": self._resize,
            "S": self._sync,
            "F": self._fail,
            "D": self._sync_names,
            "U": self._unlink,
            "R": self._rename,
        }
        steps[record.kind](record)

    def cut(self, folder: Path, keep: Keep) -> None:
        """Write the files as they are found after a power cut now."""
        names = dict(self._safe_names)
        for name, content in self._moves[: keep(len(self._moves))]:
            _move(names, name, content)
        for name, content in names.items():
            (folder / name).write_bytes(content.after_cut(keep))

    def _create(self, record: Record) -> None:
        """A file was made."""
        self._open[record.file] = Content()
        self._name(record.content.decode(), self._open[record.file])

    def _reopen(self, record: Record) -> None:
        """A file was opened that had been there, maybe before us."""
        name = record.content.decode()
        self._open[record.file] = self._names.setdefault(name, Content())

    def _write(self, record: Record) -> None:
        """Bytes were written."""
        change = Change(record.offset, record.content)
        self._open[record.file].changes.append(change)

    def _resize(self, record: Record) -> None:
        """A file was made shorter or longer."""
        self._open[record.file].changes.append(Change(record.offset, None))

    def _sync(self, record: Record) -> None:
        """A file's content is safe now."""
        self._open[record.file].settle()

    def _fail(self, record: Record) -> None:
        """A file's content could not be made safe and is forgotten."""
        self._open[record.file].drop(self._keep_of_failed)

    def _sync_names(self, _record: Record) -> None:
        """The names are safe now."""
        self._safe_names = dict(self._names)
        self._moves.clear()

    def _unlink(self, record: Record) -> None:
        """A name was removed."""
        self._name(record.content.decode(), None)

    def _rename(self, record: Record) -> None:
        """A file got another name."""
        old, new = record.content.decode().split("\0")
        content = self._names[old]
        self._name(new, content)
        self._name(old, None)

    def _name(self, name: str, content: Content | None) -> None:
        """Give a name to a content, or to none."""
        self._moves.append((name, content))
        _move(self._names, name, content)


def _move(
    names: dict[str, Content], name: str, content: Content | None
) -> None:
    """Change one name in a folder."""
    if content is None:
        names.pop(name, None)
    else:
        names[name] = content


def keep_none(_count: int) -> int:
    """Keep nothing that was not synced."""
    return 0


def keep_all(count: int) -> int:
    """Keep everything."""
    return count


def keep_some(chance: random.Random) -> Keep:
    """Return a rule that keeps all, none, or the first few."""
    share = chance.random()

    def keep(count: int) -> int:
        """Keep all with the share's chance, else some of them."""
        if chance.random() < share:
            return count
        return chance.randint(0, count)

    return keep
