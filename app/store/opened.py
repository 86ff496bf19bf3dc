"""Since when an incident is open, whatever it is told meanwhile.

Each further alert changes an incident; the log says when it became open.
"""

from sqlalchemy import (
    BindParameter,
    Connection,
    bindparam,
    or_,
    select,
    text,
)

from app.models.tables import IS_TURN
from app.store.incidents import INCIDENT
from app.store.log import ENTRY

OPENED = ("incident.opened", "incident.reopened", "incident.released")
# Joined to nothing, so that SQLite finds the few by their incident.
KIND = ENTRY.c.kind.concat("")
# However long the log of an incident is, only these lines are looked at.
TURNS = text(IS_TURN)
BEFORE: BindParameter[int] = bindparam("before")
# What did not change since then is asked for nothing more.
IS_LONG_OPEN = or_(
    INCIDENT.c.changed_at < BEFORE,
    (INCIDENT.c.opened_at < BEFORE)
    & ~select(ENTRY.c.id)
    .where(
        ENTRY.c.incident_id == INCIDENT.c.id,
        TURNS,
        ENTRY.c.at >= BEFORE,
        KIND.in_(OPENED),
    )
    .exists(),
)


def find_next_opening(connection: Connection, number: int) -> dict[int, int]:
    """Return by when a number was opened: when the next one was.

    Nothing when no incident came after it.
    """
    query = (
        select(INCIDENT.c.opened_at)
        .where(INCIDENT.c.id > number)
        .order_by(INCIDENT.c.id)
        .limit(1)
    )
    found: int | None = connection.execute(query).scalar()
    return {} if found is None else {number: found}
