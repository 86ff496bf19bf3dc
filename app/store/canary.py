"""The canaries that are written down: how far one has come, and old ones."""

from sqlalchemy import Connection, delete, func, literal_column, select

from app.models.canary import CANARY, PROBLEM, Trace, name_of
from app.models.incident import LIVING
from app.models.mission import OVER, Stage
from app.models.tables import EntryRow, table_of
from app.models.target import Target
from app.store.decisions import DECISION
from app.store.incidents import ALERT, EPISODE, INCIDENT
from app.store.marks import get_mark
from app.store.missions import MISSION
from app.store.retention import DELIVERY, FOLDED, delete_incidents

ENTRY = table_of(EntryRow)
# Added to nothing, so that its index does not lead: it has every incident.
KIND = ENTRY.c.kind + literal_column("''")
# Up to which entry people were told.
TOLD = "told"


def find_trace(connection: Connection, moment: int) -> Trace:
    """Return how far the canary has come that began at a moment."""
    found = select(EPISODE.c.incident_id).where(
        EPISODE.c.problem == PROBLEM,
        EPISODE.c.begins_at == moment,
        EPISODE.c.source == CANARY,
    )
    incident = connection.execute(found).scalar()
    if incident is None:
        return Trace()
    made = (
        select(DECISION.c.id)
        .where(
            DECISION.c.incident_id == incident,
            DECISION.c.at >= moment,
            DECISION.c.beside == 0,
        )
        .order_by(DECISION.c.id)
        .limit(1)
    )
    decision = connection.execute(made).scalar()
    if decision is None:
        return Trace(is_folded=True)
    closed = select(MISSION.c.id).where(
        MISSION.c.incident_id == incident,
        MISSION.c.decision_id == decision,
        MISSION.c.stage == Stage.CLOSED.value,
    )
    is_closed = connection.execute(closed).first() is not None
    return Trace(
        is_folded=True,
        is_decided=True,
        is_closed=is_closed,
        is_told=is_closed and _is_told(connection, incident),
    )


def _is_told(connection: Connection, incident: int) -> bool:
    """Tell whether the log was read by who tells people, up to its end."""
    last = select(func.max(ENTRY.c.id)).where(
        ENTRY.c.incident_id == incident, KIND == "mission.closed"
    )
    found = connection.execute(last).scalar()
    return found is not None and get_mark(connection, TOLD) >= found


def take_off(connection: Connection, hour: str) -> int:
    """Delete the canaries of an hour that is over; return how many rows.

    What the log says of them stays. So does what lives or is not folded,
    and the newest row of each table, which says which number is next.
    """
    target = Target(CANARY, hour).key
    goes_on = select(MISSION.c.id).where(
        MISSION.c.incident_id == INCIDENT.c.id,
        MISSION.c.stage.not_in([stage.value for stage in OVER]),
    )
    over = select(INCIDENT.c.id).where(
        INCIDENT.c.target == target,
        INCIDENT.c.source == CANARY,
        INCIDENT.c.state.not_in(LIVING),
        INCIDENT.c.id < select(func.max(INCIDENT.c.id)).scalar_subquery(),
        ~goes_on.correlate(INCIDENT).exists(),
    )
    incidents = list(connection.execute(over).scalars())
    if incidents:
        delete_incidents(connection, incidents)
    theirs = (
        ALERT.c.fingerprint == name_of(hour),
        ALERT.c.source == CANARY,
        ALERT.c.id <= get_mark(connection, FOLDED),
        ALERT.c.id < select(func.max(ALERT.c.id)).scalar_subquery(),
    )
    query = select(ALERT.c.delivery_id).where(*theirs)
    deliveries = list(connection.execute(query).scalars())
    alerts = connection.execute(delete(ALERT).where(*theirs)).rowcount
    newest = select(func.max(DELIVERY.c.id)).scalar_subquery()
    gone = delete(DELIVERY).where(
        DELIVERY.c.id.in_(deliveries),
        DELIVERY.c.source == CANARY,
        DELIVERY.c.id < newest,
    )
    sent = connection.execute(gone).rowcount
    return len(incidents) + alerts + sent
