"""Whether an incident that people have was looked at for them."""

from sqlalchemy import Connection, bindparam, select

from app.store.jobs import JOB

# Made once: to make a statement costs several times what it takes to run.
LOOKED = (
    select(JOB.c.id)
    .where(
        JOB.c.incident_id == bindparam("number"),
        JOB.c.action == bindparam("called"),
        JOB.c.planned_at >= bindparam("since"),
    )
    .limit(1)
)


def was_run(
    connection: Connection, incident: int, action: str, since: int
) -> bool:
    """Tell whether an action was run for an incident since a moment."""
    bounds = {"number": incident, "called": action, "since": since}
    return connection.execute(LOOKED, bounds).first() is not None
