"""What was tried in vain: which calls did not help, so none is tried again.

A call counts where it was decided on, and where its job worked: one host
has several names, and an alert calls it by any of them.
"""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, bindparam, func, select, text, union_all

from app.models.case import Happening
from app.models.decision_tables import DID_NOT_HELP
from app.models.mission_tables import JobRow
from app.models.tables import table_of
from app.models.verdict import Verdict
from app.store.among import among
from app.store.decisions import DECISION, IS_LIVE

JOB = table_of(JobRow)
# So many different calls that did not help are excluded on one target.
MOST_FAILED = 200
CALL = (DECISION.c.at, DECISION.c.action, DECISION.c.arguments)
IS_LATE = DECISION.c.at >= bindparam("since")
DECIDED_HERE = select(*CALL).where(
    DECISION.c.target == bindparam("target"),
    text(DID_NOT_HELP),
    IS_LATE,
    IS_LIVE,
)
WORKED_HERE = (
    select(*CALL)
    .join(JOB, JOB.c.decision_id == DECISION.c.id)
    .where(
        among(JOB.c.target, "places"),
        JOB.c.planned_at >= bindparam("since"),
        JOB.c.verdict == Verdict.NOT_FIXED.value,
        IS_LATE,
    )
)
TRIED = union_all(DECIDED_HERE, WORKED_HERE).subquery()
# Each call once, however often it was tried.
FAILED = (
    select(func.max(TRIED.c.at).label("at"), TRIED.c.action, TRIED.c.arguments)
    .group_by(TRIED.c.action, TRIED.c.arguments)
    .order_by(func.max(TRIED.c.at).desc(), TRIED.c.action)
    .limit(bindparam("most"))
)


def find_failed(
    connection: Connection,
    target: str,
    places: Collection[str],
    since: int,
    limit: int = MOST_FAILED,
) -> tuple[Happening, ...]:
    """Return the calls that did not help on a target, the newest first.

    Args:
        connection: where to ask.
        target: the key of the target.
        places: what jobs work on there; see app/models/job.py.
        since: what was decided before does not count.
        limit: how many at most.
    """
    bounds = {
        "target": target,
        "places": places,
        "since": since,
        "most": limit,
    }
    return tuple(
        Happening(
            at=row.at,
            action=row.action,
            arguments=msgspec.json.decode(row.arguments),
            verdict=Verdict.NOT_FIXED.value,
        )
        for row in connection.execute(FAILED, bounds)
    )
