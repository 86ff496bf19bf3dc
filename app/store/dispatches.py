"""Dispatches in the store: what is on its way, to which channel, and when.

Every function that writes runs in a turn of the ledger. A dispatch is taken
with a lease, under a token that only rises, as missions are: whoever comes
late matches no row.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from app.models.message import LIVE, Dispatch, DispatchState
from app.models.message_tables import DispatchRow
from app.models.tables import table_of
from app.store.among import among
from app.store.incidents import next_id
from app.store.indexing import note_spans
from app.store.lending import Lending
from app.store.listings import Listing
from app.store.missions import Fenced

__all__ = ["DISPATCHES", "Fenced"]
DISPATCH = table_of(DispatchRow)
WAITING = DispatchState.WAITING.value
GATHERING = DispatchState.GATHERING.value
DEAD = DispatchState.DEAD.value
ALIVE = [one.value for one in LIVE]
DISPATCHES = Listing(
    rows=DISPATCH,
    moment="created_at",
    indexed=frozenset({"incident_id", "state", "message_id"}),
    leading=frozenset({"incident_id", "message_id"}),
    few={"state": frozenset([*ALIVE, DEAD])},
)
COLUMNS = DISPATCH.c.keys()
# What waits longer to be tried again lets later messages pass.
PATIENCE = 60_000_000
# No lease is that long: one that ends later was taken by a clock that was
# set back since, and holds up nobody.
MOST_LEASE = 18_000_000
# How the reason of what goes, or went, with others begins.
IN_DIGEST = "in a digest"
# Made once: to make a statement costs several times what it takes to run.
ADD = insert(DISPATCH)
ONE = select(DISPATCH).where(DISPATCH.c.id == bindparam("number"))
OF_MESSAGE = (
    select(DISPATCH)
    .where(DISPATCH.c.message_id == bindparam("number"))
    .order_by(DISPATCH.c.id)
)
IS_FREE = or_(
    DISPATCH.c.lease_until <= bindparam("now"),
    DISPATCH.c.lease_until > bindparam("now") + MOST_LEASE,
)
UNTRIED = (
    select(DISPATCH)
    .where(
        DISPATCH.c.incident_id == bindparam("number"),
        DISPATCH.c.kind == bindparam("why"),
        DISPATCH.c.state == WAITING,
        DISPATCH.c.tries == 0,
        IS_FREE,
    )
    .order_by(DISPATCH.c.id)
)
OF_CHANNEL = DISPATCH.c.channel == bindparam("channel")
EARLIER = DISPATCH.alias("earlier")
# What was tried and is tried again soon is waited for, too.
SOON = case((EARLIER.c.tries > 0, bindparam("patience")), else_=0)
IN_ORDER = ~(
    select(EARLIER.c.id)
    .where(
        EARLIER.c.incident_id == DISPATCH.c.incident_id,
        EARLIER.c.channel == DISPATCH.c.channel,
        EARLIER.c.id < DISPATCH.c.id,
        EARLIER.c.state == WAITING,
        EARLIER.c.due_at <= bindparam("now") + SOON,
    )
    .exists()
)


def _due(state: str) -> Select[Any]:
    """Return the question for what is due of a channel, by their moments."""
    return (
        select(DISPATCH.c.id)
        .where(
            OF_CHANNEL,
            DISPATCH.c.state == state,
            DISPATCH.c.due_at <= bindparam("now"),
            IS_FREE,
        )
        .order_by(DISPATCH.c.due_at, DISPATCH.c.id)
        .limit(bindparam("most"))
    )


DUE = _due(WAITING).where(IN_ORDER)
GATHERED = _due(GATHERING).add_columns(DISPATCH.c.reason)
LENDING = Lending(DISPATCH, IS_FREE)
SAVE = (
    update(DISPATCH)
    .where(
        DISPATCH.c.id == bindparam("at"),
        DISPATCH.c.state == bindparam("was_state"),
        DISPATCH.c.fence == bindparam("was_fence"),
        DISPATCH.c.holder == bindparam("was_holder"),
    )
    .values({name: bindparam(name) for name in COLUMNS if name != "id"})
)
EARLIEST = select(func.min(DISPATCH.c.due_at)).where(
    OF_CHANNEL,
    DISPATCH.c.state == bindparam("state"),
    # What is due and not yet its turn waits for another one, not for a time.
    DISPATCH.c.due_at > bindparam("now"),
    IS_FREE,
)
STATES = (
    select(DISPATCH.c.state, func.count())
    .where(DISPATCH.c.state.in_([*ALIVE, DEAD]))
    .group_by(DISPATCH.c.state)
)
# Added to nothing, so that SQLite does not walk through all by their ids.
BY_ID = DISPATCH.c.id + literal_column("0")
# Through the index by which they are due: of those that wait only.
LEFT = (
    select(DISPATCH)
    .where(
        DISPATCH.c.due_at <= bindparam("before"),
        DISPATCH.c.state.in_(ALIVE),
        not_(among(DISPATCH.c.channel, "channels")),
        IS_FREE,
    )
    .order_by(BY_ID)
    .limit(bindparam("most"))
)
# What waited since its moment: due, and not yet over.
LATE = select(func.min(DISPATCH.c.due_at)).where(
    DISPATCH.c.due_at <= bindparam("now"), DISPATCH.c.state.in_(ALIVE)
)


def add_dispatches(
    connection: Connection, dispatches: Sequence[Dispatch]
) -> list[int]:
    """Write new dispatches down; return their numbers."""
    if not dispatches:
        return []
    first = next_id(connection, DISPATCH)
    rows = [
        {**msgspec.structs.asdict(one), "id": first + index}
        for index, one in enumerate(dispatches)
    ]
    connection.execute(ADD, rows)
    spans = [(int(row["id"]), int(row["created_at"])) for row in rows]
    note_spans(connection, DISPATCHES, spans)
    return [number for number, _ in spans]


def find_dispatch(connection: Connection, number: int) -> Dispatch | None:
    """Return a dispatch, or None."""
    row = connection.execute(ONE, {"number": number}).one_or_none()
    return None if row is None else to_dispatch(row)


def find_untried(
    connection: Connection, incident: int, kind: str, now: int
) -> list[Dispatch]:
    """Return what waits of an incident, and nobody has tried to send.

    Args:
        connection: where to ask.
        incident: of which incident.
        kind: why people are told.
        now: what is taken at this moment is left out.
    """
    bounds = {"number": incident, "why": kind, "now": now}
    return [to_dispatch(row) for row in connection.execute(UNTRIED, bounds)]


def find_of_message(connection: Connection, number: int) -> list[Dispatch]:
    """Return the dispatches of a message, in their order."""
    rows = connection.execute(OF_MESSAGE, {"number": number})
    return [to_dispatch(row) for row in rows]


def is_due(connection: Connection, channel: str, now: int) -> bool:
    """Tell whether there is anything to take of a channel."""
    return bool(
        _find_due(connection, channel, now, 1)
        or _find_gathered(connection, channel, now, 1)
    )


def claim_due(
    connection: Connection,
    channel: str,
    holder: str,
    moments: tuple[int, int],
    limit: int,
) -> list[Dispatch]:
    """Take what is due of a channel, the longest due first.

    Of one incident a later message waits while an earlier one is not over.

    Args:
        connection: the turn's transaction.
        channel: to which channel.
        holder: who takes them.
        moments: the time, and until when they are taken.
        limit: how many at most.
    """
    found = _find_due(connection, channel, moments[0], limit)
    return _claim(connection, found, holder, moments)


def claim_gathered(
    connection: Connection,
    channel: str,
    holder: str,
    moments: tuple[int, int],
    limit: int,
) -> list[Dispatch]:
    """Take what goes together in one letter, when it is time for it."""
    found = _find_gathered(connection, channel, moments[0], limit)
    return _claim(connection, found, holder, moments)


def _find_due(
    connection: Connection, channel: str, now: int, limit: int
) -> list[int]:
    """Return what is due of a channel and whose turn it is."""
    bounds = {
        "channel": channel,
        "now": now,
        "patience": PATIENCE,
        "most": limit,
    }
    return list(connection.execute(DUE, bounds).scalars())


def _find_gathered(
    connection: Connection, channel: str, now: int, limit: int
) -> list[int]:
    """Return what is gathered for a channel, when it is due.

    What failed as one digest goes as the same one again: what came since
    has a digest of its own.
    """
    bounds = {"channel": channel, "now": now, "most": limit}
    rows = [
        (n, set_of(why)) for n, why in connection.execute(GATHERED, bounds)
    ]
    return [number for number, name in rows if name == rows[0][1]]


def set_of(reason: str) -> str:
    """Return what names the digest that failed with a dispatch, or nothing."""
    return reason.partition(":")[0] if reason.startswith(IN_DIGEST) else ""


def _claim(
    connection: Connection,
    ids: Collection[int],
    holder: str,
    moments: tuple[int, int],
) -> list[Dispatch]:
    """Take some dispatches; return those that nobody else has."""
    rows = LENDING.claim(connection, holder, ids, moments)
    taken = [to_dispatch(row) for row in rows]
    return sorted(taken, key=lambda one: (one.due_at or 0, one.id))


def save_dispatch(
    connection: Connection, before: Dispatch, after: Dispatch
) -> None:
    """Write down what became of a dispatch.

    Raises:
        Fenced: it is not as it was: another worker has it, or moved it.
    """
    row = msgspec.structs.asdict(after)
    del row["id"]
    row["at"] = before.id
    row["was_state"] = before.state
    row["was_fence"] = before.fence
    row["was_holder"] = before.holder
    if not connection.execute(SAVE, row).rowcount:
        raise Fenced(f"dispatch {before.id} is not as it was")


def next_due(
    connection: Connection, channels: Iterable[str], now: int
) -> int | None:
    """Return the next moment at which one falls due, or None."""
    moments: list[int | None] = [
        connection.execute(
            EARLIEST, {"channel": channel, "state": state, "now": now}
        ).scalar()
        for channel in channels
        for state in ALIVE
    ]
    return min((one for one in moments if one is not None), default=None)


def find_left(
    connection: Connection,
    channels: Collection[str],
    now: int,
    before: int,
    limit: int,
) -> list[Dispatch]:
    """Return what waits for channels that are not there any more.

    Args:
        connection: where to ask.
        channels: those that there are.
        now: the time.
        before: only what was due by then.
        limit: how many at most.
    """
    bounds = {
        "channels": channels,
        "now": now,
        "before": before,
        "most": limit,
    }
    return [to_dispatch(row) for row in connection.execute(LEFT, bounds)]


def count_states(connection: Connection) -> dict[str, int]:
    """Return how many dispatches wait, are gathered, and were given up."""
    return {state: int(n) for state, n in connection.execute(STATES)}


def find_oldest_due(connection: Connection, now: int) -> int | None:
    """Return since when the longest due dispatch could be sent, or None."""
    found: int | None = connection.execute(LATE, {"now": now}).scalar()
    return found


def to_dispatch(row: Any) -> Dispatch:
    """Return a row as a dispatch."""
    return Dispatch(**dict(zip(COLUMNS, row, strict=True)))
