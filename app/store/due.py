"""Incidents that are to be looked at again, and how their episodes ended."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, func, select, update

from app.models.episode import Episode
from app.store.among import among
from app.store.incidents import EPISODE, INCIDENT, to_episode

# Made once: to make a statement costs several times what it takes to run.
DUE = (
    select(INCIDENT.c.id)
    .where(INCIDENT.c.due_at <= bindparam("now"))
    .order_by(INCIDENT.c.due_at)
    .limit(bindparam("most"))
)
EARLIEST = select(func.min(INCIDENT.c.due_at)).where(
    INCIDENT.c.due_at.is_not(None)
)
OTHER = EPISODE.alias()
NEWEST = (
    select(OTHER.c.until)
    .where(OTHER.c.incident_id == INCIDENT.c.id)
    .order_by(OTHER.c.until.desc())
    .limit(1)
    .scalar_subquery()
)
LAST = (
    select(EPISODE)
    .join_from(
        INCIDENT,
        EPISODE,
        (EPISODE.c.incident_id == INCIDENT.c.id) & (EPISODE.c.until == NEWEST),
    )
    .where(among(INCIDENT.c.id, "ids"))
)


def find_due(connection: Connection, now: int, limit: int) -> list[int]:
    """Return incidents that must be looked at again, the longest due first."""
    bounds = {"now": now, "most": limit}
    return list(connection.execute(DUE, bounds).scalars())


def postpone(connection: Connection, incident_id: int, until: int) -> None:
    """Look at an incident again at a later moment."""
    rows = update(INCIDENT).where(INCIDENT.c.id == incident_id)
    connection.execute(rows.values(due_at=until))


def next_due(connection: Connection) -> int | None:
    """Return when the next incident must be looked at, or None."""
    found: int | None = connection.execute(EARLIEST).scalar()
    return found


def find_last(
    connection: Connection, incidents: Collection[int]
) -> dict[int, list[Episode]]:
    """Return the episodes of incidents that ended last, all that did."""
    found: dict[int, list[Episode]] = {}
    if incidents:
        for row in connection.execute(LAST, {"ids": incidents}):
            found.setdefault(row.incident_id, []).append(to_episode(row))
    return found
