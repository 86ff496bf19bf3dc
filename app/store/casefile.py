"""The facts of an incident that a case is made of, and what is undecided."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    select,
)

from app.models.case import Happening
from app.models.cluster import FOREVER
from app.models.episode import Episode
from app.models.incident import Incident, State
from app.models.strand import RANKS
from app.models.tables import CutRow, EntryRow, table_of
from app.store.decisions import count_verdicts, find_history
from app.store.incidents import (
    ALERT,
    EPISODE,
    INCIDENT,
    StrandRecord,
    find_incidents,
    find_strands_by_id,
    in_chunks,
    to_episode,
)
from app.store.siblings import count_siblings

ENTRY = table_of(EntryRow)
CUT = table_of(CutRow)
MOST_SIBLINGS = 100
MOST_NAMES = 20
MOST_PROBLEMS = 50
MOST_HISTORY = 20
MOST_NEWS = 5_000
# An incident in which any of these is told anew is decided on anew.
RENEWED = ("incident.reopened", "decision.asked")
# Written out, so that a database takes the index of those that go on.
GOES_ON = EPISODE.c.until == literal_column(str(FOREVER))
RANK = case(
    {severity.value: rank for severity, rank in RANKS.items()},
    value=EPISODE.c.severity,
    else_=0,
)
# Made once: to make a statement costs several times what it takes to run.
OF_ONE = EPISODE.c.incident_id == bindparam("number")
WORST = (
    select(EPISODE)
    .where(OF_ONE, GOES_ON)
    .order_by(RANK.desc(), EPISODE.c.begins_at, EPISODE.c.id)
    .limit(1)
)
LAST = (
    select(EPISODE)
    .where(OF_ONE)
    .order_by(EPISODE.c.until.desc(), EPISODE.c.id.desc())
    .limit(1)
)
ONE_ALERT = select(ALERT).where(ALERT.c.id == bindparam("number"))
TOLD = select(func.coalesce(func.sum(EPISODE.c.alerts), 0)).where(OF_ONE)
END = select(
    select(func.coalesce(func.max(ENTRY.c.id), 0)).scalar_subquery(),
    select(func.coalesce(func.max(CUT.c.id), 0)).scalar_subquery(),
)
FRESH = (
    select(ENTRY.c.id, ENTRY.c.incident_id, ENTRY.c.kind)
    .where(ENTRY.c.id > bindparam("after"))
    .order_by(ENTRY.c.id)
    .limit(MOST_NEWS)
)


def _distinct(name: str) -> Select[Any]:
    """Return the question for the values of what goes on in an incident."""
    column = EPISODE.c[name]
    query = select(column).where(OF_ONE, GOES_ON)
    return query.distinct().order_by(column).limit(bindparam("most"))


FIRING = {name: _distinct(name) for name in ("name", "problem")}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the store knows of an incident and a case needs.

    Attributes:
        incident: the incident.
        seq: the last entry of the log at this moment.
        main: the worst episode, of those that go on when any does.
        strand: whose episode that is.
        alert: its last alert, or None when it is gone by age.
        told: how many messages all episodes are made of.
        names: what the monitoring systems call what goes on.
        problems: the classes of what goes on.
        siblings: how many incidents have the same problem now.
        history: what was decided on this target.
        similar: verdicts of actions on this problem.
    """

    incident: Incident
    seq: int
    main: Episode
    strand: StrandRecord
    alert: Any
    told: int
    names: Sequence[str]
    problems: Sequence[str]
    siblings: int
    history: tuple[Happening, ...]
    similar: dict[str, dict[str, int]]


class Lead(msgspec.Struct, frozen=True):
    """What an incident is known by.

    Attributes:
        main: the worst episode, of those that go on when any does.
        strand: whose episode that is.
        alert: its last alert, or None when it is gone by age.
    """

    main: Episode
    strand: StrandRecord
    alert: Any


class News(msgspec.Struct, frozen=True):
    """What the log tells beyond an entry.

    Attributes:
        last: the last entry that was looked at.
        incidents: those that it speaks of.
        is_changed: whether the reins were changed.
        has_more: whether the log may tell of more beyond the last one.
    """

    last: int
    incidents: frozenset[int]
    is_changed: bool
    has_more: bool


