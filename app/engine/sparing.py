"""Sparing: what nobody needs to be told any more, right before it is sent."""

import msgspec

from app.engine.factfinding import COLLECT
from app.models.approval import OPEN
from app.models.message import Dispatch, Facts, Kind, Message
from app.models.mission import Mission, Stage
from app.store.approvals import find_approval
from app.store.decisions import find_decision
from app.store.heirs import find_heir
from app.store.ledger import Connection
from app.store.missions import find_newest

read_facts = msgspec.json.Decoder(Facts).decode


def why_spared(
    connection: Connection, dispatch: Dispatch, message: Message
) -> str:
    """Return why nobody needs to be told any more, or nothing.

    Args:
        connection: a turn's transaction.
        dispatch: what is about to be sent.
        message: what it tells.
    """
    why = ""
    if dispatch.kind == Kind.ASKED:
        why = _why_answered(connection, message)
    if not why and dispatch.level > 1 and dispatch.incident_id:
        why = _why_taken(connection, dispatch)
    return why


def _why_answered(connection: Connection, message: Message) -> str:
    """Return why a question needs no answer any more, or nothing."""
    number = read_facts(message.facts).approval
    asked = find_approval(connection, number) if number else None
    if asked is None or asked.state == OPEN:
        return ""
    return f"question {asked.id} is {asked.state}"


def _why_taken(connection: Connection, dispatch: Dispatch) -> str:
    """Return why a later level is not needed, or nothing."""
    heir = find_heir(connection, dispatch.incident_id)
    if heir is None:
        return "the incident is gone by age"
    if heir.acknowledged_by:
        return f"{heir.acknowledged_by} has acknowledged it"
    if not heir.firing:
        return "nothing of it goes on any more"
    mission = find_newest(connection, [heir.id]).get(heir.id)
    if mission is None or dispatch.kind == Kind.ASKED:
        return ""
    if mission.stage == Stage.ESCALATED or _looks(connection, mission):
        return ""
    return f"it is {mission.end or mission.stage} by now"


def _looks(connection: Connection, mission: Mission) -> bool:
    """Tell whether a mission only looks at what people have."""
    decision = find_decision(connection, mission.decision_id)
    return decision is not None and decision.action == COLLECT
