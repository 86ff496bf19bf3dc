"""Make a source, its surroundings and a delivery for a test."""

import json
import pkgutil
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

from prometheus_client import CollectorRegistry

import app.ingest.sources
from app.core.clock import to_moment
from app.core.configfile import Config
from app.core.errors import OutgoingFailed
from app.ingest.counters import Counters
from app.ingest.entrances import Env, World
from app.models.alert import Alert
from app.models.delivery import Delivery, Flaw, Headers, Parsed, Unparsed
from app.ports import Source

# Every file of the folder is one.
KINDS = sorted(
    module.name.replace("_", "-")
    for module in pkgutil.iter_modules(app.ingest.sources.__path__)
)
NOW = 1_795_229_400_000_000  # 2026-11-21T02:50:00Z
DROPPED = object()
JSON: Headers = ((b"content-type", b"application/json"),)


class StillClock:
    """A clock that stands at one moment."""

    def now(self) -> int:
        """Return the moment."""
        return NOW

    def monotonic(self) -> float:
        """Return no seconds at all."""
        return 0.0


async def fetch_nothing(address: str) -> bytes:
    """Fail as a network does that is not there."""
    raise OutgoingFailed(f"{address} cannot be reached from a unit test")


def make_env(name: str, options: Mapping[str, Any] | None = None) -> Env:
    """Return the surroundings of a source, with settings as in the file."""
    tree = {"sources": {name: {"options": dict(options or {})}}}
    world = World(
        environ={},
        clock=StillClock(),
        fetch=fetch_nothing,
        counters=Counters(CollectorRegistry()),
        listens_on="127.0.0.1",
    )
    return Env(name, Config(tree, {(): "test.yaml"}), world)


def make_source(
    kind: str,
    options: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Source:
    """Return a source of a kind, as bootstrap would make it."""
    path = f"app.ingest.sources.{kind.replace('-', '_')}"
    env = make_env(name or kind, options)
    source: Source | None = import_module(path).plugin(env)
    assert source is not None
    return source


def make_delivery(
    body: object, headers: Headers = JSON, received_at: int = NOW
) -> Delivery:
    """Return a delivery of bytes, or of anything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(
        source="test", body=raw, headers=headers, received_at=received_at
    )


def parse(source: Source, body: object, received_at: int = NOW) -> Parsed:
    """Return what a source reads out of a body."""
    return source.parse(make_delivery(body, received_at=received_at))


def only_alert(source: Source, body: object) -> Alert:
    """Return the one alert of a body that has no flaw."""
    parsed = parse(source, body)
    assert parsed.unparsed == ()
    (alert,) = parsed.alerts
    return alert


def flaw_of(source: Source, body: object) -> Flaw:
    """Return why a body is not understood at all."""
    try:
        parsed = parse(source, body)
    except Unparsed as error:
        return error.flaw
    (flaw,) = parsed.unparsed
    assert parsed.alerts == ()
    return flaw


def moment(text: str) -> int:
    """Return a moment in microseconds out of ISO 8601."""
    return to_moment(datetime.fromisoformat(text))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every node of a JSON value."""
    found = [path]
    if isinstance(value, dict):
        for name, inner in value.items():
            found += places(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*path, index))
    return found


def change(value: Any, path: tuple[Any, ...], other: object) -> None:
    """Replace or drop the node at a path of a JSON value, in place."""
    for part in path[:-1]:
        value = value[part]
    if other is DROPPED:
        del value[path[-1]]
    else:
        value[path[-1]] = other
