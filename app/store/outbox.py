"""The outbox: what was told before, which says what goes, and when."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select

from app.models.message import DispatchState
from app.store.among import among
from app.store.dispatches import (
    ALIVE,
    DEAD,
    DISPATCH,
    GATHERING,
    OF_CHANNEL,
)

SENT = DispatchState.SENT.value
# How the reason of what went with others begins.
IN_DIGEST = "in a digest"
MOST_MOMENTS = 5_000
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
