"""Vitals: what the database knows of how the service is doing.

All of it is asked every few seconds, or by every page: each question is
answered along an index, from where it was answered last.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, func, select, text

from app.models.approval import OPEN
from app.models.canary import ANSWER, CANARY, PROBLEM
from app.models.job import JobState
from app.models.mission_tables import JobRow
from app.models.tables import AlertRow, table_of
from app.store.approvals import APPROVAL
from app.store.listings import ENTRY, INCIDENT, LOG
from app.store.teams import Teams, may_see

DAY = 86_400_000_000
ALERT = table_of(AlertRow)
JOB = table_of(JobRow)
# Made once: to make a statement costs several times what it takes to run.
ASKED = select(func.count()).where(APPROVAL.c.state == OPEN.value)
RUNNING = select(func.count()).where(
    JOB.c.state == JobState.STARTED.value, JOB.c.action != ANSWER
)
LAST_ALERT = select(func.max(ALERT.c.id))
LAST_INCIDENT = select(func.max(INCIDENT.c.id))
NEW_ALERTS = select(func.count()).where(
    ALERT.c.id > bindparam("last"), ALERT.c.source != CANARY
)
NEW_INCIDENTS = select(func.count()).where(
    INCIDENT.c.id > bindparam("last"), INCIDENT.c.source != CANARY
)
FIRST_ENTRY = (
    select(ENTRY.c.id)
    .where(ENTRY.c.at >= bindparam("since"))
    .order_by(ENTRY.c.at)
    .limit(1)
)
# What a day's column of the console counts, by the kinds of the log.
OPENED, CLOSED = "incident.opened", "mission.closed"
ESCALATED, CORRECTED = "incident.escalated", "incident.corrected"
FIXED = '"end":"fixed"'


class Mark(msgspec.Struct, frozen=True):
    """How far somebody has counted: the last alert and incident."""

    alert: int = 0
    incident: int = 0


class Counts(msgspec.Struct, frozen=True):
    """What there is at one moment.

    Attributes:
        approvals: questions that wait for people.
        jobs: jobs that run.
        alerts: how many came since a mark, without canaries.
        incidents: how many were opened since it.
        mark: how far this has counted.
    """

    approvals: int
    jobs: int
    alerts: int
    incidents: int
    mark: Mark


class Day(msgspec.Struct, frozen=True):
    """What came of one day.

    Attributes:
        at: when it began.
        incidents: how many were opened.
        fixed: in how many an action helped, as was measured.
        escalated: how many people were given.
        wrong: of how many people said that another thing was right.
    """

    at: int
    incidents: int = 0
    fixed: int = 0
    escalated: int = 0
    wrong: int = 0


def count_now(connection: Connection, mark: Mark | None) -> Counts:
    """Return what there is, and what came since a mark; None: nothing."""
    last_alert = connection.execute(LAST_ALERT).scalar() or 0
    last_incident = connection.execute(LAST_INCIDENT).scalar() or 0
    since = mark or Mark(last_alert, last_incident)
    return Counts(
        approvals=connection.execute(ASKED).scalar_one(),
        jobs=connection.execute(RUNNING).scalar_one(),
        alerts=connection.execute(
            NEW_ALERTS, {"last": since.alert}
        ).scalar_one(),
        incidents=connection.execute(
            NEW_INCIDENTS, {"last": since.incident}
        ).scalar_one(),
        mark=Mark(last_alert, last_incident),
    )


def measure_size(connection: Connection) -> int:
    """Return how many bytes the database takes, on its server or here."""
    if connection.dialect.name != "sqlite":
        query = text("SELECT pg_database_size(current_database())")
        return int(connection.execute(query).scalar_one())
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    return int(pages) * int(size)


def count_days(
    connection: Connection, since: int, many: int, teams: Teams = ()
) -> Sequence[Day]:
    """Return what came of some days, the first one first.

    Args:
        connection: where to ask.
        since: when the first of them began.
        many: how many.
        teams: only about their incidents; none: about all.
    """
    first = connection.execute(FIRST_ENTRY, {"since": since}).scalar()
    found: dict[tuple[int, str], int] = {}
    if first is not None:
        for kind in (OPENED, CLOSED, ESCALATED, CORRECTED):
            for day, count in _count(connection, kind, (first, since), teams):
                found[day, kind] = count
    return [
        Day(
            at=since + day * DAY,
            incidents=found.get((day, OPENED), 0),
            fixed=found.get((day, CLOSED), 0),
            escalated=found.get((day, ESCALATED), 0),
            wrong=found.get((day, CORRECTED), 0),
        )
        for day in range(many)
    ]


def _count(
    connection: Connection, kind: str, span: tuple[int, int], teams: Teams
) -> Sequence[tuple[int, int]]:
    """Return in how many incidents something happened, day by day."""
    first, since = span
    day = ((ENTRY.c.at - since) // DAY).label("day")
    query = (
        select(day, func.count(ENTRY.c.incident_id.distinct()))
        .where(
            ENTRY.c.kind == kind,
            ENTRY.c.id >= first,
            ENTRY.c.at >= since,
            ENTRY.c.problem != PROBLEM,
        )
        .group_by(day)
    )
    if kind == CLOSED:
        query = query.where(ENTRY.c.body.contains(FIXED))
    if teams:
        query = query.where(may_see(LOG, teams))
    return [(int(at), int(many)) for at, many in connection.execute(query)]
