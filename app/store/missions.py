"""Missions in the store: who has one, when it is due, and how it moves.

Every function that writes runs in a turn of the ledger. A mission is moved
by compare-and-set: whoever comes late matches no row and is told so.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import result_tuple

from app.core.errors import TooLate
from app.models.incident import State
from app.models.mission import IDLE, OVER, Mission, Stage
from app.models.mission_tables import GOES_ON, IS_DUE, IS_LENT, MissionRow
from app.models.tables import table_of
from app.store.among import among
from app.store.decisions import DECISION, IS_LIVE
from app.store.incidents import INCIDENT, next_id
from app.store.indexing import note_spans
from app.store.lending import Lending, Loan
from app.store.listings import Listing
from app.store.opened import IS_LONG_OPEN

__all__ = ["MISSIONS", "Fenced"]
MISSION = table_of(MissionRow)
MISSIONS = Listing(
    rows=MISSION,
    moment="opened_at",
    indexed=frozenset({"incident_id", "stage"}),
    leading=frozenset({"incident_id"}),
)
COLUMNS = MISSION.c.keys()
# As a partial index has it, word for word: see app/models/mission_tables.py.
LIVES = text(GOES_ON)
# So many pages are turned to find missions of as many targets.
MOST_PAGES = 8
# Made once: to make a statement costs several times what it takes to run.
# The way PostgreSQL says it is the way SQLite says it.
ADD = (
    insert(MISSION)
    .on_conflict_do_nothing()
    .execution_options(preserve_rowcount=True)
)
ONE = select(MISSION).where(MISSION.c.id == bindparam("number"))
LIVE = select(MISSION).where(among(MISSION.c.incident_id, "ids"), LIVES)
NEWEST = select(MISSION).where(
    MISSION.c.id.in_(
        select(func.max(MISSION.c.id))
        .where(among(MISSION.c.incident_id, "ids"))
        .group_by(MISSION.c.incident_id)
    )
)
# A lease that was renewed meanwhile is not made shorter by a move.
LONGER = case(
    (
        (MISSION.c.holder == bindparam("holder", type_=Text))
        & (MISSION.c.lease_until > bindparam("lease_until"))
        & (MISSION.c.holder != ""),
        MISSION.c.lease_until,
    ),
    else_=bindparam("lease_until"),
)
SAVE = (
    update(MISSION)
    .where(
        MISSION.c.id == bindparam("at"),
        MISSION.c.version == bindparam("was_version"),
        MISSION.c.fence == bindparam("was_fence"),
        MISSION.c.holder == bindparam("was_holder"),
    )
    .values(
        {
            name: LONGER if name == "lease_until" else bindparam(name)
            for name in COLUMNS
            if name != "id"
        }
    )
)
IS_FREE = MISSION.c.lease_until <= bindparam("now")
DUE = (
    select(MISSION.c.id, MISSION.c.target)
    .where(
        MISSION.c.due_at <= bindparam("now"),
        IS_FREE,
        not_(among(MISSION.c.target, "targets")),
        not_(among(MISSION.c.id, "left")),
    )
    .order_by(MISSION.c.due_at, MISSION.c.id)
    .limit(bindparam("most"))
)
LENDING = Lending(MISSION, IS_FREE)
WAKE = (
    update(MISSION)
    .where(among(MISSION.c.id, "ids"), LIVES)
    .where((MISSION.c.due_at > bindparam("now")) | MISSION.c.due_at.is_(None))
    .values(due_at=bindparam("now"))
)
# Those that nobody has come in the order of their moments; few are lent.
NEXT = (
    select(MISSION.c.due_at)
    .where(text(IS_DUE), IS_FREE, not_(among(MISSION.c.id, "left")))
    .order_by(MISSION.c.due_at)
    .limit(1)
)
NEXT_LENT = select(
    func.min(
        case(
            (MISSION.c.due_at > MISSION.c.lease_until, MISSION.c.due_at),
            else_=MISSION.c.lease_until,
        )
    )
).where(
    text(IS_LENT),
    text(IS_DUE),
    not_(IS_FREE),
    not_(among(MISSION.c.id, "left")),
)
GOING = MISSION.c.stage.in_([one.value for one in Stage if one not in OVER])
STAGES = (
    select(MISSION.c.stage, func.count())
    .where(GOING)
    .group_by(MISSION.c.stage)
)
# Added to nothing, so that SQLite does not walk through all by their ids.
IN_ORDER = MISSION.c.id + literal_column("0")
NOT_OPEN = (
    select(MISSION.c.id, INCIDENT.c.state)
    .join(INCIDENT, INCIDENT.c.id == MISSION.c.incident_id)
    .where(INCIDENT.c.state != State.OPEN.value)
    .where(MISSION.c.id > bindparam("after"))
    .order_by(IN_ORDER)
    .limit(bindparam("most"))
)
# What runs, or is measured, goes on to its end.
IDLE_STAGES = [one.value for one in IDLE]
DISTURBED = NOT_OPEN.where(MISSION.c.stage.in_(IDLE_STAGES))
# Joined to nothing, so that SQLite finds the few by their incidents.
DISTURBED_OF = NOT_OPEN.where(
    MISSION.c.stage.concat("").in_(IDLE_STAGES),
    LIVES,
    among(MISSION.c.incident_id, "ids"),
)
LEFT_ALONE = (
    select(INCIDENT.c.id)
    .where(
        INCIDENT.c.state == State.OPEN.value,
        IS_LONG_OPEN,
        # One that had no effect, which its note says, is none.
        ~select(DECISION.c.id)
        .where(
            DECISION.c.incident_id == INCIDENT.c.id,
            DECISION.c.note == "",
            IS_LIVE,
        )
        .exists(),
        ~select(MISSION.c.id)
        .where(MISSION.c.incident_id == INCIDENT.c.id)
        .exists(),
    )
    .order_by(INCIDENT.c.id)
    .limit(bindparam("most"))
)


class Fenced(TooLate):
    """Another worker, or another move, was first; nothing was written."""


def add_mission(connection: Connection, mission: Mission) -> int:
    """Write a new mission down; return its number.

    Raises:
        Fenced: its incident has one that goes on.
    """
    number = next_id(connection, MISSION)
    row = {**msgspec.structs.asdict(mission), "id": number}
    if not connection.execute(ADD, row).rowcount:
        raise Fenced(f"incident {mission.incident_id} has a mission already")
    note_spans(connection, MISSIONS, [(number, mission.opened_at)])
    return number


def find_mission(connection: Connection, number: int) -> Mission | None:
    """Return a mission, or None."""
    row = connection.execute(ONE, {"number": number}).one_or_none()
    return None if row is None else to_mission(row)


def find_live(
    connection: Connection, incidents: Collection[int]
) -> dict[int, Mission]:
    """Return the mission that goes on of each of some incidents."""
    rows = connection.execute(LIVE, {"ids": incidents}) if incidents else ()
    return {row.incident_id: to_mission(row) for row in rows}


def find_newest(
    connection: Connection, incidents: Collection[int]
) -> dict[int, Mission]:
    """Return the last mission of each of some incidents, over or not."""
    rows = connection.execute(NEWEST, {"ids": incidents}) if incidents else ()
    return {row.incident_id: to_mission(row) for row in rows}


def with_missions(connection: Connection, rows: Sequence[Any]) -> list[Any]:
    """Return rows of incidents, each with its last ``mission`` or None."""
    if not rows:
        return []
    found = find_newest(connection, {row.id for row in rows})
    make = result_tuple([*rows[0]._fields, "mission"])
    return [make((*row, found.get(row.id))) for row in rows]


def save_mission(
    connection: Connection, before: Mission, after: Mission
) -> None:
    """Write a move down.

    Raises:
        Fenced: it is not as it was: another worker has it, or moved it.
    """
    row = msgspec.structs.asdict(after)
    del row["id"]
    row["at"] = before.id
    row["was_version"] = before.version
    row["was_fence"] = before.fence
    row["was_holder"] = before.holder
    if not connection.execute(SAVE, row).rowcount:
        raise Fenced(f"mission {before.id} is not as it was")


def claim_due(
    connection: Connection,
    loan: Loan,
    limit: int,
    left: Collection[int] = (),
) -> list[Mission]:
    """Take missions that are due and that nobody has, the oldest due first.

    Of each target one at most, so that none keeps the others waiting.

    Args:
        connection: the turn's transaction.
        loan: by whom they are taken, and for how long.
        limit: how many at most.
        left: which are left to others.
    """
    found = _find_due(connection, loan.now, limit, left)
    moments = (loan.now, loan.until)
    rows = LENDING.claim(connection, loan.holder, found, moments)
    taken = [to_mission(row) for row in rows]
    return sorted(taken, key=lambda one: (one.due_at or 0, one.id))


def claim_now(
    connection: Connection,
    loan: Loan,
    ids: Collection[int],
) -> list[Mission]:
    """Take some missions that nobody has, whenever they are due.

    Args:
        connection: the turn's transaction.
        loan: by whom they are taken, and for how long; they are due now.
        ids: which.
    """
    wake(connection, ids, loan.now)
    moments = (loan.now, loan.until)
    rows = LENDING.claim(connection, loan.holder, ids, moments)
    return [to_mission(row) for row in rows]


def _find_due(
    connection: Connection, now: int, limit: int, left: Collection[int]
) -> list[int]:
    """Return missions to take, of as many targets as there are."""
    found: dict[str, int] = {}
    for _ in range(MOST_PAGES):
        bounds: dict[str, Any] = {"now": now, "most": limit, "left": left}
        bounds["targets"] = found.keys()
        rows = connection.execute(DUE, bounds).all()
        for row in rows:
            if len(found) < limit:
                found.setdefault(row.target, row.id)
        if len(rows) < limit or len(found) >= limit:
            break
    return list(found.values())


def wake(connection: Connection, ids: Collection[int], now: int) -> None:
    """Make missions that go on due now, unless they are due already."""
    if ids:
        connection.execute(WAKE, {"ids": ids, "now": now})


def next_due(
    connection: Connection, now: int, left: Collection[int] = ()
) -> int | None:
    """Return the first moment at which one can be taken, or None.

    Args:
        connection: where to ask.
        now: the time.
        left: which are left to others.
    """
    asked, bounds = (NEXT, NEXT_LENT), {"now": now, "left": left}
    moments = [connection.execute(one, bounds).scalar() for one in asked]
    return min((one for one in moments if one is not None), default=None)


def find_disturbed(
    connection: Connection,
    incidents: Collection[int] | None,
    after: int,
    limit: int,
) -> list[tuple[int, str]]:
    """Return missions that might start something for what is not open.

    Args:
        connection: where to ask.
        incidents: of these only, None for all.
        after: only missions beyond this one.
        limit: how many at most.

    Returns:
        The mission, and the state of its incident.
    """
    bounds: dict[str, Any] = {"after": after, "most": limit}
    query = DISTURBED
    if incidents is not None:
        query = DISTURBED_OF
        bounds["ids"] = incidents
    rows: Iterable[Any] = connection.execute(query, bounds)
    return [(number, state) for number, state in rows]


def find_left_alone(
    connection: Connection, opened_before: int, limit: int
) -> list[int]:
    """Return open incidents that nobody decided on and nobody works on.

    Args:
        connection: where to ask.
        opened_before: which have been open since before this moment.
        limit: how many at most.
    """
    bounds = {"before": opened_before, "most": limit}
    return list(connection.execute(LEFT_ALONE, bounds).scalars())


def count_stages(connection: Connection) -> dict[str, int]:
    """Return how many missions stand in each stage, of those that go on."""
    return {stage: int(n) for stage, n in connection.execute(STAGES)}


def to_mission(row: Any) -> Mission:
    """Return a row as a mission."""
    return Mission(**dict(zip(COLUMNS, row, strict=True)))
