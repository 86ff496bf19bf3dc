"""Stranded: missions that would wait until a clock is there again.

When a mission is due, and until when it is lent, are moments on the wall. A
clock that is set back, or that of a node which was ahead and is gone, leaves
them far away: nobody would see how a job ends. What was moved, or lent, later
than now was written by such a clock, and is looked after at once.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    not_,
    or_,
    select,
    update,
)

from app.models.mission import MOST_LEASE_SECONDS, SECOND, Stage
from app.store.among import among
from app.store.missions import MISSION

# Clocks that are kept right are never further apart.
SKEW = 60 * SECOND
# Here code goes on; people, and deadlines, have the time that they have.
BUSY = (Stage.RULING, Stage.STARTING, Stage.ACTING, Stage.VERIFYING)
MOST_LENT = SKEW + MOST_LEASE_SECONDS * SECOND
IS_AHEAD = MISSION.c.changed_at > bindparam("now") + SKEW
IS_RESTING = MISSION.c.due_at > bindparam("now")
IS_LENT = MISSION.c.lease_until > bindparam("now") + MOST_LENT
IS_STRANDED = and_(
    MISSION.c.stage.in_([one.value for one in BUSY]),
    or_(and_(IS_AHEAD, IS_RESTING), IS_LENT),
)
STRANDED = (
    select(MISSION.c.id)
    .where(IS_STRANDED, not_(among(MISSION.c.id, "left")))
    .order_by(MISSION.c.id)
    .limit(bindparam("most"))
)
# Whoever took one meanwhile, by a clock that is right, keeps it. What was
# moved since has another moment: that of a question is until when it holds.
FREE = (
    update(MISSION)
    .where(among(MISSION.c.id, "ids"), IS_STRANDED)
    .values(
        due_at=case((IS_RESTING, bindparam("now")), else_=MISSION.c.due_at),
        lease_until=case(
            (IS_LENT, bindparam("now")), else_=MISSION.c.lease_until
        ),
    )
)


def find_stranded(
    connection: Connection, now: int, left: Collection[int], limit: int
) -> tuple[int, ...]:
    """Return missions that wait for a clock, some at most.

    Args:
        connection: where to ask.
        now: the time.
        left: which are seen to, by a clock that nobody sets.
        limit: how many at most.
    """
    bounds: dict[str, Any] = {"now": now, "left": left, "most": limit}
    return tuple(connection.execute(STRANDED, bounds).scalars())


def free_stranded(
    connection: Connection, ids: Collection[int], now: int
) -> None:
    """Let missions be due now, and anybody take them."""
    connection.execute(FREE, {"ids": ids, "now": now})
