"""Rulings in the store: each motion as it was put, and what was said to it.

They are never changed: a policy is tried by putting the same motions again.
"""

from typing import Any

import msgspec
from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, insert, select

from app.models.action import ActionSpec
from app.models.brevity import clip
from app.models.canary import ANSWER
from app.models.mission import Mission
from app.models.mission_tables import RulingRow
from app.models.record import clean
from app.models.ruling import Motion, Question, Ruling
from app.models.tables import table_of
from app.store.incidents import next_id
from app.store.indexing import note_spans
from app.store.listings import Listing

RULING = table_of(RulingRow)
RULINGS = Listing(
    rows=RULING,
    moment="at",
    indexed=frozenset({"incident_id"}),
    leading=frozenset({"incident_id"}),
    hidden=frozenset({"body"}),
)
LONGEST_REASON = 1_000
# Made once: to make a statement costs several times what it takes to run.
ADD = insert(RULING)
SINCE = (
    select(RULING)
    .where(RULING.c.at >= bindparam("since"), RULING.c.id > bindparam("after"))
    .where(RULING.c.action != ANSWER)
    .order_by(RULING.c.id)
    .limit(bindparam("most"))
)


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a ruling beside its columns.

    Attributes:
        motion: what was put to the guard.
        trail: what each rule before it said.
        question: whom to ask, when it asks or suggests.
        until: when to look again, when it waits.
    """

    motion: Motion
    trail: tuple[str, ...] = ()
    question: Question | None = None
    until: int | None = None


class PastRuling(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling as it lies in the store; the columns say what.

    Attributes:
        body: the motion and the trail; None when this release cannot read
            what an older one wrote.
    """

    id: int
    incident_id: int
    mission_id: int
    decision_id: int
    at: int
    action: str
    target: str
    environment: str
    outcome: str
    rule: str
    reason: str
    policy: str
    mode: str
    body: Body | None


def add_ruling(
    connection: Connection,
    at: int,
    mission: Mission,
    motion: Motion,
    ruling: Ruling,
) -> int:
    """Write a ruling down with the motion; return its number."""
    number = next_id(connection, RULING)
    row = {
        "id": number,
        "incident_id": mission.incident_id,
        "mission_id": mission.id,
        "decision_id": motion.decision,
        "at": at,
        "action": motion.action,
        "target": motion.target,
        "environment": motion.environment,
        "outcome": ruling.outcome.value,
        "rule": ruling.rule,
        "reason": clip(ruling.reason, LONGEST_REASON),
        "policy": ruling.policy,
        "mode": ruling.mode,
        "body": write_body(motion, ruling),
    }
    connection.execute(ADD, {name: clean(one) for name, one in row.items()})
    note_spans(connection, RULINGS, [(number, at)])
    return number


def find_rulings(
    connection: Connection, since: int, limit: int, after: int = 0
) -> list[PastRuling]:
    """Return rulings since a moment, by their numbers.

    Args:
        connection: a snapshot.
        since: not before this moment.
        limit: how many at most.
        after: only those beyond this number.
    """
    bounds = {"since": since, "after": after, "most": limit}
    return [to_ruling(row) for row in connection.execute(SINCE, bounds)]


def find_ruling(connection: Connection, number: int) -> PastRuling | None:
    """Return one ruling with its motion, None when it is not there."""
    query = select(RULING).where(RULING.c.id == number)
    row = connection.execute(query).one_or_none()
    return None if row is None else to_ruling(row)


def write_body(motion: Motion, ruling: Ruling) -> str:
    """Return a motion and the trail as the JSON that is stored."""
    body = Body(
        motion=motion,
        trail=ruling.trail,
        question=ruling.question,
        until=ruling.until,
    )
    plain = msgspec.to_builtins(body, enc_hook=_write)
    return msgspec.json.encode(clean(plain), order="deterministic").decode()


def read_body(written: str) -> Body | None:
    """Return what was stored, or None when it cannot be read any more."""
    try:
        return msgspec.json.decode(written, type=Body, dec_hook=_read)
    except (msgspec.ValidationError, ValidationError):
        return None


def to_ruling(row: Any) -> PastRuling:
    """Return a row as a ruling."""
    values = row._asdict()
    values["body"] = read_body(row.body)
    return PastRuling(**values)


def _write(value: Any) -> Any:
    """Return what is no struct as JSON has it."""
    if isinstance(value, ActionSpec):
        return value.model_dump(mode="json", exclude_defaults=True)
    raise NotImplementedError(type(value).__name__)


def _read(kind: type, value: Any) -> Any:
    """Return what is no struct from what JSON had."""
    if kind is ActionSpec:
        return ActionSpec.model_validate(value)
    raise NotImplementedError(kind.__name__)
