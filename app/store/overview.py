"""What the command line shows: the log, incidents, and one of them whole.

All of one command is read from one snapshot, so that it fits together. The
API pages through the same rows in a way of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, or_, select

from app.models.incident import LIVING
from app.models.tables import EntryRow, EpisodeRow, IncidentRow, WordRow

ENTRY: Table = EntryRow.__table__  # type: ignore[attr-defined]
EPISODE: Table = EpisodeRow.__table__  # type: ignore[attr-defined]
INCIDENT: Table = IncidentRow.__table__  # type: ignore[attr-defined]
WORD: Table = WordRow.__table__  # type: ignore[attr-defined]
Values = Mapping[str, Any]


class Whole(msgspec.Struct, frozen=True):
    """An incident with all that belongs to it.

    Attributes:
        incident: its row.
        episodes: the newest of its episodes, in the order of beginning.
        words: the newest words of people, the first of them first.
        entries: the newest entries of its log, the first of them first.
    """

    incident: Any
    episodes: list[Any]
    words: list[Any]
    entries: list[Any]


def list_entries(
    connection: Connection, where: Values, limit: int
) -> Sequence[Any]:
    """Return entries of the log that match, newest first."""
    query = select(ENTRY).order_by(ENTRY.c.id.desc()).limit(limit)
    for name, value in where.items():
        query = query.where(
            ENTRY.c.at >= value if name == "since" else ENTRY.c[name] == value
        )
    return connection.execute(query).all()


def list_incidents(
    connection: Connection, where: Values, limit: int
) -> Sequence[Any]:
    """Return incidents that match, the newest first.

    Args:
        connection: where to ask.
        where: ``state`` (``living``: those that are not over), ``target``
            (a key or a name).
        limit: how many at most.
    """
    query = select(INCIDENT).order_by(INCIDENT.c.id.desc()).limit(limit)
    for name, value in where.items():
        query = query.where(_about(name, value))
    return connection.execute(query).all()


def find_whole(
    connection: Connection, incident_id: int, limit: int
) -> Whole | None:
    """Return an incident with so many of everything, or None."""
    query = select(INCIDENT).where(INCIDENT.c.id == incident_id)
    incident = connection.execute(query).one_or_none()
    if incident is None:
        return None

    def newest(table: Table) -> list[Any]:
        """Return the newest rows of the incident, the oldest first."""
        mine = table.c.incident_id == incident_id
        query = select(table).where(mine).order_by(table.c.id.desc())
        return list(connection.execute(query.limit(limit)).all())[::-1]

    episodes = sorted(newest(EPISODE), key=lambda row: row.begins_at)
    return Whole(incident, episodes, newest(WORD), newest(ENTRY))


def _about(name: str, value: str) -> ColumnElement[bool]:
    """Return one filter of incidents."""
    if name == "target":
        is_key = INCIDENT.c.target == value
        return or_(is_key, INCIDENT.c.target_name == value)
    if name == "state" and value == "living":
        return INCIDENT.c.state.in_(LIVING)
    is_so: ColumnElement[bool] = INCIDENT.c[name] == value
    return is_so
