"""Siblings: the same problem at the same time, somewhere else."""

from sqlalchemy import Connection, or_, select

from app.models.incident import Incident
from app.store.incidents import EPISODE


def find_siblings(
    connection: Connection, incident: Incident, within: int, limit: int
) -> list[int]:
    """Return the incidents with the same problem at the same time elsewhere.

    Args:
        connection: where to ask.
        incident: whose siblings are asked for.
        within: how far apart the beginnings may be.
        limit: how many at most.
    """
    query = (
        select(EPISODE.c.incident_id)
        .where(
            EPISODE.c.problem == incident.problem,
            EPISODE.c.begins_at.between(
                incident.begins_at - within, incident.begins_at + within
            ),
            EPISODE.c.incident_id != incident.id,
            or_(EPISODE.c.target != incident.target, EPISODE.c.pin != 0),
        )
        .distinct()
        .order_by(EPISODE.c.incident_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
