"""Incidents whose mission is over, and that are not: nobody looks at them."""

from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    func,
    not_,
    or_,
    select,
)

from app.models.incident import State
from app.models.mission import End
from app.models.proposer import CODE
from app.store.decisions import DECISION, IS_LIVE
from app.store.incidents import INCIDENT
from app.store.log import ENTRY
from app.store.missions import MISSION
from app.store.needs import ANEW
from app.store.opened import IS_LONG_OPEN, KIND, TURNS

# What the log says when a mission is over.
ENDS = ("incident.escalated", "mission.closed")
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
# When an incident was over, or came back, if its mission was over before. In
# the order of the log, which no clock turns round.
CAME_BACK_AT = (
    select(case((ENTRY.c.kind.in_(ANEW), ENTRY.c.at)))
    .where(
        ENTRY.c.incident_id == INCIDENT.c.id,
        TURNS,
        KIND.in_([*ANEW, *ENDS]),
    )
    .order_by(ENTRY.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
# What came back since is another matter: it is decided on anew.
STILL = OPEN.where(CAME_BACK_AT.is_(None))
OBSERVED = (
    STILL.join(DECISION, DECISION.c.id == MISSION.c.decision_id)
    .add_columns(DECISION.c.action, DECISION.c.arguments)
    .where(
        MISSION.c.end == End.OBSERVED.value,
        # It only looks at what people have already.
        not_(DECISION.c.brain.startswith(CODE)),
    )
)
UNHEALED = STILL.where(MISSION.c.end == End.FIXED.value)
# It was decided on once more since, while it was muted: without effect.
WAS_IN_VAIN = (
    select(DECISION.c.id)
    .where(
        DECISION.c.incident_id == INCIDENT.c.id,
        DECISION.c.at > MISSION.c.changed_at,
        DECISION.c.note != "",
        IS_LIVE,
    )
    .exists()
)
# It was over, came back, and should have been decided on anew.
FORGOTTEN = OPEN.where(
    or_(
        MISSION.c.end.in_(
            [End.RESOLVED.value, End.SUPPRESSED.value, End.MERGED.value]
        ),
        and_(MISSION.c.end == End.NO_ACTION.value, WAS_IN_VAIN),
    ),
    IS_LONG_OPEN,
)
RETURNED = OPEN.where(
    MISSION.c.end.in_(
        [
            End.FIXED.value,
            End.NO_ACTION.value,
            End.ESCALATED.value,
            End.OBSERVED.value,
        ]
    ),
    # What somebody has acknowledged since is theirs.
    func.coalesce(INCIDENT.c.acknowledged_at, 0) < CAME_BACK_AT,
    IS_LONG_OPEN,
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


def find_observed(
    connection: Connection, observed_before: int, limit: int
) -> list[Any]:
    """Return incidents of which it was only said what would be done.

    They still fire so long after it; each with the call that it was.

    Args:
        connection: where to ask.
        observed_before: of which it was said before this moment.
        limit: how many at most.
    """
    bounds = {"before": observed_before, "most": limit}
    return list(connection.execute(OBSERVED, bounds))


def find_forgotten(
    connection: Connection, opened_before: int, limit: int
) -> list[int]:
    """Return incidents that came back, and that nobody decided on since.

    Args:
        connection: where to ask.
        opened_before: which have been open since before this moment.
        limit: how many of each kind at most.
    """
    bounds = {"before": opened_before, "most": limit}
    asked = (FORGOTTEN, RETURNED)
    found = (connection.execute(one, bounds).scalars() for one in asked)
    return [number for numbers in found for number in numbers]