def find_facts(
    connection: Connection, number: int, within: int
) -> Facts | None:
    """Return what is known of an incident, or None when there is none.

    Args:
        connection: a snapshot.
        number: which incident.
        within: how far apart siblings may begin, in microseconds.
    """
    incident = find_incidents(connection, [number]).get(number)
    lead = find_lead(connection, number)
    if incident is None or lead is None:
        return None
    siblings = count_siblings(connection, incident, within, MOST_SIBLINGS)
    told = connection.execute(TOLD, {"number": number})
    return Facts(
        incident=incident,
        seq=find_seq(connection),
        main=lead.main,
        strand=lead.strand,
        alert=lead.alert,
        told=int(told.scalar_one()),
        names=_find_firing(connection, number, "name", MOST_NAMES),
        problems=_find_firing(connection, number, "problem", MOST_PROBLEMS),
        siblings=siblings,
        history=find_history(connection, incident.target, MOST_HISTORY),
        similar=count_verdicts(connection, lead.main.problem),
    )


def find_lead(connection: Connection, number: int) -> Lead | None:
    """Return what an incident is known by, or None when there is none."""
    main = _find_main(connection, number)
    if main is None:
        return None
    strands = find_strands_by_id(connection, [main.strand_id])
    bounds = {"number": main.last_alert}
    alert = connection.execute(ONE_ALERT, bounds).one_or_none()
    return Lead(main, strands[main.strand_id], alert)


def find_seq(connection: Connection) -> int:
    """Return the last entry of the log, or where it was cut off."""
    return int(max(connection.execute(END).one()))


def find_open(connection: Connection, after: int, limit: int) -> list[int]:
    """Return open incidents beyond an id, by id."""
    query = (
        select(INCIDENT.c.id)
        .where(INCIDENT.c.state == State.OPEN.value, INCIDENT.c.id > after)
        .order_by(INCIDENT.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def find_renewed(
    connection: Connection, seen: dict[int, int]
) -> dict[int, str]:
    """Return incidents that were reopened or asked about, and which it was.

    Args:
        connection: where to ask.
        seen: the last entry that was looked at, by incident.
    """
    found: dict[int, str] = {}
    if not seen:
        return found
    columns = (ENTRY.c.id, ENTRY.c.incident_id, ENTRY.c.kind)
    for some in in_chunks(sorted(seen)):
        query = (
            select(*columns)
            .where(ENTRY.c.incident_id.in_(some), ENTRY.c.kind.in_(RENEWED))
            .where(ENTRY.c.id > min(seen[number] for number in some))
            .order_by(ENTRY.c.id)
        )
        for row in connection.execute(query):
            if row.id > seen[row.incident_id]:
                found[row.incident_id] = row.kind
    return found


def find_problems(
    connection: Connection, incidents: Collection[int]
) -> dict[int, set[str]]:
    """Return the classes of what goes on in each of some incidents."""
    found: dict[int, set[str]] = {number: set() for number in incidents}
    for number in incidents:
        names = _find_firing(connection, number, "problem", MOST_PROBLEMS)
        found[number].update(names)
    return found


def _find_main(connection: Connection, number: int) -> Episode | None:
    """Return the worst episode of an incident that goes on, or ended last."""
    bounds = {"number": number}
    row = connection.execute(WORST, bounds).one_or_none()
    if row is None:
        row = connection.execute(LAST, bounds).one_or_none()
    return None if row is None else to_episode(row)


def _find_firing(
    connection: Connection, number: int, column: str, limit: int
) -> list[str]:
    """Return the distinct values of what goes on in an incident."""
    bounds = {"number": number, "most": limit}
    return list(connection.execute(FIRING[column], bounds).scalars())


def find_news(connection: Connection, after: int) -> News:
    """Return which incidents the log speaks of beyond an entry."""
    rows = connection.execute(FRESH, {"after": after}).all()
    incidents = {r.incident_id for r in rows if r.kind != "decision.made"}
    return News(
        last=rows[-1].id if rows else after,
        incidents=frozenset(incidents - {0}),
        is_changed=any(row.kind == "reins.changed" for row in rows),
        has_more=len(rows) == MOST_NEWS,
    )
