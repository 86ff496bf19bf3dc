"""Incidents whose mission is over, and that are not: nobody looks at them."""

from sqlalchemy import Connection, bindparam, func, select

from app.models.incident import State
from app.models.mission import End
from app.store.incidents import INCIDENT
from app.store.missions import MISSION

OTHER = MISSION.alias()
NEWEST = (
    select(func.max(OTHER.c.id))
    .where(OTHER.c.incident_id == INCIDENT.c.id)
    .scalar_subquery()
)
# Made once: to make a statement costs several times what it takes to run.
OPEN = (
    select(INCIDENT.c.id)
    .select_from(INCIDENT)
    .join(MISSION, MISSION.c.id == NEWEST)
    .where(
        INCIDENT.c.state == State.OPEN.value,
        INCIDENT.c.firing > 0,
        MISSION.c.changed_at < bindparam("before"),
    )
    .order_by(INCIDENT.c.id)
    .limit(bindparam("most"))
)
UNHEALED = OPEN.where(MISSION.c.end == End.FIXED.value)
# It was over, came back, and should have been decided on anew.
FORGOTTEN = OPEN.where(
    MISSION.c.end.in_(
        [End.RESOLVED.value, End.SUPPRESSED.value, End.MERGED.value]
    ),
    INCIDENT.c.changed_at < bindparam("before"),
)


def find_unhealed(
    connection: Connection, fixed_before: int, limit: int
) -> list[int]:
    """Return incidents that still fire so long after they were fixed.

    Args:
        connection: where to ask.
        fixed_before: which were measured as fixed before this moment.
        limit: how many at most.
    """
    bounds = {"before": fixed_before, "most": limit}
    return list(connection.execute(UNHEALED, bounds).scalars())


def find_forgotten(
    connection: Connection, changed_before: int, limit: int
) -> list[int]:
    """Return incidents that came back, and that nobody decided on since.

    Args:
        connection: where to ask.
        changed_before: which have been as they are since then.
        limit: how many at most.
    """
    bounds = {"before": changed_before, "most": limit}
    return list(connection.execute(FORGOTTEN, bounds).scalars())
