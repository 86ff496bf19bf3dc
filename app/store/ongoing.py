"""What goes on, as far as we know: read to compare it with the source."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, literal_column, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from app.core.errors import StorageFailed
from app.models.alert import Status
from app.models.cluster import FOREVER
from app.models.tables import AlertRow, EpisodeRow, StrandRow
from app.store.failures import tell
from app.store.marks import get_mark
from app.store.plan import identify

ALERT = AlertRow.__table__  # type: ignore[attr-defined]
EPISODE = EpisodeRow.__table__  # type: ignore[attr-defined]
STRAND = StrandRow.__table__  # type: ignore[attr-defined]
# Written out: with a value of its own no database would take the index.
GOES_ON = EPISODE.c.until == literal_column(str(FOREVER))
# Of more than these the longest silent are compared, and the next ones
# when these have been touched.
MOST = 20_000
CHUNK = 400
Beginning = tuple[str, int]  # a fingerprint, and when it began to fire


class Ongoing(msgspec.Struct, frozen=True):
    """One episode that goes on.

    Attributes:
        episode: its id.
        strand: the id of its strand.
        fingerprint: the source's identity of it.
        begins_at: when it began, by the source's clock.
        came_at: when it was told first, by our clock.
        seen_at: when something was heard of it, as far as that was noted.
        summary: one line for people.
    """

    episode: int
    strand: int
    fingerprint: str
    begins_at: int
    came_at: int
    seen_at: int
    summary: str

    @property
    def beginning(self) -> Beginning:
        """Return what tells it from other episodes of its source."""
        return self.fingerprint, self.begins_at


class Beliefs:
    """Answers what goes on in the eyes of one source."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine that can only read."""
        self._engine = engine

    def newest(self) -> int:
        """Return the id of the newest alert, 0 when there is none."""
        with self._connection() as connection:
            highest = connection.execute(select(func.max(ALERT.c.id)))
            return int(highest.scalar() or 0)

    def has_read(self, reader: str, alert: int) -> bool:
        """Tell whether a reader of the inbox has come to an alert.

        Args:
            reader: the mark of who reads.
            alert: the id of the alert.
        """
        with self._connection() as connection:
            return get_mark(connection, reader) >= alert

    def find(self, source: str) -> Sequence[Ongoing]:
        """Return what goes on for a source, the longest silent first."""
        with self._connection() as connection:
            return _find(connection, source)

    def find_resolved(
        self, source: str, beginnings: Iterable[Beginning]
    ) -> set[Beginning]:
        """Return which of these are over by a word of the source."""
        wanted = {
            identify(
                fingerprint, source, str(begins_at), Status.RESOLVED.value
            ): (fingerprint, begins_at)
            for fingerprint, begins_at in beginnings
        }
        found = self._find_each(ALERT.c.identity, list(wanted))
        return {wanted[bytes(row.identity)] for row in found}

    def find_labels(
        self, strands: Collection[int]
    ) -> dict[int, dict[str, str]]:
        """Return the labels of strands by their ids."""
        found = self._find_each(STRAND.c.id, sorted(strands), STRAND.c.labels)
        return {row.id: msgspec.json.decode(row.labels) for row in found}

    def _find_each(
        self, column: Any, values: Sequence[Any], *more: Any
    ) -> list[Any]:
        """Return the rows whose column has one of many values."""
        found: list[Any] = []
        with self._connection() as connection:
            for start in range(0, len(values), CHUNK):
                some = values[start : start + CHUNK]
                query = select(column, *more).where(column.in_(some))
                found += connection.execute(query).all()
        return found

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Lend a connection; what the database says against it is ours."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except NoneFree as error:
            what = "cannot read: no connection became free in time"
            raise StorageFailed(what) from error
        except DBAPIError as error:
            raise StorageFailed(f"cannot read: {tell(error.orig)}") from error


def _find(connection: Connection, source: str) -> Sequence[Ongoing]:
    """Return what goes on, the longest silent first."""
    query = (
        select(
            EPISODE.c.id,
            EPISODE.c.strand_id,
            EPISODE.c.fingerprint,
            EPISODE.c.begins_at,
            func.coalesce(ALERT.c.received_at, 0),
            EPISODE.c.seen_at,
            EPISODE.c.summary,
        )
        .select_from(EPISODE)
        .outerjoin(ALERT, ALERT.c.id == EPISODE.c.first_alert)
        .where(GOES_ON, EPISODE.c.source == source)
        .order_by(EPISODE.c.seen_at)
        .limit(MOST)
    )
    return [Ongoing(*row) for row in connection.execute(query)]
