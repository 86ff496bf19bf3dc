"""What ran and what was asked before a moment, as far as it counts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from app.models.canary import ANSWER
from app.store.approvals import APPROVAL
from app.store.jobs import JOB

# So many are read at most, the newest.
MOST = 20_000
RAN = (
    select(
        JOB.c.id,
        JOB.c.decision_id,
        JOB.c.action,
        JOB.c.target,
        JOB.c.team,
        JOB.c.environment,
        JOB.c.risk,
        JOB.c.state,
        JOB.c.verdict,
        JOB.c.planned_at,
        JOB.c.started_at,
        JOB.c.ended_at,
        JOB.c.until,
    )
    .where(JOB.c.planned_at.between(bindparam("since"), bindparam("until")))
    # The canary takes nothing of anybody's budget.
    .where(JOB.c.action != ANSWER)
    .order_by(JOB.c.planned_at.desc())
    .limit(bindparam("most"))
)
ASKED = (
    select(
        APPROVAL.c.id,
        APPROVAL.c.decision_id,
        APPROVAL.c.action,
        APPROVAL.c.asked_at,
        APPROVAL.c.ended_at,
    )
    .where(APPROVAL.c.asked_at.between(bindparam("since"), bindparam("until")))
    .order_by(APPROVAL.c.asked_at.desc())
    .limit(bindparam("most"))
)


def find_ran(connection: Connection, since: int, until: int) -> Sequence[Any]:
    """Return the jobs that were planned in a time, the newest first."""
    bounds = {"since": since, "until": until, "most": MOST}
    return connection.execute(RAN, bounds).all()


def find_asked(
    connection: Connection, since: int, until: int
) -> Sequence[Any]:
    """Return the questions that were asked in a time, the newest first."""
    bounds = {"since": since, "until": until, "most": MOST}
    return connection.execute(ASKED, bounds).all()
