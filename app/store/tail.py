"""The end of the action log, read as it grows.

Entries are appended by one writer at a time, in every process, and their
ids leave no gap. So whoever reads ``id > last`` in order misses none: a
writer that commits late has not let a later one pass. Where an id is not
the one after the last, retention has taken what was between.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Table, bindparam, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from app.core.errors import StorageFailed
from app.models.entry import Entry
from app.models.tables import CutRow, EntryRow, IncidentRow
from app.store.failures import tell
from app.store.teams import COMMON, Teams

ENTRY: Table = EntryRow.__table__  # type: ignore[attr-defined]  # SQLModel's
CUT: Table = CutRow.__table__  # type: ignore[attr-defined]  # SQLModel's
INCIDENT: Table = IncidentRow.__table__  # type: ignore[attr-defined]  # too
COLUMNS = ENTRY.c.keys()
T = TypeVar("T")
# Made once: to make a statement costs several times what it takes to run.
AFTER = (
    select(ENTRY, INCIDENT.c.team)
    .join(INCIDENT, INCIDENT.c.id == ENTRY.c.incident_id, isouter=True)
    .where(ENTRY.c.id > bindparam("last"))
    .order_by(ENTRY.c.id)
    .limit(bindparam("most"))
)


class Told(msgspec.Struct, frozen=True):
    """An entry, and whose it is.

    Attributes:
        entry: the entry.
        team: the team of its incident; empty when that is no team's, None
            when it is about no incident.
    """

    entry: Entry
    team: str | None = None

    def is_for(self, teams: Teams) -> bool:
        """Tell whether who sees some teams only may hear of it."""
        if self.team is None:
            return self.entry.kind in COMMON and not self.entry.incident_id
        return self.team in teams


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

    def after(self, last: int, limit: int) -> Sequence[Told]:
        """Return the entries after one, in order."""
        bounds = {"last": last, "most": limit}
        rows = self._read(
            lambda connection: connection.execute(AFTER, bounds).all()
        )
        return [_to_told(row) for row in rows]

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


def _to_told(row: Any) -> Told:
    """Return a row as an entry with the team of its incident."""
    *values, team = row
    return Told(Entry(**dict(zip(COLUMNS, values, strict=True))), team)


def _ends(connection: Connection) -> Ends:
    """Return where the log begins and ends."""
    cut = connection.execute(select(func.max(CUT.c.id))).scalar() or 0
    last = connection.execute(select(func.max(ENTRY.c.id))).scalar() or 0
    return Ends(cut, max(cut, last))
