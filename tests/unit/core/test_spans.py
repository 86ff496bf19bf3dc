"""Spans go to a collector that is set, and nowhere else."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from app.core.http import open_client
from app.core.spans import (
    MOST_WAITING,
    Meters,
    Span,
    Spans,
    TelemetrySettings,
    new_span,
    new_trace,
)


class Collector:
    """A receiver of OTLP over HTTP, on this machine."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.calls: list[tuple[str, str, Any]] = []
        self.url = ""

    @contextmanager
    def running(self) -> Iterator["Collector"]:
        """Run it."""
        mine = self

        class Receiver(BaseHTTPRequestHandler):
            """Keeps what it is sent."""

            def do_POST(self) -> None:
                """Take spans."""
                body = self.rfile.read(int(self.headers["content-length"]))
                kind = self.headers["content-type"]
                mine.calls.append((self.path, kind, json.loads(body)))
                self.send_response(mine.status)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def spans(self) -> list[dict[str, Any]]:
        """Return all spans that came."""
        return [
            span
            for _, _, body in self.calls
            for resource in body["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


def make_span(**more: Any) -> Span:
    """Return a span."""
    values = {
        "name": "chat m",
        "begins_at": 1_795_227_242_000_000,
        "milliseconds": 1.5,
        "trace": new_trace(),
        "own": new_span(),
        **more,
    }
    return Span(**values)


def make_spans(endpoint: str) -> tuple[Spans, CollectorRegistry]:
    """Return what sends spans to an endpoint."""
    registry = CollectorRegistry()
    settings = TelemetrySettings(otlp_endpoint=endpoint, timeout_seconds=2)
    return Spans(settings, Meters(registry)), registry


def send(spans: Spans) -> bool:
    """Send what waits."""

    async def run() -> bool:
        """Send it on a loop of its own."""
        async with open_client(2.0) as client:
            return await spans.send(client)

    return asyncio.run(run())


def test_spans_are_sent_as_otlp() -> None:
    """To /v1/traces, as JSON, numbers of 64 bits as texts."""
    with Collector().running() as collector:
        spans, registry = make_spans(collector.url)
        values = {"a": "x", "b": 3, "c": 0.5, "d": True}
        spans.add([make_span(attributes=values, is_call=True, error="x")])
        assert send(spans)
    ((path, kind, body),) = collector.calls
    assert (path, kind) == ("/v1/traces", "application/json")
    resource = body["resourceSpans"][0]["resource"]["attributes"][0]
    assert resource["value"] == {"stringValue": "smokejumper"}
    (span,) = collector.spans()
    assert span["startTimeUnixNano"] == "1795227242000000000"
    assert span["endTimeUnixNano"] == "1795227242001500000"
    assert (span["kind"], span["status"]) == (3, {"code": 2})
    assert (len(span["traceId"]), len(span["spanId"])) == (32, 16)
    assert {one["key"]: one["value"] for one in span["attributes"]} == {
        "a": {"stringValue": "x"},
        "b": {"intValue": "3"},
        "c": {"doubleValue": 0.5},
        "d": {"boolValue": True},
    }
    assert registry.get_sample_value("smokejumper_spans_sent_total") == 1


def test_without_an_endpoint_nothing_is_kept() -> None:
    """And the chore ends at once: there is nothing to send, ever."""
    spans, registry = make_spans("")
    spans.add([make_span()])
    asyncio.run(spans.run())
    assert len(spans._waiting) == 0
    assert registry.get_sample_value("smokejumper_spans_lost_total") == 0


def test_what_does_not_fit_is_counted() -> None:
    """A collector that is gone delays nothing and fills no memory."""
    spans, registry = make_spans("http://127.0.0.1:9")
    for _ in range(MOST_WAITING + 5):
        spans.add([make_span()])
    assert registry.get_sample_value("smokejumper_spans_lost_total") == 5
    assert not send(spans)
    lost = registry.get_sample_value("smokejumper_spans_lost_total")
    assert lost is not None
    assert lost > 5


def test_a_collector_that_refuses_is_left_alone() -> None:
    """What it did not take is lost, not sent again and again."""
    with Collector(500).running() as collector:
        spans, _ = make_spans(f"{collector.url}/own/path")
        spans.add([make_span()])
        assert not send(spans)
        assert send(spans)
    assert [path for path, _, _ in collector.calls] == ["/own/path"]


@pytest.mark.parametrize("address", ["collector:4318", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """When the settings are read, not when the first span is sent."""
    with pytest.raises(ValidationError):
        TelemetrySettings(otlp_endpoint=address)
