"""Incidents that are to be looked at again, and how their episodes ended."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select, update

from app.models.episode import Episode
from app.store.incidents import EPISODE, INCIDENT, in_chunks, to_episode


def find_due(connection: Connection, now: int, limit: int) -> list[int]:
    """Return incidents that must be looked at again, the longest due first."""
    query = (
        select(INCIDENT.c.id)
        .where(INCIDENT.c.due_at <= now)
        .order_by(INCIDENT.c.due_at)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def postpone(connection: Connection, incident_id: int, until: int) -> None:
    """Look at an incident again at a later moment."""
    rows = update(INCIDENT).where(INCIDENT.c.id == incident_id)
    connection.execute(rows.values(due_at=until))


def next_due(connection: Connection) -> int | None:
    """Return when the next incident must be looked at, or None."""
    earliest = select(func.min(INCIDENT.c.due_at)).where(
        INCIDENT.c.due_at.is_not(None)
    )
    found: int | None = connection.execute(earliest).scalar()
    return found


def find_last(
    connection: Connection, incidents: Collection[int]
) -> dict[int, list[Episode]]:
    """Return the episodes of incidents that ended last, all that did."""
    found: dict[int, list[Episode]] = {}
    other = EPISODE.alias()
    for some in in_chunks(sorted(incidents)):
        newest = (
            select(other.c.until)
            .where(other.c.incident_id == INCIDENT.c.id)
            .order_by(other.c.until.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = select(EPISODE).join_from(
            INCIDENT,
            EPISODE,
            (EPISODE.c.incident_id == INCIDENT.c.id)
            & (EPISODE.c.until == newest),
        )
        for row in connection.execute(query.where(INCIDENT.c.id.in_(some))):
            found.setdefault(row.incident_id, []).append(to_episode(row))
    return found
