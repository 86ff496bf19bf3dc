"""Decisions in the store: written once, never changed but by a verdict."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    func,
    insert,
    select,
    text,
    update,
)

from app.models.brevity import clip
from app.models.case import Happening
from app.models.choice import Why
from app.models.decision_tables import (
    IS_JUDGED,
    DecisionRow,
    ReinRow,
)
from app.models.proposer import CODE
from app.models.record import Record, clean, digest_of, evidence
from app.models.tables import table_of
from app.store.among import among
from app.store.incidents import next_id
from app.store.indexing import note_spans
from app.store.listings import Listing
from app.store.teams import Teams, may_see

DECISION = table_of(DecisionRow)
REIN = table_of(ReinRow)
DECISIONS = Listing(
    rows=DECISION,
    moment="at",
    indexed=frozenset({"incident_id"}),
    leading=frozenset({"incident_id"}),
    hidden=frozenset({"casefile", "record"}),
)
MOST_OF_ONE = 50
# From where the last minute began: the clock of another node may be ahead.
AHEAD = 120_000_000
MOST_SIMILAR = 500
LONGEST_REASON = 1_000
IS_LIVE = DECISION.c.is_shadow == 0
# What people speak of: code only looks at what they have already.
IS_CHOSEN = IS_LIVE & ~DECISION.c.brain.startswith(CODE)
encode = msgspec.json.Encoder(order="deterministic").encode
# Made once: to make a statement costs several times what it takes to run.
ONE = select(DECISION).where(DECISION.c.id == bindparam("number"))
ADD = insert(DECISION)
LATEST = select(*DECISIONS.columns()).where(
    DECISION.c.id.in_(
        select(func.max(DECISION.c.id))
        .where(among(DECISION.c.incident_id, "ids"), IS_LIVE)
        .group_by(DECISION.c.incident_id)
    )
)
HISTORY = (
    select(
        DECISION.c.at,
        DECISION.c.action,
        DECISION.c.arguments,
        DECISION.c.verdict,
        DECISION.c.problem,
    )
    .where(DECISION.c.target == bindparam("target"), IS_LIVE)
    .order_by(DECISION.c.id.desc())
    .limit(bindparam("most"))
)
# A storm makes thousands of one problem: what came of the newest is enough.
JUDGED = (
    select(DECISION.c.action, DECISION.c.verdict)
    .where(DECISION.c.problem == bindparam("problem"), IS_LIVE)
    .where(text(IS_JUDGED))
    .order_by(DECISION.c.id.desc())
    .limit(MOST_SIMILAR)
    .subquery()
)
VERDICTS = select(JUDGED.c.action, JUDGED.c.verdict, func.count()).group_by(
    JUDGED.c.action, JUDGED.c.verdict
)
JUDGE = (
    update(DECISION)
    .where(DECISION.c.id == bindparam("number"))
    .values(verdict=bindparam("word"))
)
REINS = select(REIN).where(REIN.c.id == 1)


class Spent(msgspec.Struct, frozen=True):
    """What decisions took so far.

    Attributes:
        of_incident: how often a brain was asked about one incident.
        of_minute: how often about any, in the last minute.
        tokens: of the day.
    """

    of_incident: int = 0
    of_minute: int = 0
    tokens: int = 0


class Rein(msgspec.Struct, frozen=True):
    """What was set at run time, over the settings.

    Attributes:
        version: rises with every change, 0 before the first.
        body: what differs from the settings.
        changed_at: when it was changed last, 0 when it never was.
        changed_by: by whom.
    """

    version: int = 0
    body: dict[str, Any] = {}
    changed_at: int = 0
    changed_by: str = ""


def add_decision(connection: Connection, record: Record) -> int:
    """Write a decision down; return its number."""
    number = next_id(connection, DECISION)
    connection.execute(ADD, _to_row(number, record))
    note_spans(connection, DECISIONS, [(number, record.at)])
    return number


def find_decision(connection: Connection, number: int) -> Any:
    """Return a decision with all that it rests on, or None."""
    return connection.execute(ONE, {"number": number}).one_or_none()


def find_of_incident(
    connection: Connection, incidents: Collection[int], limit: int
) -> list[Any]:
    """Return the newest decisions on incidents, without their evidence."""
    query = (
        select(*DECISIONS.columns())
        .where(DECISION.c.incident_id.in_(incidents))
        .order_by(DECISION.c.id.desc())
        .limit(limit)
    )
    return list(connection.execute(query).all())


def find_latest(
    connection: Connection, incidents: Collection[int]
) -> dict[int, Any]:
    """Return the last decision on each of some incidents, no shadow's."""
    if not incidents:
        return {}
    rows = connection.execute(LATEST, {"ids": incidents})
    return {row.incident_id: row for row in rows}


def find_history(
    connection: Connection, target: str, limit: int
) -> tuple[Happening, ...]:
    """Return what was decided on a target, the newest first."""
    bounds = {"target": target, "most": limit}
    return tuple(
        Happening(
            at=row.at,
            action=row.action,
            arguments=msgspec.json.decode(row.arguments),
            verdict=row.verdict,
            problem=row.problem,
        )
        for row in connection.execute(HISTORY, bounds)
    )


