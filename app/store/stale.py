"""Episodes of which nothing was heard: what the sweep reads and touches.

A repeat makes no new row: the inbox writes down at the alert when it was
seen last. So an episode was heard of when one of its alerts was, or when
a poll found it in the monitoring system's own list.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    update,
)

from app.models.cluster import FOREVER
from app.models.tables import AlertRow, EpisodeRow

FIRST = AlertRow.__table__.alias("earliest")  # type: ignore[attr-defined]
LAST = AlertRow.__table__.alias("latest")  # type: ignore[attr-defined]
EPISODE = EpisodeRow.__table__  # type: ignore[attr-defined]
# Written out: with a value of its own no database would take the index.
GOES_ON = EPISODE.c.until == literal_column(str(FOREVER))
IS_STALE = EPISODE.c.ended == literal_column("'stale'")


class Heard(msgspec.Struct, frozen=True):
    """When an episode was heard of.

    Attributes:
        episode: its id.
        strand: the id of its strand.
        until: when it ended.
        heard_at: when something was heard of it for the last time.
    """

    episode: int
    strand: int
    until: int
    heard_at: int


def find_sources(connection: Connection) -> list[str]:
    """Return the sources of episodes that go on, by one look for each."""
    found: list[str] = []
    least = select(func.min(EPISODE.c.source)).where(GOES_ON)
    source = connection.execute(least).scalar()
    while source is not None:
        found.append(source)
        beyond = least.where(EPISODE.c.source > source)
        source = connection.execute(beyond).scalar()
    return found


def find_silent(
    connection: Connection, source: str, before: int, limit: int
) -> list[Heard]:
    """Return episodes of a source that go on, the longest silent first."""
    query = (
        _heard()
        .where(GOES_ON, EPISODE.c.source == source)
        .where(EPISODE.c.seen_at <= before)
        .order_by(EPISODE.c.seen_at)
        .limit(limit)
    )
    return [_to_heard(row) for row in connection.execute(query)]


def find_stale(connection: Connection, after: int, limit: int) -> list[Heard]:
    """Return episodes beyond an id that ended as stale, by id."""
    query = (
        _heard()
        .where(IS_STALE, EPISODE.c.id > after)
        .order_by(EPISODE.c.id)
        .limit(limit)
    )
    return [_to_heard(row) for row in connection.execute(query)]


def touch(connection: Connection, heard: Iterable[tuple[int, int]]) -> None:
    """Write down when episodes, by id, were heard of."""
    rows = [{"at": number, "moment": moment} for number, moment in heard]
    if rows:
        connection.execute(
            update(EPISODE)
            .where(
                EPISODE.c.id == bindparam("at"),
                EPISODE.c.seen_at < bindparam("moment"),
            )
            .values(seen_at=bindparam("moment")),
            rows,
        )


def _heard() -> Select[Any]:
    """Return the question when episodes were heard of."""
    return (
        select(
            EPISODE.c.id,
            EPISODE.c.strand_id,
            EPISODE.c.until,
            EPISODE.c.seen_at,
            FIRST.c.last_seen_at.label("first_seen"),
            LAST.c.last_seen_at.label("last_seen"),
        )
        .select_from(EPISODE)
        .outerjoin(FIRST, FIRST.c.id == EPISODE.c.first_alert)
        .outerjoin(LAST, LAST.c.id == EPISODE.c.last_alert)
    )


def _to_heard(row: Any) -> Heard:
    """Return a row as what was heard; an alert may be cleaned up."""
    heard = max(row.seen_at, row.first_seen or 0, row.last_seen or 0)
    return Heard(row.id, row.strand_id, row.until, heard)
