"""The action log: append, and prove that nothing was changed.

What changes it behind our back is not hidden by going on: when its end is
not where we left it, the next entry says so for ever.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    func,
    insert,
    literal_column,
    select,
    text,
)

from app.models.chain import BROKEN_KIND, Anchor, Chain, Finding, Row
from app.models.entry import (
    BEGINNING,
    COLUMNS,
    End,
    Entry,
    Note,
    to_entry,
)
from app.models.tables import CutRow, EntryRow
from app.store.indexing import index_entries
from app.store.marks import get_mark, put_mark
from app.store.rows import write_all

__all__ = ["ENTRY", "HEAD", "Finding", "append", "find_end", "verify"]
ENTRY: Table = EntryRow.__table__  # type: ignore[attr-defined]
CUT: Table = CutRow.__table__  # type: ignore[attr-defined]
# The last entry that was written; a tail that is cut off is missed here.
HEAD = "log"
# Made once: to make a statement costs several times what it takes to run.
ADD = insert(ENTRY)
NEWEST = select(ENTRY.c.id, ENTRY.c.hash).order_by(ENTRY.c.id.desc()).limit(1)
READ_AT_ONCE = 1_000


def append(
    connection: Connection, at: int, notes: Sequence[Note]
) -> list[Entry]:
    """Write notes at the end of the log, chained; return the entries."""
    if not notes:
        return []
    entries: list[Entry] = []
    end = find_end(connection)
    left_at = get_mark(connection, HEAD)
    broken = [] if left_at == end.id else [_tell_broken(end.id, left_at)]
    for note in (*broken, *notes):
        entry = to_entry(end, at, note)
        entries.append(entry)
        end = End(entry.id, entry.hash)
    rows = [msgspec.structs.asdict(entry) for entry in entries]
    write_all(connection, ADD, rows)
    index_entries(connection, entries)
    put_mark(connection, HEAD, end.id)
    return entries


def find_end(connection: Connection) -> End:
    """Return the end of the chain, BEGINNING when nothing was written.

    When all that was written has been cut off by age, the last cut is it:
    what follows is chained to its hash.
    """
    row = connection.execute(NEWEST).one_or_none()
    return End(row.id, bytes(row.hash)) if row else _last_cut(connection)


def speaks_against(connection: Connection, anchor: Anchor) -> bool:
    """Tell whether the log does not hold what an anchor says of it."""
    if anchor.entry <= _last_cut(connection).id:
        return False
    query = select(ENTRY.c.hash).where(ENTRY.c.id == anchor.entry)
    found = connection.execute(query).scalar()
    return found is None or bytes(found).hex() != anchor.hash


def verify(
    connection: Connection, anchors: Collection[Anchor] = ()
) -> Finding:
    """Walk through the log and name the first entry that is wrong.

    Args:
        connection: a transaction that sees one state of the log.
        anchors: what was kept outside of the database.
    """
    if connection.dialect.name == "postgresql":
        # However long it takes: nobody waits for a page.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    cut = _last_cut(connection)
    chain = Chain(_before_first(connection, cut), cut, anchors)
    with _any_text(connection):
        for row in _walk(connection):
            breach = chain.follow(row)
            if breach is not None:
                return chain.found(breach)
    return chain.found(chain.end(get_mark(connection, HEAD)))


def _tell_broken(last: int, left_at: int) -> Note:
    """Return the note that the log does not end where we left it."""
    if last < left_at:
        what = f"entries {last + 1} to {left_at} are missing"
    else:
        what = f"entries {left_at + 1} to {last} were not written by us"
    return Note(
        kind=BROKEN_KIND,
        actor="rule:log",
        severity="critical",
        summary=f"the action log was changed behind our back: {what}",
        body={"last": last, "left_at": left_at},
    )


def _before_first(
    connection: Connection, cut: End
) -> tuple[int, bytes | None]:
    """Return what lies before the first row, its hash where it is known.

    Behind a cut some entries may wait for their removal, oldest first.
    """
    first = connection.execute(select(func.min(ENTRY.c.id))).scalar()
    if first is None or first > cut.id:
        return cut.id, cut.hash
    if first <= 1:
        return BEGINNING.id, BEGINNING.hash
    known = select(CUT.c.hash).where(CUT.c.id == first - 1)
    digest = connection.execute(known).scalar()
    return first - 1, None if digest is None else bytes(digest)


def _walk(connection: Connection) -> Iterator[Row]:
    """Yield the rows in order as they lie there, some at a time."""
    columns: list[ColumnElement[Any]] = [
        literal_column(name) for name in COLUMNS
    ]
    query = (
        select(*columns)
        .select_from(ENTRY)
        .order_by(ENTRY.c.id)
        .execution_options(yield_per=READ_AT_ONCE)
    )
    with connection.execute(query) as rows:
        for some in rows.partitions():
            for row in some:
                yield tuple(row)


@contextmanager
def _any_text(connection: Connection) -> Iterator[None]:
    """Let SQLite yield texts that are none as bytes, instead of failing."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    usual = driver.text_factory
    driver.text_factory = _read_text
    try:
        yield
    finally:
        driver.text_factory = usual


def _read_text(raw: bytes) -> str | bytes:
    """Return a text, or bytes that are none as they are."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _last_cut(connection: Connection) -> End:
    """Return where the log was cut off last, BEGINNING when it never was."""
    newest = select(CUT.c.id, CUT.c.hash).order_by(CUT.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return End(row.id, bytes(row.hash)) if row else BEGINNING
