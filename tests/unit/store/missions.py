"""Missions, jobs and questions to fill a database with."""

import msgspec

from app.models.approval import Approval
from app.models.incident import Incident
from app.models.job import Job
from app.models.mission import Mission
from app.store.incidents import save_incidents
from app.store.ledger import Connection

NOW = 1_795_000_000_000_000
SECOND = 1_000_000
HOUR = 3_600 * SECOND


def make_mission(incident: int = 1, **more: object) -> Mission:
    """Return a mission that is due now."""
    mission = Mission(
        incident_id=incident,
        target=f"host:web-{incident}",
        due_at=NOW,
        deadline_at=NOW + HOUR,
        opened_at=NOW,
        changed_at=NOW,
    )
    return msgspec.structs.replace(mission, **more)


def make_job(decision: int = 1, **more: object) -> Job:
    """Return a job that is planned now."""
    job = Job(
        incident_id=1,
        mission_id=1,
        decision_id=decision,
        action="restart_service",
        arguments='{"host":"web-1"}',
        target="host:web-1",
        environment="production",
        team="shop",
        risk="reversible",
        backend="webhook",
        name="restart",
        key=f"sj-{decision}",
        proposer="brain:cascade",
        planned_at=NOW,
    )
    return msgspec.structs.replace(job, **more)


def make_approval(**more: object) -> Approval:
    """Return a question that is asked now."""
    approval = Approval(
        incident_id=1,
        mission_id=1,
        decision_id=1,
        action="restart_service",
        arguments='{"host":"web-1"}',
        target="host:web-1",
        environment="production",
        policy="p1",
        rule="ask for production",
        reason="production is asked about",
        mode="approve",
        proposer="brain:cascade",
        asked_at=NOW,
        expires_at=NOW + HOUR,
    )
    return msgspec.structs.replace(approval, **more)


def add_incident(
    connection: Connection, number: int, **more: object
) -> Incident:
    """Write an open incident down."""
    incident = Incident(
        id=number,
        state="open",
        target=f"host:web-{number}",
        target_kind="host",
        target_name=f"web-{number}",
        problem="cpu",
        source="zabbix",
        severity="high",
        title="cpu is high",
        opened_at=NOW,
        changed_at=NOW,
        begins_at=NOW,
    )
    incident = msgspec.structs.replace(incident, **more)
    save_incidents(connection, [incident], [])
    return incident
