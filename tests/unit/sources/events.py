"""Make CloudEvents, and read them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.ingest.sources.cloudevents import CloudEvents, Options
from app.models.alert import Alert
from app.models.delivery import Delivery, Parsed, Unparsed

STRUCTURED = b"application/cloudevents+json"
BATCH = b"application/cloudevents-batch+json"
JSON = b"application/json"
Headers = Sequence[tuple[bytes, bytes]]
ATTRIBUTES = {
    b"ce-specversion": b"1.0",
    b"ce-id": b"7",
    b"ce-source": b"/pumps",
    b"ce-type": b"net.example.pump",
}


def parse(
    body: bytes, headers: Headers = (), options: Options | None = None
) -> Parsed:
    """Return what is read out of a body with its headers."""
    source = CloudEvents(options or Options())
    return source.parse(
        Delivery(source="ce", body=body, received_at=0, headers=headers)
    )


def event(**changes: Any) -> dict[str, Any]:
    """Return a small event; a change to None leaves a field out."""
    fields = {
        "specversion": "1.0",
        "id": "7",
        "source": "/pumps",
        "type": "net.example.pump",
        **changes,
    }
    return {name: text for name, text in fields.items() if text is not None}


def alert_of(options: Options | None = None, **changes: Any) -> Alert:
    """Return the alert of an event in structured mode."""
    body = json.dumps(event(**changes)).encode()
    headers = ((b"content-type", STRUCTURED),)
    (alert,) = parse(body, headers, options).alerts
    return alert


def binary(body: bytes, **changes: bytes) -> Alert:
    """Return the alert of an event in binary mode."""
    more = {b"ce-" + name.encode(): text for name, text in changes.items()}
    kind = more.pop(b"ce-kind", JSON)
    headers = {b"content-type": kind, **ATTRIBUTES, **more}
    (alert,) = parse(body, tuple(headers.items())).alerts
    return alert


def flaw_of(body: bytes, headers: Headers = ()) -> tuple[str, str]:
    """Return reason and place of what is not understood."""
    with pytest.raises(Unparsed) as caught:
        parse(body, headers)
    return caught.value.flaw.reason, caught.value.flaw.field
