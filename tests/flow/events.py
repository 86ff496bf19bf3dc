"""Entries of the action log, and the stream of them as it is read."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.log import append
from tests.service import Service

PATH = "/api/v1/stream"
PATIENCE_SECONDS = 60.0


class Event(msgspec.Struct, frozen=True):
    """One block of a stream."""

    id: int
    name: str
    content: Any
    comment: str = ""


def location_of(service: Service) -> Location:
    """Return the database of a service."""
    return locate(f"sqlite:///{service.database}", service.folder)


def note(number: int, kind: str = "test.written", **more: Any) -> Note:
    """Return a note with a number in it."""
    values = {"actor": "person:ana", "summary": f"word {number}", **more}
    return Note(kind=kind, **values)


def write(service: Service, *notes: Note) -> None:
    """Write into the log as another process does."""
    ledger = Ledger(location_of(service), 10.0)
    with ledger.turn() as connection:
        append(connection, 1_795_227_242_000_000, notes)
    ledger.close()


def blocks(lines: Iterator[str]) -> Iterator[Event]:
    """Yield the events of a stream, comments and silent ones too."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name or "comment"] = value.removeprefix(" ")
        elif fields:
            yield Event(
                id=int(fields.get("id", -1)),
                name=fields.get("event", ""),
                content=json.loads(fields.get("data", "null")),
                comment=fields.get("comment", ""),
            )
            fields = {}


@contextmanager
def listen(
    service: Service, query: str = "", **headers: str
) -> Iterator[Iterator[Event]]:
    """Open a stream and lend its events."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    with httpx.stream(
        "GET", f"{service.url}{PATH}{query}", headers=named, timeout=20
    ) as answer:
        assert answer.status_code == 200, answer.read()
        yield blocks(answer.iter_lines())


def take(events: Iterator[Event], count: int) -> list[Event]:
    """Return the next events that say something."""
    found: list[Event] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    for event in events:
        if event.name:
            found.append(event)
            deadline = time.monotonic() + PATIENCE_SECONDS
        if len(found) == count:
            break
        # A stream that is silent has its heartbeats all the same.
        said = f"only {len(found)} of {count} events came"
        assert time.monotonic() < deadline, said
    return found