def count_verdicts(
    connection: Connection, problem: str
) -> dict[str, dict[str, int]]:
    """Return how often each action had which verdict on one problem lately."""
    found: dict[str, dict[str, int]] = {}
    rows = connection.execute(VERDICTS, {"problem": problem})
    for action, verdict, count in rows:
        found.setdefault(action, {})[verdict] = count
    return found


def set_verdict(connection: Connection, number: int, verdict: str) -> None:
    """Write down what came of a decision."""
    connection.execute(JUDGE, {"number": number, "word": verdict})


def count_spent(
    connection: Connection, incident: int, minute: int, day: int
) -> Spent:
    """Return what decisions took so far.

    Args:
        connection: where to ask.
        incident: whose calls are counted; a shadow's are not.
        minute: where the last minute began.
        day: where the day began.
    """
    calls = func.coalesce(func.sum(DECISION.c.calls), 0)
    tokens = func.coalesce(func.sum(DECISION.c.tokens), 0)
    own = select(calls).where(DECISION.c.incident_id == incident, IS_LIVE)
    # After a clock was set back, what was before is in the future.
    late = select(calls).where(DECISION.c.at.between(minute, minute + AHEAD))
    today = select(tokens).where(DECISION.c.at >= day)
    asked = [one.scalar_subquery() for one in (own, late, today)]
    row = connection.execute(select(*asked)).one()
    return Spent(*map(int, row))


def count_agreement(
    connection: Connection, since: int, brain: str, teams: Teams = ()
) -> list[tuple[str, str, int, int]]:
    """Return how often a shadow agreed, of those times that both answered.

    Who has no answer escalates: that is nothing to agree with.

    Args:
        connection: where to ask.
        since: decisions of before do not count.
        brain: only this one; empty: each.
        teams: only about their incidents; none: about all.

    Returns:
        brain, action of the live decision, how many, how many agreed.
    """
    live = DECISION.alias("live")
    same = func.coalesce(func.sum(case((DECISION.c.agrees == 1, 1))), 0)
    conditions: list[ColumnElement[bool]] = [
        DECISION.c.is_shadow == 1,
        DECISION.c.at >= since,
        DECISION.c.why != str(Why.UNAVAILABLE),
        live.c.why != str(Why.UNAVAILABLE),
    ]
    if brain:
        conditions.append(DECISION.c.brain == brain)
    if teams:
        conditions.append(may_see(DECISIONS, teams))
    columns = (DECISION.c.brain, live.c.action)
    query = (
        select(*columns, func.count(), same)
        .join(live, live.c.id == DECISION.c.beside)
        .where(*conditions)
        .group_by(*columns)
        .order_by(*columns)
    )
    rows = connection.execute(query)
    return [(one, action, int(n), int(k)) for one, action, n, k in rows]


def find_rein(connection: Connection) -> Rein:
    """Return what was set at run time."""
    row = connection.execute(REINS).one_or_none()
    if row is None:
        return Rein()
    body = msgspec.json.decode(row.body)
    return Rein(row.version, body, row.changed_at, row.changed_by)


def put_rein(connection: Connection, rein: Rein) -> None:
    """Write down what is set at run time."""
    values = {
        **msgspec.structs.asdict(rein),
        "body": encode(rein.body).decode(),
    }
    change = update(REIN).where(REIN.c.id == 1).values(values)
    if not connection.execute(change).rowcount:
        connection.execute(insert(REIN).values(id=1, **values))


def is_without_call(why: str) -> bool:
    """Tell whether a decision was made because no call was left."""
    return why == Why.BUDGET


def _to_row(number: int, record: Record) -> Mapping[str, Any]:
    """Return a record as its columns."""
    decision, point, cost = record.decision, record.standpoint, record.cost
    kept = clean(evidence(decision, record.menu))
    return {
        "id": number,
        "incident_id": point.incident,
        "at": record.at,
        "target": point.target,
        "problem": point.problem,
        "problems": encode(point.problems).decode(),
        "severity": point.severity,
        "seq": point.seq,
        "action": decision.action,
        "arguments": encode(clean(decision.arguments)).decode(),
        "reason": clip(clean(decision.reason), LONGEST_REASON),
        "confidence": decision.confidence,
        "asks": int(decision.asks),
        "why": str(decision.why),
        "brain": decision.brain,
        "casefile": encode(clean(msgspec.to_builtins(record.case))).decode(),
        "case_digest": decision.case_digest,
        "menu_digest": digest_of(record.menu),
        "catalogue_digest": decision.catalogue_digest,
        "settings_digest": decision.settings_digest,
        "record": encode(kept).decode(),
        "is_shadow": int(record.agrees is not None),
        "beside": record.beside,
        "agrees": None if record.agrees is None else int(record.agrees),
        "tokens": cost.tokens,
        "calls": cost.calls,
        "milliseconds": cost.milliseconds,
        "verdict": "",
        "note": record.note,
    }


def to_problems(row: Any) -> Sequence[str]:
    """Return every class of problem that a decision was made for."""
    problems: list[str] = msgspec.json.decode(row.problems, type=list[str])
    return problems
