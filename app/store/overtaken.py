"""What a brain decided on, when that is over and its incident is not.

An incident may have several problems. A brain chooses for the worst one; what
people propose, and what code does, is for the whole incident.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, and_, bindparam, not_, or_, select

from app.models.incident import State
from app.models.mission import Stage
from app.models.proposer import CODE, PERSON, UNDO
from app.store.among import among
from app.store.casefile import GOES_ON
from app.store.decisions import DECISION
from app.store.incidents import EPISODE, INCIDENT
from app.store.missions import LIVES, MISSION

# In these something may start yet, for a choice that was made.
CHOSEN = (Stage.RULING, Stage.ASKING, Stage.STARTING)
STAGES = [stage.value for stage in CHOSEN]
IS_BRAINS = not_(
    or_(
        DECISION.c.brain == UNDO,
        DECISION.c.brain.startswith(PERSON),
        DECISION.c.brain.startswith(CODE),
    )
)


def _is_over(incident: Any) -> Any:
    """Return that nothing of a decision's problem goes on in an incident."""
    going = select(EPISODE.c.id).where(
        EPISODE.c.incident_id == incident,
        GOES_ON,
        EPISODE.c.problem == DECISION.c.problem,
    )
    return not_(going.exists())


# Made once: to make a statement costs several times what it takes to run.
OVER = select(DECISION.c.problem).where(
    DECISION.c.id == bindparam("decision"),
    IS_BRAINS,
    _is_over(bindparam("incident")),
)
# A person split it off: it is in another incident now.
LIVES_ON = (
    select(EPISODE.c.id)
    .join(
        DECISION,
        and_(
            DECISION.c.target == EPISODE.c.target,
            DECISION.c.problem == EPISODE.c.problem,
        ),
    )
    .where(
        DECISION.c.id == bindparam("decision"),
        IS_BRAINS,
        EPISODE.c.incident_id != bindparam("incident"),
        GOES_ON,
    )
    .limit(1)
)
OVERTAKEN = (
    select(MISSION.c.id)
    .join(INCIDENT, INCIDENT.c.id == MISSION.c.incident_id)
    .join(DECISION, DECISION.c.id == MISSION.c.decision_id)
    .where(
        and_(INCIDENT.c.state == State.OPEN.value, INCIDENT.c.firing > 0),
        IS_BRAINS,
        _is_over(MISSION.c.incident_id),
    )
    .limit(bindparam("most"))
)
OF_ALL = OVERTAKEN.where(MISSION.c.stage.in_(STAGES))
# Joined to nothing, so that SQLite finds the few by their incidents.
OF_SOME = OVERTAKEN.where(
    MISSION.c.stage.concat("").in_(STAGES),
    LIVES,
    among(MISSION.c.incident_id, "ids"),
)


def find_over(connection: Connection, decision: int, incident: int) -> str:
    """Return the problem that a brain decided on, if nothing of it goes on.

    Args:
        connection: where to ask.
        decision: which decision; of one that no brain made nothing is said.
        incident: where the problem lives on, perhaps.
    """
    bounds = {"decision": decision, "incident": incident}
    return str(connection.execute(OVER, bounds).scalar() or "")


def lives_on(connection: Connection, decision: int, incident: int) -> bool:
    """Tell whether what a brain decided on goes on in another incident.

    Args:
        connection: where to ask.
        decision: which decision.
        incident: where it was.
    """
    bounds = {"decision": decision, "incident": incident}
    return connection.execute(LIVES_ON, bounds).scalar() is not None


def find_overtaken(
    connection: Connection, incidents: Collection[int] | None, limit: int
) -> tuple[int, ...]:
    """Return missions that might start something for what is over.

    Args:
        connection: where to ask.
        incidents: of these only, None for all.
        limit: how many at most.
    """
    if incidents is None:
        found = connection.execute(OF_ALL, {"most": limit})
    else:
        bounds = {"ids": incidents, "most": limit}
        found = connection.execute(OF_SOME, bounds)
    return tuple(found.scalars())
