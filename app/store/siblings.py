"""Siblings: the same problem at the same time, somewhere else."""

from sqlalchemy import Connection, bindparam, not_, or_, select

from app.models.incident import Incident
from app.store.among import among
from app.store.incidents import EPISODE, INCIDENT

# Made once: to make a statement costs several times what it takes to run.
SOME = (
    select(EPISODE.c.incident_id)
    .join(INCIDENT, INCIDENT.c.id == EPISODE.c.incident_id)
    .where(
        EPISODE.c.problem == bindparam("problem"),
        EPISODE.c.begins_at.between(bindparam("since"), bindparam("until")),
        not_(among(EPISODE.c.incident_id, "heirs")),
        INCIDENT.c.merged_into == 0,
        or_(EPISODE.c.target != bindparam("target"), EPISODE.c.pin != 0),
    )
    .distinct()
    .limit(bindparam("most"))
)
ELSEWHERE = SOME.order_by(EPISODE.c.incident_id)


def find_siblings(
    connection: Connection, incident: Incident, within: int, limit: int
) -> list[int]:
    """Return the incidents with the same problem at the same time elsewhere.

    None of them was merged; and the one that this lives on in is not
    elsewhere.

    Args:
        connection: where to ask.
        incident: whose siblings are asked for.
        within: how far apart the beginnings may be.
        limit: how many at most.
    """
    bounds = _bounds(connection, incident, within, limit)
    return list(connection.execute(ELSEWHERE, bounds).scalars())


def count_siblings(
    connection: Connection, incident: Incident, within: int, limit: int
) -> int:
    """Return how many siblings there are; after so many it is not counted on.

    In no order, so that not all of thousands are read.
    """
    bounds = _bounds(connection, incident, within, limit)
    return len(connection.execute(SOME, bounds).all())


def _bounds(
    connection: Connection, incident: Incident, within: int, limit: int
) -> dict[str, object]:
    """Return what is asked about the siblings of an incident."""
    return {
        "problem": incident.problem,
        "since": incident.begins_at - within,
        "until": incident.begins_at + within,
        "heirs": _heirs_of(connection, incident),
        "target": incident.target,
        "most": limit,
    }


def _heirs_of(connection: Connection, incident: Incident) -> list[int]:
    """Return an incident and those that it lives on in, one by one."""
    heirs, into = [incident.id], incident.merged_into
    while into and into not in heirs:
        heirs.append(into)
        query = select(INCIDENT.c.merged_into).where(INCIDENT.c.id == into)
        into = connection.execute(query).scalar() or 0
    return heirs
