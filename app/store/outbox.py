"""The outbox: what was told before, which says what goes, and when."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    func,
    not_,
    or_,
    select,
)

from app.models.message import Dispatch, DispatchState
from app.store.among import among
from app.store.dispatches import (
    ALIVE,
    DEAD,
    DISPATCH,
    DISPATCHES,
    GATHERING,
    IN_DIGEST,
    IS_FREE,
    OF_CHANNEL,
    save_dispatch,
    to_dispatch,
)
from app.store.indexing import note_spans

SENT = DispatchState.SENT.value
REPEATED = DispatchState.REPEATED.value
# The reason of what is put off to a moment of the day: no clock moves it.
QUIET = "quiet hours"
MOST_MOMENTS = 5_000
MOST_STRANGERS = 20
# Made once: to make a statement costs several times what it takes to run.
TOLD = (
    select(
        DISPATCH.c.kind,
        DISPATCH.c.channel,
        DISPATCH.c.level,
        func.max(DISPATCH.c.created_at),
    )
    .where(
        DISPATCH.c.incident_id == bindparam("number"),
        DISPATCH.c.state.in_([*ALIVE, SENT]),
        DISPATCH.c.created_at >= bindparam("since"),
    )
    .group_by(DISPATCH.c.kind, DISPATCH.c.channel, DISPATCH.c.level)
)
# One moment for each that goes alone, one for each digest.
APART = case(
    (DISPATCH.c.state == GATHERING, 0),
    (DISPATCH.c.reason.startswith(IN_DIGEST), 0),
    else_=DISPATCH.c.id,
)
COMING = (
    select(DISPATCH.c.due_at)
    .where(OF_CHANNEL, DISPATCH.c.due_at.is_not(None))
    .where(DISPATCH.c.state.in_(ALIVE))
    .group_by(DISPATCH.c.state, DISPATCH.c.due_at, APART)
    .limit(MOST_MOMENTS)
)
GONE = (
    select(DISPATCH.c.ended_at)
    .where(
        OF_CHANNEL,
        DISPATCH.c.state == SENT,
        DISPATCH.c.ended_at >= bindparam("since"),
    )
    .group_by(DISPATCH.c.ended_at, APART)
    .limit(MOST_MOMENTS)
)
SAME = (
    select(DISPATCH)
    .where(
        DISPATCH.c.incident_id == bindparam("number"),
        DISPATCH.c.kind == bindparam("why"),
        DISPATCH.c.channel == bindparam("channel"),
        DISPATCH.c.level == bindparam("step"),
        DISPATCH.c.state == REPEATED,
        DISPATCH.c.id > bindparam("after"),
    )
    .order_by(DISPATCH.c.id.desc())
    .limit(1)
)
AHEAD = (
    select(DISPATCH)
    .where(
        DISPATCH.c.due_at > bindparam("now"),
        DISPATCH.c.state.in_(ALIVE),
        DISPATCH.c.reason != QUIET,
        or_(
            DISPATCH.c.created_at > bindparam("latest"),
            and_(
                DISPATCH.c.tries > 0, DISPATCH.c.due_at > bindparam("longest")
            ),
        ),
        IS_FREE,
    )
    .limit(bindparam("most"))
)
STRANGERS = (
    select(DISPATCH.c.channel)
    .where(
        DISPATCH.c.due_at <= bindparam("now"),
        DISPATCH.c.state.in_(ALIVE),
        not_(among(DISPATCH.c.channel, "channels")),
    )
    .distinct()
    .limit(MOST_STRANGERS)
)
BY_CHANNEL = (
    select(DISPATCH.c.channel, DISPATCH.c.state, func.count())
    .where(DISPATCH.c.state.in_([*ALIVE, DEAD]))
    .where(among(DISPATCH.c.channel, "channels"))
    .group_by(DISPATCH.c.channel, DISPATCH.c.state)
)


def find_told(
    connection: Connection, incident: int, since: int
) -> dict[tuple[str, str, int], int]:
    """Return what was told of an incident: kind, channel, level, and when.

    Args:
        connection: where to ask.
        incident: which one; of none nothing is known.
        since: not before this moment.
    """
    if not incident:
        return {}
    rows: Iterable[Any] = connection.execute(
        TOLD, {"number": incident, "since": since}
    )
    return {(kind, channel, int(n)): int(at) for kind, channel, n, at in rows}


def find_letters(
    connection: Connection, channels: Iterable[str], since: int
) -> dict[str, list[int]]:
    """Return when letters are due, and went, of each of some channels.

    Args:
        connection: where to ask.
        channels: of which.
        since: those that went before this moment are left out.
    """
    found = {}
    for channel in channels:
        coming = connection.execute(COMING, {"channel": channel}).scalars()
        gone = find_gone(connection, channel, since)
        found[channel] = [*gone, *(int(at) for at in coming)]
    return found


def find_gone(connection: Connection, channel: str, since: int) -> list[int]:
    """Return when letters went to a channel since a moment."""
    bounds = {"channel": channel, "since": since}
    return [int(at) for at in connection.execute(GONE, bounds).scalars()]


def count_by_channel(
    connection: Connection, channels: Collection[str]
) -> dict[tuple[str, str], int]:
    """Return how much waits, is gathered or was given up, by channel.

    Args:
        connection: where to ask.
        channels: of which.

    Returns:
        How many, by channel and state.
    """
    rows = connection.execute(BY_CHANNEL, {"channels": channels})
    return {(channel, state): int(n) for channel, state, n in rows}


def find_repetition(connection: Connection, dead: Dispatch) -> Dispatch | None:
    """Return the last one that was left out in favour of a dispatch."""
    if not dead.incident_id:
        return None
    bounds = {
        "number": dead.incident_id,
        "why": dead.kind,
        "channel": dead.channel,
        "step": dead.level,
        "after": dead.id,
    }
    row = connection.execute(SAME, bounds).one_or_none()
    return None if row is None else to_dispatch(row)


def find_strangers(
    connection: Connection, channels: Collection[str], now: int
) -> tuple[str, ...]:
    """Return the channels that are not there, and something is due for.

    Args:
        connection: where to ask.
        channels: those that there are.
        now: the time.
    """
    bounds = {"channels": channels, "now": now}
    return tuple(sorted(connection.execute(STRANGERS, bounds).scalars()))


def find_ahead(
    connection: Connection, moments: tuple[int, int, int], limit: int
) -> list[Dispatch]:
    """Return what waits for longer than it can: the clock was set back.

    Args:
        connection: where to ask.
        moments: the time, the latest moment at which anything can have been
            written, and the latest for which a new try can be due.
        limit: how many at most.
    """
    now, latest, longest = moments
    bounds = {
        "now": now,
        "latest": latest,
        "longest": longest,
        "most": limit,
    }
    return [to_dispatch(row) for row in connection.execute(AHEAD, bounds)]


def redate(connection: Connection, before: Dispatch, after: Dispatch) -> None:
    """Write down that a dispatch was written, and is due, at other moments.

    Raises:
        Fenced: it is not as it was.
    """
    save_dispatch(connection, before, after)
    note_spans(connection, DISPATCHES, [(after.id, after.created_at)])
