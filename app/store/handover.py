"""The night: all that happened in a span of time, as it is handed over.

Read in one snapshot. What is counted is exact; of what is listed there is a
bounded number, and it is told whether there was more.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    case,
    distinct,
    func,
    select,
)

from app.models.canary import CANARY, PROBLEM
from app.models.incident import LIVING
from app.models.mission import End
from app.models.mute import Mute
from app.models.strand import RANKS
from app.store import mutes
from app.store.approvals import APPROVALS, count_waiting
from app.store.casefile import find_seq
from app.store.filters import Filters, sort_out
from app.store.jobs import JOBS
from app.store.listings import ALERTS, ENTRY, INCIDENT, INCIDENTS, LOG
from app.store.missions import with_missions
from app.store.pages import Turn, count_rows, find_page, look_up
from app.store.synthetic import is_real
from app.store.teams import Teams, may_see

MOST_LISTED = 100
MOST_WAITS = 10_000
MOST_ACTORS = 5_000
ENDS = ("mission.closed", "incident.escalated")
SAID = (
    "incident.noted",
    "incident.corrected",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.owner_changed",
    "incident.split",
    "incident.merged",
)
# What is no incident's, and somebody has to know: their kinds begin so.
CHANGES = (
    "account.",
    "channel.",
    "decide.",
    "halt.",
    "log.broken",
    "mute.added",
    "mute.changed",
    "mute.ended",
    "policy.",
    "reins.",
    "simulator.",
    "token.",
)
WORST = case(
    {severity.value: rank for severity, rank in RANKS.items()},
    value=INCIDENT.c.severity,
    else_=0,
)


class Span(msgspec.Struct, frozen=True):
    """From one moment until, but not at, another.

    Attributes:
        since: the first moment.
        until: the first that is no longer in it.
    """

    since: int
    until: int

    @property
    def where(self) -> dict[str, int]:
        """Return it as filters of a list."""
        return {"since": self.since, "until": self.until}


class Some(msgspec.Struct, frozen=True):
    """The first rows of a list, and whether there were more."""

    rows: Sequence[Any]
    has_more: bool


class Asking(msgspec.Struct, frozen=True):
    """What people were asked.

    Attributes:
        states: how many questions became what.
        waits: how long they took to answer, at the middle, in
            microseconds; None when nobody answered any.
        waiting: how many wait now.
    """

    states: dict[str, int]
    waits: int | None
    waiting: int


class Doing(msgspec.Struct, frozen=True):
    """What one did.

    Attributes:
        kind: of the lines of the log.
        actor: who.
        count: how many lines.
    """

    kind: str
    actor: str
    count: int


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """All that happened in a span of time.

    Attributes:
        seq: the last entry of the log at that moment.
        alerts: how many came in; None: not counted for one team.
        opened: how many incidents were opened.
        ends: how many incidents ended how.
        asking: what people were asked.
        verdicts: how many jobs had which verdict; empty: none yet.
        jobs: what was done, newest first.
        doings: who wrote how many lines of what.
        living: how many incidents are not over now.
        open: those, the worst first, with their missions.
        said: what people said, newest first.
        changes: what was changed of policy, brains, people and mutes.
        mutes: those that are on now.
    """

    seq: int
    alerts: int | None
    opened: int
    ends: dict[str, int]
    asking: Asking
    verdicts: dict[str, int]
    jobs: Some
    doings: list[Doing]
    living: int
    open: Some
    said: Some
    changes: Some
    mutes: list[Mute]


def find_night(connection: Connection, span: Span, teams: Teams) -> Night:
    """Return what happened in a span of time.

    Args:
        connection: a snapshot.
        span: which.
        teams: only about their incidents; none: about all.
    """
    log = sort_out(LOG, {**span.where, "problem_not": PROBLEM}, teams)
    doings = _count_doings(connection, log)
    kinds = {one.kind for one in doings if one.kind.startswith(CHANGES)}
    opened = {**span.where, "source_not": CANARY}
    living = {"state": [one.value for one in LIVING], "source_not": CANARY}
    return Night(
        seq=find_seq(connection),
        alerts=None if teams else _count(connection, ALERTS, _alerts(span)),
        opened=_count(connection, INCIDENTS, opened, teams),
        ends=_count_ends(connection, log),
        asking=_count_asking(connection, span, teams),
        verdicts=_count_verdicts(connection, span, teams),
        jobs=_find_jobs(connection, span, teams),
        doings=doings,
        living=_count(connection, INCIDENTS, living, teams),
        open=_find_open(connection, teams),
        said=_find_lines(connection, span, SAID, teams),
        changes=_find_lines(connection, span, sorted(kinds), teams),
        mutes=mutes.find_on(connection),
    )


def _alerts(span: Span) -> dict[str, Any]:
    """Return which alerts are counted: not our own."""
    return {**span.where, "source_not": CANARY}


def _count(
    connection: Connection,
    listing: Any,
    where: dict[str, Any],
    teams: Teams = (),
) -> int:
    """Return how many rows of a list match."""
    filters = sort_out(listing, where, teams)
    return count_rows(connection, filters, look_up(connection, filters))


def _conditions(
    connection: Connection, filters: Filters
) -> list[ColumnElement[bool]]:
    """Return what rows must be, with the range of ids of their span."""
    facts = look_up(connection, filters)
    number = filters.listing.rows.c.id
    return [number.between(facts.first, facts.last), *filters.conditions()]


def _count_doings(connection: Connection, log: Filters) -> list[Doing]:
    """Return who wrote how many lines of what."""
    many = func.count()
    query = (
        select(ENTRY.c.kind, ENTRY.c.actor, many)
        .where(*_conditions(connection, log))
        .group_by(ENTRY.c.kind, ENTRY.c.actor)
        .order_by(many.desc(), ENTRY.c.kind, ENTRY.c.actor)
        .limit(MOST_ACTORS)
    )
    return [Doing(*row) for row in connection.execute(query)]


def _count_ends(connection: Connection, log: Filters) -> dict[str, int]:
    """Return how many incidents ended how; one may end more than once."""
    begins = ENTRY.c.summary
    counts = [
        func.count(distinct(ENTRY.c.incident_id)).filter(
            begins.startswith(f"{end.value}:", autoescape=True)
        )
        for end in End
    ]
    query = select(*counts).where(
        ENTRY.c.kind.in_(ENDS), *_conditions(connection, log)
    )
    row = connection.execute(query).one()
    return {end.value: int(row[index]) for index, end in enumerate(End)}


def _count_asking(connection: Connection, span: Span, teams: Teams) -> Asking:
    """Return what people were asked, and how long they took."""
    table = APPROVALS.rows
    within = _within(APPROVALS, span, teams)
    states = select(table.c.state, func.count()).where(*within)
    waits = (
        select(table.c.ended_at - table.c.asked_at)
        .where(*within, table.c.state.in_(("granted", "refused", "edited")))
        .where(table.c.ended_at.is_not(None))
        .order_by(table.c.id.desc())
        .limit(MOST_WAITS)
    )
    took = list(connection.execute(waits).scalars())
    counted = connection.execute(states.group_by(table.c.state))
    return Asking(
        states={row[0]: int(row[1]) for row in counted},
        waits=int(median(took)) if took else None,
        waiting=count_waiting(connection, teams),
    )


def _count_verdicts(
    connection: Connection, span: Span, teams: Teams
) -> dict[str, int]:
    """Return how many jobs had which verdict; empty: none yet."""
    verdict = JOBS.rows.c.verdict
    query = select(verdict, func.count()).where(*_within(JOBS, span, teams))
    rows = connection.execute(query.group_by(verdict))
    return {row[0]: int(row[1]) for row in rows}


def _find_jobs(connection: Connection, span: Span, teams: Teams) -> Some:
    """Return what was done, newest first."""
    table = JOBS.rows
    query = select(table)
    query = query.where(*_within(JOBS, span, teams))
    query = query.order_by(table.c.planned_at.desc(), table.c.id.desc())
    return _some(connection.execute(query.limit(MOST_LISTED + 1)).all())


def _find_open(connection: Connection, teams: Teams) -> Some:
    """Return the incidents that are not over, the worst first."""
    query = select(INCIDENT).where(
        INCIDENT.c.state.in_([one.value for one in LIVING]),
        INCIDENT.c.source != CANARY,
    )
    if teams:
        query = query.where(INCIDENT.c.team.in_(teams))
    query = query.order_by(WORST.desc(), INCIDENT.c.opened_at, INCIDENT.c.id)
    found = connection.execute(query.limit(MOST_LISTED + 1)).all()
    return _some(with_missions(connection, found))


def _find_lines(
    connection: Connection, span: Span, kinds: Sequence[str], teams: Teams
) -> Some:
    """Return the lines of some kinds, newest first."""
    if not kinds:
        return Some((), has_more=False)
    where = {**span.where, "kind": tuple(kinds), "problem_not": PROBLEM}
    filters = sort_out(LOG, where, teams)
    turn = Turn(None, None, MOST_LISTED + 1)
    facts = look_up(connection, filters)
    return _some(find_page(connection, filters, turn, facts))


def _within(
    listing: Any, span: Span, teams: Teams
) -> list[ColumnElement[bool]]:
    """Return what rows of a span must be; an index on its moment leads."""
    moment = listing.rows.c[listing.moment]
    found = [moment >= span.since, moment < span.until]
    found.append(is_real(listing.rows.c))
    return [*found, may_see(listing, teams)] if teams else found


def _some(rows: Sequence[Any]) -> Some:
    """Return so many of some rows, and whether there were more."""
    return Some(rows[:MOST_LISTED], len(rows) > MOST_LISTED)
