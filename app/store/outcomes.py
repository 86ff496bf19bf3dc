"""Outcomes in the store: what was decided, and what people say is right.

Texts of people are not even read here: only their names, and the one word
that says which action is right.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, select

from app.models.canary import ANSWER
from app.models.verdict import Verdict
from app.models.word import Kind
from app.store.decisions import DECISION, IS_CHOSEN, IS_LIVE
from app.store.incidents import in_chunks
from app.store.people import WORD

# The newest count; older ones were learned when they were new.
MOST_WORDS = 5_000
# Who says that an action helped.
CHECK = "check"
SAYING = (
    WORD.c.id,
    WORD.c.incident_id,
    WORD.c.at,
    WORD.c.author,
    WORD.c.alert_id,
    WORD.c.details,
)
DECIDED = (
    DECISION.c.id,
    DECISION.c.incident_id,
    DECISION.c.at,
    DECISION.c.action,
    DECISION.c.casefile,
)


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says about a decision.

    Attributes:
        word: the number of the word, 0 for what was measured.
        author: who says it.
        is_own: whether it was said here, not in a monitoring system.
        about: what it is about: action, target, severity ... or empty.
        correct: what is right instead.
        decision: the number of the decision that it is about, or 0.
        action: what was decided, or empty.
        casefile: the case that it was decided on, as JSON, or empty.
    """

    word: int
    author: str
    is_own: bool
    about: str = ""
    correct: str = ""
    decision: int = 0
    action: str = ""
    casefile: str = ""


def find_corrections(connection: Connection) -> list[Correction]:
    """Return the corrections with the decisions they are about, in order.

    A correction is about the last decision that was made before it, never
    about that of a shadow, nor about what code looked at for people.
    """
    query = (
        select(*SAYING)
        .where(WORD.c.kind == Kind.CORRECTION.value)
        .order_by(WORD.c.id.desc())
        .limit(MOST_WORDS)
    )
    rows = list(connection.execute(query))[::-1]
    numbers = {row.incident_id for row in rows}
    decided = find_decided(connection, numbers, DECIDED)
    return [
        _join(row, last_before(decided.get(row.incident_id, ()), row.at))
        for row in rows
    ]


def find_measured(connection: Connection) -> list[Correction]:
    """Return the decisions whose actions helped, as checks measured it.

    They say the same as a person who confirms them, in the same words; what
    did not help says only that something else is right, and not what.
    """
    query = (
        select(*DECIDED)
        .where(DECISION.c.verdict == Verdict.FIXED.value, IS_LIVE)
        .where(DECISION.c.action != ANSWER)
        .order_by(DECISION.c.id.desc())
        .limit(MOST_WORDS)
    )
    return [
        Correction(
            word=0,
            author=CHECK,
            is_own=True,
            about="action",
            correct=row.action,
            decision=row.id,
            action=row.action,
            casefile=row.casefile,
        )
        for row in list(connection.execute(query))[::-1]
    ]


def find_decided(
    connection: Connection,
    incidents: Iterable[int],
    columns: Sequence[Column[Any]],
) -> dict[int, list[Any]]:
    """Return the decisions that people speak of, by incident, in order.

    Args:
        connection: where to ask.
        incidents: the numbers of the incidents.
        columns: of decisions; the incident must be among them.
    """
    found: dict[int, list[Any]] = {}
    for some in in_chunks(sorted(incidents)):
        query = (
            select(*columns)
            .where(DECISION.c.incident_id.in_(some), IS_CHOSEN)
            .order_by(DECISION.c.id)
        )
        for row in connection.execute(query):
            found.setdefault(row.incident_id, []).append(row)
    return found


def last_before(decisions: Iterable[Any], at: int) -> Any:
    """Return the last decision that a person can have seen, or None."""
    found = None
    for one in decisions:
        if one.at <= at:
            found = one
    return found


def _join(row: Any, decision: Any) -> Correction:
    """Return a word with the decision that it is about."""
    details = msgspec.json.decode(row.details)
    word = Correction(
        word=row.id,
        author=row.author,
        is_own=not row.alert_id,
        about=str(details.get("about", "")),
        correct=str(details.get("correct", "")),
    )
    if decision is None:
        return word
    return msgspec.structs.replace(
        word,
        decision=decision.id,
        action=decision.action,
        casefile=decision.casefile,
    )
