"""Opening: a decision that is kept begins a mission, or moves the one it has.

It is done in the turn that writes the decision down.
"""

from collections.abc import Collection

from msgspec.structs import replace

from app.engine.moves import Moves
from app.models.choice import Decision
from app.models.incident import Incident, State
from app.models.mission import Decided, Mission, Stage
from app.store.decisions import find_decision
from app.store.ledger import Connection
from app.store.missions import find_live

# While a job runs, or is measured, nothing else is chosen.
BUSY = (Stage.STARTING, Stage.ACTING, Stage.VERIFYING)


def follow(
    connection: Connection,
    moves: Moves,
    incident: Incident,
    kept: int,
    decision: Decision,
) -> Mission | None:
    """Return the mission that follows a decision, or None when none does."""
    if incident.state != State.OPEN:
        return None
    event = Decided(
        decision=kept, action=decision.action, reason=decision.reason
    )
    live = find_live(connection, [incident.id]).get(incident.id)
    if live is not None:
        if live.stage in BUSY:
            return None
        is_undo = _takes_back(connection, live, decision)
        event = replace(event, takes_back=is_undo)
        moves.withdraw(connection, live, "another decision was made")
        return moves.move(connection, live, event, is_taken=True)
    return moves.begin(connection, incident, event)


def _takes_back(
    connection: Connection, mission: Mission, decision: Decision
) -> bool:
    """Tell whether a decision is what a mission takes back with, edited."""
    if not mission.undoes:
        return False
    row = find_decision(connection, mission.decision_id)
    return row is not None and row.action == decision.action


def is_busy(mission: Mission) -> bool:
    """Tell whether a brain chooses nothing for a mission now.

    What takes something back has its place: that it is worse is no news.
    """
    return mission.stage in BUSY or bool(
        mission.undoes and not mission.is_over
    )


def find_busy(
    connection: Connection, incidents: Collection[int]
) -> dict[int, Mission]:
    """Return the live missions of incidents that brains choose nothing for."""
    found = find_live(connection, incidents)
    return {n: one for n, one in found.items() if is_busy(one)}
