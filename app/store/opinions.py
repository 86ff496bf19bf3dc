"""What was only observed, in the store, and what people said about it.

A correction is joined to the last decision before it, as for learning; see
app/store/outcomes.py. Texts of people are not read.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    literal_column,
    select,
)

from app.models.approval import ApprovalState
from app.models.canary import ANSWER
from app.models.opinion import Opinion
from app.models.word import Kind
from app.store.among import among
from app.store.approvals import APPROVAL
from app.store.decisions import DECISION, IS_CHOSEN
from app.store.listings import Listing
from app.store.outcomes import find_decided, last_before
from app.store.people import WORD
from app.store.rulings import RULING, RULINGS
from app.store.teams import Teams, may_see, unled

# The newest give lines: what was long not observed any more has none.
MOST_RULINGS = 5_000
# The newest count: many more than it takes to earn a step.
MOST_WORDS = 5_000
ABOUT = "action"
WORDS = Listing(rows=WORD, moment="at")
ANSWERED = (
    ApprovalState.GRANTED.value,
    ApprovalState.REFUSED.value,
    ApprovalState.EDITED.value,
)
# Written out: SQLite takes a partial index only for what it can read.
WAS_OBSERVED = RULING.c.outcome == literal_column("'observe'")
SINCE: BindParameter[int] = bindparam("since")
DECIDED = (
    DECISION.c.id,
    DECISION.c.incident_id,
    DECISION.c.at,
    DECISION.c.arguments,
    DECISION.c.brain,
)
# Found by the incident, never by the moment: an incident has a few.
OF_INCIDENT = (
    WAS_OBSERVED,
    unled(RULING.c.at) >= SINCE,
    RULING.c.action != ANSWER,
)
# Made once: to make a statement costs several times what it takes to run.
OBSERVED = (
    select(RULING.c.decision_id, RULING.c.action, RULING.c.environment)
    .where(among(RULING.c.incident_id, "incidents"), *OF_INCIDENT)
    .where(among(RULING.c.decision_id, "decisions"))
    .order_by(RULING.c.id)
)
ASKED = select(APPROVAL.c.decision_id).where(
    among(APPROVAL.c.decision_id, "decisions"),
    # Joined to nothing, so that SQLite finds the few by their decision.
    APPROVAL.c.state.concat("").in_(ANSWERED),
)


def find_observed_kinds(
    connection: Connection, since: int, teams: Teams = ()
) -> list[tuple[str, str]]:
    """Return each action and environment where something was observed.

    Args:
        connection: where to ask.
        since: what was observed before does not count.
        teams: only about their incidents; none: about all.
    """
    seen = [may_see(RULINGS, teams)] if teams else []
    rows = connection.execute(_newest_kinds(seen), {"since": since})
    return [(action, place) for action, place in rows]


def find_opinions(
    connection: Connection, since: int, teams: Teams = ()
) -> list[Opinion]:
    """Return what people said here of what was observed, in its order.

    Where a question about a decision was answered, the answer counts, and
    no word: one decision is never evidence for two steps.

    Args:
        connection: where to ask.
        since: what was observed before does not count.
        teams: only about their incidents; none: about all.
    """
    seen = [may_see(WORDS, teams)] if teams else []
    words = connection.execute(_newest_words(seen), {"since": since}).all()
    numbers = {row.incident_id for row in words}
    decided = find_decided(connection, numbers, DECIDED)
    meant = []
    for row in words[::-1]:
        last = last_before(decided.get(row.incident_id, ()), row.at)
        if last is not None:
            meant.append((row, last))
    places = _find_places(connection, since, [last for _, last in meant])
    found = []
    for row, last in meant:
        details = msgspec.json.decode(row.details)
        about = str(details.get("about", "")).strip().casefold()
        if last.id in places and about == ABOUT:
            correct = str(details.get("correct", ""))
            found.append(_join(row.author, correct, last, places[last.id]))
    return found


def _newest_kinds(seen: Collection[ColumnElement[bool]]) -> Select[Any]:
    """Return the question for actions and environments."""
    newest = (
        select(RULING.c.decision_id, RULING.c.action, RULING.c.environment)
        .where(WAS_OBSERVED, RULING.c.at >= SINCE, RULING.c.action != ANSWER)
        .where(*seen)
        .order_by(RULING.c.at.desc())
        .limit(MOST_RULINGS)
        .subquery()
    )
    return (
        select(newest.c.action, newest.c.environment)
        .join(DECISION, DECISION.c.id == newest.c.decision_id)
        .where(IS_CHOSEN)
        .distinct()
    )


def _newest_words(seen: Collection[ColumnElement[bool]]) -> Select[Any]:
    """Return the question for corrections where something was observed."""
    observed = (
        select(RULING.c.id)
        .where(RULING.c.incident_id == WORD.c.incident_id, *OF_INCIDENT)
        .exists()
    )
    return (
        select(WORD.c.incident_id, WORD.c.at, WORD.c.author, WORD.c.details)
        .where(WORD.c.kind == Kind.CORRECTION.value, WORD.c.alert_id == 0)
        .where(observed, *seen)
        .order_by(WORD.c.id.desc())
        .limit(MOST_WORDS)
    )


def _find_places(
    connection: Connection, since: int, decisions: Collection[Any]
) -> dict[int, tuple[str, str]]:
    """Return what was observed of decisions, and where, as last ruled.

    What a question was answered about is not among it.
    """
    numbers = {one.id for one in decisions}
    bounds = {
        "since": since,
        "incidents": {one.incident_id for one in decisions},
        "decisions": numbers,
    }
    places = {
        row.decision_id: (row.action, row.environment)
        for row in connection.execute(OBSERVED, bounds)
    }
    answered = connection.execute(ASKED, {"decisions": places.keys()})
    for number in answered.scalars():
        places.pop(number, None)
    return places


def _join(
    author: str, correct: str, decision: Any, place: tuple[str, str]
) -> Opinion:
    """Return a word with what it is about."""
    action, environment = place
    return Opinion(
        decision=decision.id,
        action=action,
        environment=environment,
        arguments=msgspec.json.decode(decision.arguments),
        proposer=decision.brain,
        author=author,
        correct=correct,
    )
