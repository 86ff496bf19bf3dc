"""Spans: what took how long, sent to a collector when one is set.

OTLP over HTTP as JSON. Without an endpoint nothing is kept and nothing
leaves the machine. What happens is never delayed: spans wait in a bounded
queue, and what does not fit, or is not taken, is lost and counted.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import msgspec
from prometheus_client import CollectorRegistry, Counter
from pydantic import AfterValidator, Field

from app.core.configfile import Section
from app.core.errors import OutgoingFailed
from app.core.http import open_client, post
from app.core.log import get_log
from app.core.version import VERSION

SCOPE = "smokejumper"
MOST_WAITING = 2_000
BATCH = 200
LOOK_SECONDS = 1.0
# A collector that does not answer is left alone for a while.
REST_SECONDS = 15.0
PATH = "/v1/traces"
HEADERS = {"content-type": "application/json"}
MOST_BYTES = 65_536
INTERNAL, CLIENT = 1, 3
FAILED = 2
Attribute = str | int | float | bool
log = get_log("spans")


def _is_address(text: str) -> str:
    """Return an address with the path of traces, or raise ValueError."""
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
    return text.rstrip("/") + PATH if parts.path in ("", "/") else text


class TelemetrySettings(Section):
    """Where spans are sent; empty: nowhere."""

    otlp_endpoint: Annotated[str, AfterValidator(_is_address)] = ""
    timeout_seconds: float = Field(5.0, gt=0, le=60)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Something that took time.

    Attributes:
        name: what it was.
        begins_at: when, in microseconds since 1970.
        milliseconds: how long.
        trace: what it is part of: 16 bytes as hexadecimal digits.
        own: its number: 8 bytes.
        parent: the number of what it is a part of, or empty.
        is_call: whether another program was asked.
        error: what kind of failure it was, or empty.
        attributes: what is known of it, never a text of a stranger.
    """

    name: str
    begins_at: int
    milliseconds: float
    trace: str
    own: str
    parent: str = ""
    is_call: bool = False
    error: str = ""
    attributes: Mapping[str, Attribute] = {}


class Meters:
    """What sending spans tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.sent = Counter(
            "smokejumper_spans_sent",
            "Spans that the collector took",
            registry=registry,
        )
        self.lost = Counter(
            "smokejumper_spans_lost",
            "Spans that did not fit or that the collector did not take",
            registry=registry,
        )


class Spans:
    """Keeps spans until they are sent."""

    def __init__(self, settings: TelemetrySettings, meters: Meters) -> None:
        """Take where to send them."""
        self._settings = settings
        self._meters = meters
        self._waiting: deque[Span] = deque()

    @property
    def is_on(self) -> bool:
        """Tell whether anybody wants them."""
        return bool(self._settings.otlp_endpoint)

    def add(self, spans: Sequence[Span]) -> None:
        """Keep some spans to be sent; never waits, from the event loop."""
        if not self.is_on:
            return
        room = MOST_WAITING - len(self._waiting)
        self._waiting.extend(spans[:room])
        self._meters.lost.inc(max(0, len(spans) - room))

    async def run(self) -> None:
        """Send what waits, until cancelled; at once when nobody wants it."""
        if not self.is_on:
            return
        async with open_client(self._settings.timeout_seconds) as client:
            while True:
                is_well = await self.send(client)
                await asyncio.sleep(LOOK_SECONDS if is_well else REST_SECONDS)

    async def send(self, client: httpx.AsyncClient) -> bool:
        """Send what waits now; tell whether the collector took it."""
        while self._waiting:
            count = min(BATCH, len(self._waiting))
            some = [self._waiting.popleft() for _ in range(count)]
            if not await self._post(client, some):
                self._meters.lost.inc(len(some))
                return False
            self._meters.sent.inc(len(some))
        return True

    async def _post(
        self, client: httpx.AsyncClient, spans: Sequence[Span]
    ) -> bool:
        """Send some spans; tell whether they were taken."""
        url = self._settings.otlp_endpoint
        body = msgspec.json.encode(to_otlp(spans))
        try:
            await post(client, url, HEADERS, body, MOST_BYTES)
        except OutgoingFailed as error:
            log.warning("spans.not_sent", error=str(error))
            return False
        return True


def new_trace() -> str:
    """Return the number of a new trace."""
    return secrets.token_hex(16)


def new_span() -> str:
    """Return the number of a new span."""
    return secrets.token_hex(8)


def to_otlp(spans: Sequence[Span]) -> dict[str, Any]:
    """Return spans as OTLP writes them in JSON."""
    resource = {"service.name": "smokejumper", "service.version": VERSION}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [
                    {
                        "scope": {"name": SCOPE, "version": VERSION},
                        "spans": [_to_otlp(span) for span in spans],
                    }
                ],
            }
        ]
    }


def _to_otlp(span: Span) -> dict[str, Any]:
    """Return one span as OTLP writes it: 64-bit numbers as texts."""
    ends_at = span.begins_at * 1_000 + int(span.milliseconds * 1_000_000)
    written: dict[str, Any] = {
        "traceId": span.trace,
        "spanId": span.own,
        "name": span.name,
        "kind": CLIENT if span.is_call else INTERNAL,
        "startTimeUnixNano": str(span.begins_at * 1_000),
        "endTimeUnixNano": str(ends_at),
        "attributes": _attributes(span.attributes),
    }
    if span.parent:
        written["parentSpanId"] = span.parent
    if span.error:
        written["status"] = {"code": FAILED}
    return written


def _attributes(values: Mapping[str, Attribute]) -> list[dict[str, Any]]:
    """Return names and values as OTLP writes them."""
    return [{"key": n, "value": _value(v)} for n, v in values.items()]


def _value(value: Attribute) -> dict[str, Any]:
    """Return one value with its type."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value}
