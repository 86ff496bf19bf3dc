"""Rows as they lie in the database: more than anybody could let happen."""

import time
from typing import Any

from sqlalchemy import Text, insert

from app.models.entry import Note
from app.store.incidents import INCIDENT
from app.store.jobs import JOB
from app.store.ledger import Ledger
from app.store.log import append
from app.store.missions import MISSION
from tests.flow.events import location_of
from tests.service import Service


def plain(table: Any, **values: Any) -> dict[str, Any]:
    """Return a row of which only what is named matters."""
    return {
        column.name: values.get(column.name, _empty(column))
        for column in table.c
    }


def _empty(column: Any) -> Any:
    """Return what a column has when nothing is said."""
    if column.nullable:
        return None
    return "" if isinstance(column.type, Text) else 0


def incident(number: int, host: str, at: int, **more: Any) -> dict[str, Any]:
    """Return an incident that fires."""
    values = {
        "id": number,
        "version": 1,
        "state": "open",
        "target": f"host::{host}",
        "target_kind": "host",
        "target_name": host,
        "problem": "DiskFull",
        "source": "alertmanager",
        "severity": "warning",
        "title": "the disk is full",
        "opened_at": at,
        "changed_at": at,
        "begins_at": at,
        "episodes": 1,
        "firing": 1,
        **more,
    }
    return plain(INCIDENT, **values)


def mission(number: int, host: str, at: int, **more: Any) -> dict[str, Any]:
    """Return what was done about an incident: people were given it."""
    values = {
        "id": number,
        "incident_id": number,
        "target": f"host:{host}",
        "version": 1,
        "stage": "escalated",
        "reason": "nothing fits",
        "round": 1,
        "deadline_at": at,
        "opened_at": at,
        "changed_at": at,
        **more,
    }
    return plain(MISSION, **values)


def job(number: int, host: str, at: int, **more: Any) -> dict[str, Any]:
    """Return a job of incident 1 that has helped."""
    values = {
        "id": number,
        "incident_id": 1,
        "mission_id": 1,
        "decision_id": number,
        "action": "restart_service",
        "arguments": f'{{"host":"{host}","service":"s{number}"}}',
        "target": f"host:{host}",
        "risk": "restart",
        "backend": "scripted",
        "name": "restart",
        "key": f"key-{number}",
        "proposer": "brain:fake",
        "state": "succeeded",
        "planned_at": at,
        "started_at": at,
        "until": at,
        "ended_at": at,
        "before": "[]",
        "after": "[]",
        **more,
    }
    return plain(JOB, **values)


def pour_needs(service: Service, many: int) -> None:
    """Let people have been given so many incidents."""
    at = time.time_ns() // 1_000
    numbers = range(1, many + 1)
    ledger = Ledger(location_of(service), 10.0)
    with ledger.turn() as connection:
        rows = [incident(one, f"long-{one}", at) for one in numbers]
        connection.execute(insert(INCIDENT), rows)
        rows = [mission(one, f"long-{one}", at) for one in numbers]
        connection.execute(insert(MISSION), rows)
        told = Note(
            kind="incident.opened",
            incident=1,
            actor="source:storm",
            summary="a storm",
        )
        append(connection, at, [told])
    ledger.close()


def pour_jobs(service: Service, many: int, after: str) -> None:
    """Let one incident have had so many jobs, each measured so."""
    at = time.time_ns() // 1_000
    numbers = range(1, many + 1)
    ledger = Ledger(location_of(service), 10.0)
    with ledger.turn() as connection:
        connection.execute(insert(INCIDENT), [incident(1, "jobs-01", at)])
        connection.execute(insert(MISSION), [mission(1, "jobs-01", at)])
        rows = [
            job(one, "jobs-01", at, after=after, verdict="fixed")
            for one in numbers
        ]
        connection.execute(insert(JOB), rows)
        told = [
            Note(
                kind=kind,
                incident=1,
                actor="engine",
                action="restart_service",
                summary=f"{kind} of {one}",
                body={"job": one},
            )
            for one in numbers
            for kind in ("job.started", "job.ended")
        ]
        append(connection, at, told)
    ledger.close()
