"""Quieting: an incident is over, muted or merged, so nothing more is started.

What runs already is told by the worker that watches it; what is measured is
measured to its end.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from app.engine.moves import Moves, Word, call_of
from app.models.approval import ApprovalState
from app.models.incident import Incident, State
from app.models.mission import (
    IDLE,
    End,
    Late,
    Mission,
    Overtaken,
    Quieted,
)
from app.store.approvals import find_unanswered, save_approval
from app.store.incidents import find_incidents
from app.store.ledger import Connection
from app.store.missions import find_live, find_mission
from app.store.overtaken import CHOSEN, find_over

ENDS: Mapping[str, End] = {
    State.RESOLVED: End.RESOLVED,
    State.SUPPRESSED: End.SUPPRESSED,
    State.WAITING: End.SUPPRESSED,
    State.MERGED: End.MERGED,
}
SAYS: Mapping[str, str] = {
    State.RESOLVED: "the problem went away by itself",
    State.MERGED: "it lives on in another incident",
}


def quiet(connection: Connection, moves: Moves, number: int) -> Mission | None:
    """End a mission whose incident needs nothing, or let it be decided anew.

    Returns:
        the mission, or None when it goes on as it is.
    """
    mission = find_mission(connection, number)
    if mission is None or mission.stage not in IDLE:
        return None
    found = find_incidents(connection, [mission.incident_id])
    incident = found.get(mission.incident_id)
    if incident is None:
        return None
    if incident.state == State.OPEN:
        return overtake(connection, moves, mission, incident)
    event = Quieted(end=ENDS[incident.state], reason=_says(incident))
    return moves.move(connection, mission, event, is_taken=True)


def find_end(connection: Connection, number: int) -> End | None:
    """Return how an incident that needs nothing ended, None for others."""
    incident = find_incidents(connection, [number]).get(number)
    return ENDS.get(incident.state) if incident is not None else None


def overtake(
    connection: Connection, moves: Moves, mission: Mission, incident: Incident
) -> Mission | None:
    """Let it be decided anew when what a brain decided on is over.

    Returns:
        the mission, or None when its problem goes on, or nothing at all.
    """
    if incident.state != State.OPEN or not incident.firing:
        return None
    if mission.stage not in CHOSEN:
        return None
    problem = find_over(connection, mission.decision_id, incident.id)
    if not problem:
        return None
    reason = f"{problem} is over and the incident is not: it is decided anew"
    moves.settle(connection, mission, reason)
    body = {"decision": mission.decision_id, "problem": problem}
    word = Word(kind="mission.overtaken", summary=reason, body=body)
    moves.tell(connection, mission, word)
    event = Overtaken(reason=reason)
    return moves.move(connection, mission, event, is_taken=True)


def hand_over(
    connection: Connection, moves: Moves, number: int, reason: str
) -> Mission | None:
    """Give people an incident that nobody decided on in its time."""
    incident = find_incidents(connection, [number]).get(number)
    if incident is None or incident.state != State.OPEN:
        return None
    if find_live(connection, [number]):
        return None
    return moves.begin(connection, incident, Late(reason=reason))


def expire_suggestions(
    connection: Connection, moves: Moves, limit: int
) -> int:
    """End the suggestions that nobody answered in time; return how many."""
    now = moves.clock.now()
    late = find_unanswered(connection, now, limit)
    for asked in late:
        ended = replace(
            asked,
            state=ApprovalState.EXPIRED.value,
            says="nobody answered",
            ended_at=now,
            version=asked.version + 1,
        )
        save_approval(connection, asked, ended)
        mission = find_mission(connection, asked.mission_id)
        if mission is not None:
            word = Word(
                kind="approval.expired",
                summary=f"suggestion {asked.id} is expired: nobody answered",
                action=call_of(asked.action, asked.arguments),
                body={"approval": asked.id, "decision": asked.decision_id},
            )
            moves.tell(connection, mission, word)
    return len(late)


def _says(incident: Incident) -> str:
    """Return why nothing more is started."""
    said = SAYS.get(incident.state)
    return said or f"the incident is {incident.state}: {incident.reason}"
