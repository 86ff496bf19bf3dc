"""The end of the action log, read as it grows.

Entries are appended by one writer at a time, in every process, and their
ids leave no gap. So whoever reads ``id > last`` in order misses none: a
writer that commits late has not let a later one pass. Where an id is not
the one after the last, retention has taken what was between.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from app.core.errors import StorageFailed
from app.models.entry import Entry
from app.models.tables import CutRow, EntryRow
from app.store.failures import tell

ENTRY: Table = EntryRow.__table__  # type: ignore[attr-defined]  # SQLModel's
CUT: Table = CutRow.__table__  # type: ignore[attr-defined]  # SQLModel's
T = TypeVar("T")


class Ends(msgspec.Struct, frozen=True):
    """Where the log begins and ends.

    Attributes:
        cut: the last entry that was taken off by age, 0 when none was.
        last: the last entry, or the cut when there is none.
    """

    cut: int
    last: int


class Tail:
    """Reads the end of the log."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine that can only read."""
        self._engine = engine

    def ends(self) -> Ends:
        """Return where the log begins and ends now."""
        return self._read(_ends)

    def after(self, last: int, limit: int) -> Sequence[Entry]:
        """Return the entries after one, in order."""
        query = (
            select(ENTRY)
            .where(ENTRY.c.id > last)
            .order_by(ENTRY.c.id)
            .limit(limit)
        )
        rows = self._read(lambda connection: connection.execute(query).all())
        return [Entry(**row._asdict()) for row in rows]

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def _read(self, question: Callable[[Connection], T]) -> T:
        """Ask the database; what it says against it is ours."""
        try:
            with self._engine.connect() as connection:
                return question(connection)
        except NoneFree as error:
            what = "cannot read: no connection became free in time"
            raise StorageFailed(what) from error
        except DBAPIError as error:
            raise StorageFailed(f"cannot read: {tell(error.orig)}") from error


def _ends(connection: Connection) -> Ends:
    """Return where the log begins and ends."""
    cut = connection.execute(select(func.max(CUT.c.id))).scalar() or 0
    last = connection.execute(select(func.max(ENTRY.c.id))).scalar() or 0
    return Ends(cut, max(cut, last))
