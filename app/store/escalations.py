"""Incidents that were handed to people, as the action log tells it."""

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from app.models.tables import EntryRow, table_of
from app.store.jobs import JOB

ENTRY = table_of(EntryRow)
ESCALATED = "incident.escalated"
# Made once: to make a statement costs several times what it takes to run.
BEYOND = (
    select(ENTRY.c.id, ENTRY.c.kind, ENTRY.c.incident_id)
    .where(ENTRY.c.id > bindparam("after"))
    .order_by(ENTRY.c.id)
    .limit(bindparam("most"))
)
END = select(func.coalesce(func.max(ENTRY.c.id), 0))
LOOKED = (
    select(JOB.c.id)
    .where(
        JOB.c.incident_id == bindparam("number"),
        JOB.c.action == bindparam("called"),
        JOB.c.planned_at >= bindparam("since"),
    )
    .limit(1)
)


class Escalations(msgspec.Struct, frozen=True):
    """What was handed to people since.

    Attributes:
        incidents: which incidents, in their order, each once.
        last: how far the log was read.
    """

    incidents: tuple[int, ...]
    last: int


def find_escalations(
    connection: Connection, after: int, limit: int
) -> Escalations:
    """Return which incidents were handed over beyond an entry of the log."""
    rows = connection.execute(BEYOND, {"after": after, "most": limit}).all()
    found = (row.incident_id for row in rows if row.kind == ESCALATED)
    last = rows[-1].id if rows else after
    return Escalations(tuple(dict.fromkeys(found)), last)


def find_end(connection: Connection) -> int:
    """Return the last entry of the log."""
    return int(connection.execute(END).scalar() or 0)


def was_run(
    connection: Connection, incident: int, action: str, since: int
) -> bool:
    """Tell whether an action was run for an incident since a moment."""
    bounds = {"number": incident, "called": action, "since": since}
    return connection.execute(LOOKED, bounds).first() is not None
