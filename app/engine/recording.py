"""Recording: a decision, its line in the log and what follows, in one turn.

Nothing is started: the mission that follows it is ruled on first, and the
log says that nothing has run.
"""

import msgspec

from app.engine.moves import Moves
from app.engine.opening import find_busy, follow
from app.models.brevity import clip
from app.models.entry import Note
from app.models.incident import Incident, State
from app.models.record import Record, clean
from app.store.decisions import add_decision, find_latest
from app.store.incidents import find_incidents
from app.store.ledger import Connection
from app.store.log import append

LONGEST = 500


def keep(
    connection: Connection,
    record: Record,
    last: int,
    moves: Moves | None = None,
) -> int:
    """Write a decision down; return its number, or 0 when it came too late.

    Args:
        connection: a turn's transaction.
        record: the decision.
        moves: begins, or moves, the mission that follows it; None where
            nothing is acted on.
        last: the decision before it, as it was when the case was made. If
            another one was written since, or the incident is gone by age,
            this one is not kept.
    """
    number = record.standpoint.incident
    incident = find_incidents(connection, [number]).get(number)
    latest = find_latest(connection, [number]).get(number)
    if incident is None or (latest.id if latest else 0) != last:
        return 0
    if find_busy(connection, [number]):
        return 0
    record = msgspec.structs.replace(record, note=_note(incident))
    kept = add_decision(connection, record)
    append(connection, record.at, [_tell(record, incident, kept)])
    if moves is not None:
        follow(connection, moves, incident, kept, record.decision)
    return kept


def keep_shadow(connection: Connection, record: Record) -> int:
    """Write down what a shadow decided; it has no effect and no line."""
    number = record.standpoint.incident
    if number not in find_incidents(connection, [number]):
        return 0
    return add_decision(connection, record)


def _note(incident: Incident) -> str:
    """Return what happened to an incident meanwhile, or nothing."""
    if incident.state == State.OPEN:
        return ""
    return f"the incident is {incident.state} meanwhile: it has no effect"


def _tell(record: Record, incident: Incident, kept: int) -> Note:
    """Return what the log says about a decision."""
    decision = record.decision
    meanwhile = f" ({record.note})" if record.note else ""
    asked = ", a person must confirm it" if decision.asks else ""
    says = f"proposed{asked}, nothing has run: {decision.reason}{meanwhile}"
    return Note(
        kind="decision.made",
        incident=incident.id,
        target=incident.target_name,
        problem=record.standpoint.problem,
        severity=incident.severity,
        status=incident.state,
        actor=f"brain:{decision.brain}",
        action=clip(decision.call_text, LONGEST),
        summary=clip(clean(says), LONGEST),
        body={
            "decision": kept,
            "brain": decision.brain,
            "confidence": decision.confidence,
            "asks": decision.asks,
            "why": str(decision.why),
            "options": clean(msgspec.to_builtins(decision.options)),
            "grounding": clean(msgspec.to_builtins(decision.grounding)),
            "note": record.note,
            "has_run": False,
        },
    )
