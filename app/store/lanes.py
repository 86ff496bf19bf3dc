"""Lanes: which incidents need a person, which are acted on, what is watched.

What is looked at is bounded: of a lane that is longer than any person can
read only the newest are taken, and its count says that there are more.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    select,
    text,
)

from app.models.approval import OPEN
from app.models.canary import CANARY
from app.models.incident import LIVING, State
from app.models.mission import Stage
from app.models.mission_tables import GOES_ON
from app.models.proposer import CODE
from app.models.strand import RANKS
from app.store.among import among
from app.store.approvals import APPROVAL
from app.store.decisions import DECISION
from app.store.listings import INCIDENT
from app.store.missions import MISSION
from app.store.teams import Teams

# So many of each lane are looked at.
MOST = 2_000
WEIGHTS = {one.value: weight for one, weight in RANKS.items()}
ORDER = {str(state): place for place, state in enumerate(LIVING)}
WORKING = [
    stage.value
    for stage in Stage
    if stage not in (Stage.ASKING, Stage.ESCALATED, Stage.CLOSED)
]
WHO = (INCIDENT.c.id, INCIDENT.c.severity, INCIDENT.c.state)
# What became of it last.
LAST_STAGE = (
    select(MISSION.c.stage)
    .where(MISSION.c.incident_id == INCIDENT.c.id)
    .order_by(MISSION.c.id.desc())
    .limit(1)
    .correlate(INCIDENT)
    .scalar_subquery()
)
# Nobody has said that they look at it.
IS_LEFT = (
    INCIDENT.c.state == State.OPEN.value,
    INCIDENT.c.firing > 0,
    INCIDENT.c.acknowledged_by == "",
    INCIDENT.c.owner == "",
)


class Lane(msgspec.Struct, frozen=True):
    """One lane.

    Attributes:
        ids: its incidents, the most urgent first.
        count: how many there are in all.
        is_exact: whether there are not even more.
    """

    ids: Sequence[int]
    count: int
    is_exact: bool = True


class Lanes(msgspec.Struct, frozen=True):
    """All that lives, by who must act.

    Attributes:
        needs_you: a question waits, or nobody has what was handed over.
        acting: the machine works on it.
        watching: all others.
        suppressed: how many are held back.
        living: how many incidents live.
        firing: how many alerts go on in them.
    """

    needs_you: Lane
    acting: Lane
    watching: Lane
    suppressed: int
    living: int
    firing: int


class _Found(msgspec.Struct, frozen=True):
    """What is on the way to be sorted: rows of WHO, by their numbers."""

    needs: dict[int, Any]
    acting: dict[int, Any]
    is_exact: bool


def find_lanes(connection: Connection, most: int, teams: Teams = ()) -> Lanes:
    """Return all that lives by who must act, at one moment.

    Args:
        connection: a snapshot.
        most: how many incidents of a lane are named.
        teams: whose incidents; none: everybody's.
    """
    found = _find(connection, teams)
    counts = _count(connection, teams)
    living = sum(number for number, _ in counts.values())
    taken = {**found.needs, **found.acting}
    lives = sum(row.state in ORDER for row in taken.values())
    others = _find_others(connection, teams, taken, most)
    held, _ = counts.get(State.SUPPRESSED.value, (0, 0))
    return Lanes(
        needs_you=_lane(found.needs, most, is_exact=found.is_exact),
        acting=_lane(found.acting, most, is_exact=found.is_exact),
        watching=Lane(others, max(0, living - lives), found.is_exact),
        suppressed=held,
        living=living,
        firing=sum(firing for _, firing in counts.values()),
    )


def count_needs(connection: Connection, teams: Teams = ()) -> int:
    """Return how many incidents need a person, as the lane counts them."""
    return len(_find(connection, teams).needs)


def urgency(severity: str) -> int:
    """Return where a severity stands, the worst first."""
    return -WEIGHTS.get(severity, 0)


@cache
def _asked(*, has_teams: bool) -> Select[Any]:
    """Return the statement that finds what people are asked about."""
    return (
        select(*WHO)
        .join(APPROVAL, APPROVAL.c.incident_id == INCIDENT.c.id)
        .where(APPROVAL.c.state == OPEN.value)
        .where(INCIDENT.c.state.in_(LIVING), *_seen(has_teams=has_teams))
        .order_by(APPROVAL.c.id.desc())
        .limit(MOST + 1)
    )


@cache
def _left(*, has_teams: bool) -> Select[Any]:
    """Return the statement that finds what was handed over to nobody."""
    return (
        select(*WHO)
        .where(*IS_LEFT, *_seen(has_teams=has_teams))
        .where(LAST_STAGE.in_([Stage.ESCALATED.value]))
        .order_by(INCIDENT.c.id.desc())
        .limit(MOST + 1)
    )


@cache
def _worked_on(*, has_teams: bool) -> Select[Any]:
    """Return the statement that finds what the machine works on.

    The brain of a decision says whether it is only looked at for those who
    have it already; is_left, whether anybody does.
    """
    is_left = IS_LEFT[0] & IS_LEFT[1] & IS_LEFT[2] & IS_LEFT[3]
    return (
        select(*WHO, DECISION.c.brain, is_left.label("is_left"))
        .select_from(MISSION)
        .join(INCIDENT, INCIDENT.c.id == MISSION.c.incident_id)
        .outerjoin(DECISION, DECISION.c.id == MISSION.c.decision_id)
        .where(text(GOES_ON), MISSION.c.stage.in_(WORKING))
        .where(*_seen(has_teams=has_teams))
        .order_by(MISSION.c.id.desc())
        .limit(MOST + 1)
    )


@cache
def _by_state(*, has_teams: bool) -> Select[Any]:
    """Return the statement that counts what lives."""
    return (
        select(INCIDENT.c.state, func.count(), func.sum(INCIDENT.c.firing))
        .where(INCIDENT.c.state.in_(LIVING), *_seen(has_teams=has_teams))
        .group_by(INCIDENT.c.state)
    )


@cache
def _newest(*, has_teams: bool) -> Select[Any]:
    """Return the statement that finds the newest of one state."""
    return (
        select(*WHO)
        .where(INCIDENT.c.state == bindparam("state"))
        .where(*_seen(has_teams=has_teams))
        .order_by(INCIDENT.c.id.desc())
        .limit(bindparam("most"))
    )


def _seen(*, has_teams: bool) -> list[ColumnElement[bool]]:
    """Return the conditions that somebody sees an incident."""
    ours: list[Any] = [INCIDENT.c.source != CANARY]
    if has_teams:
        ours.append(among(INCIDENT.c.team, "teams"))
    return ours


def _ask(
    connection: Connection, make: Any, teams: Teams, **more: Any
) -> Sequence[Any]:
    """Return the rows of a statement, as somebody of some teams sees them."""
    bounds = {"teams": teams} if teams else {}
    statement = make(has_teams=bool(teams))
    return connection.execute(statement, {**bounds, **more}).all()


def _find(connection: Connection, teams: Teams) -> _Found:
    """Return what needs a person, and what is acted on."""
    asked = _ask(connection, _asked, teams)
    left = _ask(connection, _left, teams)
    works = _ask(connection, _worked_on, teams)
    needs = {row.id: row for row in (*asked, *left)}
    looked_at = [row for row in works if str(row.brain).startswith(CODE)]
    needs |= {row.id: row for row in looked_at if row.is_left}
    known = needs.keys() | {row.id for row in looked_at}
    acting = {row.id: row for row in works if row.id not in known}
    is_exact = max(map(len, (asked, left, works))) <= MOST
    return _Found(needs, acting, is_exact)


def _count(connection: Connection, teams: Teams) -> dict[str, tuple[int, int]]:
    """Return how many incidents live in each state, with what fires."""
    rows = _ask(connection, _by_state, teams)
    return {state: (int(n), int(firing)) for state, n, firing in rows}


def _find_others(
    connection: Connection, teams: Teams, taken: dict[int, Any], most: int
) -> list[int]:
    """Return what lives and is in no other lane: state by state."""
    others: list[int] = []
    for state in ORDER:
        if len(others) >= most:
            break
        among_taken = sum(row.state == state for row in taken.values())
        bounds = {"state": state, "most": most + among_taken}
        rows = _ask(connection, _newest, teams, **bounds)
        free = [row for row in rows if row.id not in taken]
        free.sort(key=lambda row: (urgency(row.severity), -row.id))
        others += [row.id for row in free]
    return others[:most]


def _lane(rows: dict[int, Any], most: int, *, is_exact: bool) -> Lane:
    """Return a lane: the worst first, and of these the oldest."""
    ordered = sorted(rows.values(), key=_place)
    return Lane([row.id for row in ordered[:most]], len(rows), is_exact)


def _place(row: Any) -> tuple[int, int]:
    """Return where a row stands in its lane."""
    return urgency(row.severity), row.id
