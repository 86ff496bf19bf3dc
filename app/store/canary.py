"""The canaries that are written down: how far one has come, and old ones."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select

from app.models.canary import (
    ACTED,
    CANARY,
    CHANNEL,
    CLOSED,
    DECIDED,
    FOLDED,
    PROBLEM,
    RULED,
    STAGES,
    TOLD,
    VERIFIED,
    Trace,
    name_of,
)
from app.models.incident import LIVING
from app.models.job import JobState
from app.models.message import DispatchState
from app.models.mission import OVER, Stage
from app.models.ruling import Outcome
from app.models.target import Target
from app.models.verdict import Verdict
from app.store.decisions import DECISION
from app.store.dispatches import DISPATCH
from app.store.incidents import ALERT, EPISODE, INCIDENT
from app.store.jobs import JOB
from app.store.marks import get_mark
from app.store.missions import MISSION
from app.store.plan import END, start_of_identity
from app.store.retention import DELIVERY, delete_incidents
from app.store.retention import FOLDED as READ
from app.store.rulings import RULING

FAILED = (
    JobState.FAILED,
    JobState.ABORTED,
    JobState.TIMED_OUT,
    JobState.UNKNOWN,
)
# What an earlier one waits for while it goes on.
HELD: Mapping[str, str] = {
    Stage.RULING: RULED,
    Stage.STARTING: ACTED,
    Stage.ACTING: ACTED,
    Stage.VERIFYING: VERIFIED,
}
# Made once: to make a statement costs several times what it takes to run.
BEGUN = select(EPISODE.c.incident_id).where(
    EPISODE.c.problem == PROBLEM,
    EPISODE.c.begins_at == bindparam("moment"),
    EPISODE.c.source == CANARY,
)
# Where missions do not follow decisions: acting is switched off.
DECIDED_ON = (
    select(DECISION.c.id)
    .where(
        DECISION.c.incident_id == bindparam("number"),
        DECISION.c.at >= bindparam("moment"),
        DECISION.c.beside == 0,
    )
    .limit(1)
)
# Of an hour's incident the missions follow one another, one for each canary.
MISSION_OF = (
    select(MISSION)
    .where(
        MISSION.c.incident_id == bindparam("number"),
        MISSION.c.opened_at >= bindparam("moment"),
    )
    .order_by(MISSION.c.id)
    .limit(1)
)
GOES_ON = select(MISSION.c.stage).where(
    MISSION.c.incident_id == bindparam("number"),
    MISSION.c.stage.in_(list(HELD)),
)
RULING_OF = (
    select(RULING.c.rule + ": " + RULING.c.reason)
    .where(
        RULING.c.incident_id == bindparam("number"),
        RULING.c.mission_id == bindparam("mission"),
        RULING.c.outcome != Outcome.ALLOW.value,
    )
    .order_by(RULING.c.id.desc())
    .limit(1)
)
JOB_OF = select(JOB).where(JOB.c.id == bindparam("job"))
LETTER_OF = (
    select(DISPATCH)
    .where(
        DISPATCH.c.incident_id == bindparam("number"),
        DISPATCH.c.channel == CHANNEL,
        DISPATCH.c.created_at >= bindparam("moment"),
    )
    .order_by(DISPATCH.c.id)
    .limit(1)
)
STATE_OF = select(INCIDENT.c.state).where(INCIDENT.c.id == bindparam("number"))


def find_trace(connection: Connection, moment: int) -> Trace:
    """Return how far the canary has come that began at a moment."""
    found = connection.execute(BEGUN, {"moment": moment}).scalar()
    if found is None:
        return Trace()
    bounds = {"number": found, "moment": moment}
    mission = connection.execute(MISSION_OF, bounds).one_or_none()
    if mission is None:
        return _without_mission(connection, bounds)
    bounds |= {"mission": mission.id, "job": mission.job_id}
    ruling = connection.execute(RULING_OF, bounds).scalar() or ""
    job = connection.execute(JOB_OF, bounds).one_or_none()
    letter = connection.execute(LETTER_OF, bounds).one_or_none()
    come = {
        FOLDED: True,
        DECIDED: bool(mission.decision_id),
        RULED: job is not None,
        ACTED: bool(job and job.state == JobState.SUCCEEDED),
        VERIFIED: bool(job and job.verdict == Verdict.FIXED),
        TOLD: letter is not None and letter.state == DispatchState.SENT,
        CLOSED: _is_closed(connection, found, mission.stage),
    }
    stages = tuple(takewhile(come.__getitem__, STAGES[1:]))
    return Trace(stages, ruling, _find_failure(job, letter))


def _without_mission(connection: Connection, bounds: dict[str, int]) -> Trace:
    """Return how far one has come that no mission is opened for."""
    if connection.execute(DECIDED_ON, bounds).first() is not None:
        return Trace((FOLDED, DECIDED))
    earlier = connection.execute(GOES_ON, bounds).scalar()
    return Trace((FOLDED,), held=HELD.get(earlier or "", ""))


def _is_closed(connection: Connection, number: int, stage: str) -> bool:
    """Tell whether nothing of it goes on: no mission, no incident."""
    state = connection.execute(STATE_OF, {"number": number}).scalar()
    return stage == Stage.CLOSED and state not in LIVING


def _find_failure(job: Any, letter: Any) -> str:
    """Return what went wrong with a job, or with a letter; or nothing."""
    if job is not None and job.state in FAILED:
        return f"job {job.id} {job.state}: {job.reason}"
    if job is not None and job.verdict not in ("", Verdict.FIXED):
        return f"job {job.id} was measured: {job.verdict}"
    if letter is not None and letter.reason:
        return f"the letter is {letter.state}: {letter.reason}"
    return ""


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
    name = name_of(hour)
    start = start_of_identity(name)
    theirs = (
        # Found by the index on what names are hashed to.
        ALERT.c.identity.between(start, start + END),
        ALERT.c.fingerprint == name,
        ALERT.c.source == CANARY,
        ALERT.c.id <= get_mark(connection, READ),
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
