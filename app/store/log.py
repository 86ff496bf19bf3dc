"""The action log: append, and prove that nothing was changed."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, Table, insert, select

from app.models.entry import START, Entry, Note, holds, to_entry
from app.models.tables import CutRow, EntryRow
from app.store.marks import MARK, put_mark

ENTRY: Table = EntryRow.__table__  # type: ignore[attr-defined]
CUT: Table = CutRow.__table__  # type: ignore[attr-defined]
# How many entries the log has had; a tail that is cut off is missed here.
HEAD = "log"
READ_AT_ONCE = 1_000
BLANK = to_entry(None, 0, Note(kind="", actor="", summary=""))


class Breach(msgspec.Struct, frozen=True):
    """The first entry at which the log is not what was written.

    Attributes:
        entry: its id.
        what: edited, missing, out of order or cut off.
    """

    entry: int
    what: str


class Finding(msgspec.Struct, frozen=True):
    """What a walk through the log found.

    Attributes:
        entries: how many it read.
        last: the id of the last one.
        hash: the hash of the last one, to be kept elsewhere.
        breach: the first that is wrong, or None.
    """

    entries: int
    last: int
    hash: str
    breach: Breach | None


def append(
    connection: Connection, at: int, notes: Sequence[Note]
) -> list[Entry]:
    """Write notes at the end of the log, chained; return the entries."""
    if not notes:
        return []
    entries: list[Entry] = []
    before = last_entry(connection)
    for note in notes:
        before = to_entry(before, at, note)
        entries.append(before)
    rows = [msgspec.structs.asdict(entry) for entry in entries]
    connection.execute(insert(ENTRY), rows)
    put_mark(connection, HEAD, entries[-1].id)
    return entries


def last_entry(connection: Connection) -> Entry | None:
    """Return the end of the chain, None when it has not begun.

    When all that was written has been cut off by age, an entry without
    content stands for the last one: what follows is chained to its hash.
    """
    newest = select(ENTRY).order_by(ENTRY.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    if row is not None:
        return Entry(**row._asdict())
    cut = _last_cut(connection)
    if cut is None:
        return None
    last_id, digest = cut
    return msgspec.structs.replace(BLANK, id=last_id, hash=digest)


def verify(connection: Connection, anchor: tuple[int, str] | None) -> Finding:
    """Walk through the log and name the first entry that is wrong.

    Args:
        connection: a transaction that sees one state of the log.
        anchor: an id and a hash that were kept outside of the database.
    """
    cut = _last_cut(connection)
    expected, before = (cut[0] + 1, cut[1]) if cut else (1, START)
    count = 0
    for entry in _walk(connection, expected - 1):
        what = _flaw(entry, expected, before, anchor)
        if what:
            return _found(count, expected, before, what)
        before = entry.hash
        expected += 1
        count += 1
    return _found(
        count, expected, before, _end_flaw(connection, expected, anchor)
    )


def _found(count: int, expected: int, before: bytes, what: str) -> Finding:
    """Return a finding, with a breach when something is wrong."""
    breach = Breach(expected, what) if what else None
    return Finding(count, expected - 1, before.hex(), breach)


def _flaw(
    entry: Entry, expected: int, before: bytes, anchor: tuple[int, str] | None
) -> str:
    """Return what is wrong with an entry, or an empty text."""
    if entry.id != expected:
        return "is missing"
    if not holds(before, entry):
        return "is not what was written: edited, or its forerunner was"
    if anchor and anchor[0] == entry.id and anchor[1] != entry.hash.hex():
        return "is not what was anchored: the log was written anew"
    return ""


def _end_flaw(
    connection: Connection, expected: int, anchor: tuple[int, str] | None
) -> str:
    """Return what is wrong with the end of the log, or an empty text."""
    known = select(MARK.c.position).where(MARK.c.name == HEAD)
    head = connection.execute(known).scalar() or 0
    if expected <= max(head, anchor[0] if anchor else 0):
        return "is missing: the end of the log was cut off"
    return ""


def _walk(connection: Connection, after: int) -> Iterator[Entry]:
    """Yield the entries in order, some at a time."""
    while True:
        query = (
            select(ENTRY)
            .where(ENTRY.c.id > after)
            .order_by(ENTRY.c.id)
            .limit(READ_AT_ONCE)
        )
        rows = connection.execute(query).all()
        for row in rows:
            yield Entry(**row._asdict())
        if len(rows) < READ_AT_ONCE:
            return
        after = rows[-1].id


def _last_cut(connection: Connection) -> tuple[int, bytes] | None:
    """Return where the log was cut off last, or None."""
    newest = select(CUT.c.id, CUT.c.hash).order_by(CUT.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return (row.id, bytes(row.hash)) if row is not None else None
