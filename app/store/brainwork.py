"""What each brain did lately, as its decisions say; on any node."""

import msgspec
from sqlalchemy import Connection, case, func, select

from app.models.choice import Why
from app.store.decisions import DECISION, DECISIONS
from app.store.teams import Teams, may_see

# So many of the newest times say how long a brain takes.
MOST_TIMES = 500


class Brainwork(msgspec.Struct, frozen=True, kw_only=True):
    """What one brain did since a moment.

    Attributes:
        decisions: how many it made, beside others as well.
        unavailable: how often it had no answer.
        unsure: how often it was not sure enough.
        shared: how often an identical case had its answer already.
        tokens: how many it took.
        last_at: when it decided last.
        failed_at: when it had no answer last, None: never.
        times: the newest, in milliseconds.
    """

    decisions: int
    unavailable: int
    unsure: int
    shared: int
    tokens: int
    last_at: int
    failed_at: int | None
    times: tuple[float, ...] = ()


def find_brainwork(
    connection: Connection, since: int, teams: Teams = ()
) -> dict[str, Brainwork]:
    """Return what each brain did.

    Args:
        connection: where to ask.
        since: decisions of before do not count.
        teams: only about their incidents; none: about all.
    """
    wanted = [DECISION.c.at >= since]
    if teams:
        wanted.append(may_see(DECISIONS, teams))
    is_out = DECISION.c.why == str(Why.UNAVAILABLE)
    query = (
        select(
            DECISION.c.brain,
            func.count(),
            func.count(case((is_out, 1))),
            func.count(case((DECISION.c.why == str(Why.UNSURE), 1))),
            func.count(case((DECISION.c.calls == 0, 1))),
            func.coalesce(func.sum(DECISION.c.tokens), 0),
            func.max(DECISION.c.at),
            func.max(case((is_out, DECISION.c.at))),
        )
        .where(*wanted)
        .group_by(DECISION.c.brain)
    )
    found = {}
    for name, *counts, last_at, failed_at in connection.execute(query).all():
        decisions, unavailable, unsure, shared, tokens = map(int, counts)
        found[str(name)] = Brainwork(
            decisions=decisions,
            unavailable=unavailable,
            unsure=unsure,
            shared=shared,
            tokens=tokens,
            last_at=last_at,
            failed_at=failed_at,
            times=_find_times(connection, str(name), since),
        )
    return found


def _find_times(
    connection: Connection, brain: str, since: int
) -> tuple[float, ...]:
    """Return how long the newest answers of a brain took."""
    query = (
        select(DECISION.c.milliseconds)
        .where(DECISION.c.at >= since, DECISION.c.brain == brain)
        .where(DECISION.c.calls > 0, DECISION.c.why != str(Why.UNAVAILABLE))
        .order_by(DECISION.c.id.desc())
        .limit(MOST_TIMES)
    )
    return tuple(map(float, connection.execute(query).scalars()))
