"""A store in memory, with rows that have just enough in them."""

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from app.models.episode import Episode
from app.models.incident import Incident
from app.models.word import Word


def open_memory() -> Engine:
    """Return the tables, empty, in memory; without indexes of words."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    SQLModel.metadata.create_all(engine)
    return engine


def make_episode(number: int, incident_id: int, **more: Any) -> Episode:
    """Return an episode of an incident; it goes on."""
    values: dict[str, Any] = {
        "strand_id": number,
        "source": "alertmanager",
        "fingerprint": f"f{number}",
        "target": "host:web-01",
        "problem": "disk",
        "name": "DiskFull",
        "severity": "critical",
        "summary": "",
        "begins_at": 1_000,
        "first_alert": number,
        "last_alert": number,
        "alerts": 1,
        "seen_at": 1_000,
        **more,
    }
    return Episode(id=number, incident_id=incident_id, **values)


def make_incident(number: int, **more: Any) -> Incident:
    """Return an incident that is open."""
    values: dict[str, Any] = {
        "state": "open",
        "target": "host:web-01",
        "target_kind": "host",
        "target_name": "web-01",
        "problem": "disk",
        "source": "alertmanager",
        "severity": "critical",
        "title": "disk on web-01",
        "opened_at": 1_000,
        "changed_at": 1_000,
        "begins_at": 1_000,
        **more,
    }
    return Incident(id=number, **values)


def make_word(number: int, incident_id: int, **more: Any) -> Word:
    """Return a note that a person made."""
    values: dict[str, Any] = {
        "at": 1_000,
        "author": "ana",
        "kind": "note",
        "version": 1,
        **more,
    }
    return Word(id=number, incident_id=incident_id, **values)
