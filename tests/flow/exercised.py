"""A service that has done a bit of all it can, and what it counted."""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.acting import GOING, SECRET, ActingService, Story
from tests.chaos.load import wait_until
from tests.flow.deciding import firing
from tests.flow.telling import QUICK, Pager
from tests.receiver import Receiver
from tests.service import OPEN

SECONDS = 120
PREFIX = "smokejumper_"
STATUS = b'{"uptime": "2026-11-21T00:00:00.000Z"}'
SETTINGS: dict[str, Any] = {
    "sources": {
        "locked": {
            "type": "alertmanager",
            "auth": {"kind": "bearer", "secrets": ["a-secret"]},
        },
    },
    "report": {"retries": QUICK},
    "retention": {"every_seconds": 1, "deliveries_days": 1e-5},
    "canary": {"enabled": True, "every_seconds": 5},
}


class Collector:
    """An OTLP collector that keeps the spans, and a quiet Alertmanager.

    Attributes:
        spans: each one, with its name.
    """

    def __init__(self) -> None:
        """Listen on a free port."""
        self.spans: list[dict[str, Any]] = []
        spans = self.spans

        class Door(BaseHTTPRequestHandler):
            """Takes what is posted."""

            def do_POST(self) -> None:
                """Keep the spans of a letter."""
                size = int(self.headers.get("content-length") or 0)
                for one in json.loads(self.rfile.read(size))["resourceSpans"]:
                    for scope in one["scopeSpans"]:
                        spans.extend(scope["spans"])
                self._say(b"{}")

            def do_GET(self) -> None:
                """Be an Alertmanager without any alert."""
                is_status = self.path.endswith("/status")
                self._say(STATUS if is_status else b"[]")

            def _say(self, body: bytes) -> None:
                """Answer with some JSON."""
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Open the door."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Shut it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Exercised:
    """What a running service shows at /metrics, in its log and in spans.

    Attributes:
        url: where it answers.
        log: the lines that it wrote so far.
        spans: the names of the spans that it sent so far.
        families: each metric's type, by its name without a suffix.
        labels: the names of the labels of each sample that there is.
    """

    def __init__(
        self,
        url: str,
        log: Iterable[dict[str, Any]] = (),
        spans: Iterable[str] = (),
    ) -> None:
        """Read it."""
        self.url = url
        self.log = list(log)
        self.spans = set(spans)
        self.families: dict[str, str] = {}
        self.labels: dict[str, set[str]] = {}
        text = httpx.get(f"{url}/metrics", timeout=30).raise_for_status().text
        for family in text_string_to_metric_families(text):
            if not family.name.startswith(PREFIX):
                continue
            self.families[family.name] = family.type
            for sample in family.samples:
                found = self.labels.setdefault(sample.name, set())
                found |= set(sample.labels)

    def sampled(self) -> set[str]:
        """Return the names, without our prefix, that have a sample."""
        return {name.removeprefix(PREFIX) for name in self.labels}

    def names(self) -> set[str]:
        """Return each metric as people write it: counters with _total."""
        return {
            f"{name}_total" if kind == "counter" else name
            for name, kind in self.families.items()
        }


@contextmanager
def exercised(folder: Path) -> Iterator[Exercised]:
    """Yield a running service that has taken, decided, acted and told."""
    with (
        Pager() as pager,
        Collector() as collector,
        Receiver(folder, secret=SECRET) as receiver,
    ):
        hosts = folder / "inventory.yaml"
        # Nothing is done about a host that is not known.
        known = [f"web-{number:02}" for number in range(1, 40)]
        hosts.write_text(yaml.safe_dump({"hosts": {h: {} for h in known}}))
        more: dict[str, Any] = {
            **SETTINGS,
            "sources": {
                **SETTINGS["sources"],
                # An Alertmanager that has nothing to say.
                "alertmanager": {**OPEN, "poll": {"url": collector.url}},
            },
            "channels": {"ops": pager.channel},
            "telemetry": {"otlp_endpoint": collector.url},
            "inventory": {"file": str(hosts)},
        }
        service = ActingService(receiver, folder / "node", more=more)
        service._environ["SMOKEJUMPER_CANARY__ENABLED"] = "true"
        with service:
            send(service)
            story = Story(service)
            story.fire("web-01")
            story.wait(SECONDS)
            wait_until(lambda: bool(pager.letters), "a letter", SECONDS)
            wait_until(
                lambda: has_all(Exercised(service.url)),
                "a canary, and a clean-up",
                SECONDS,
            )
            wait_until(lambda: bool(collector.spans), "a span", SECONDS)
            go_on(service, story)
            yield Exercised(
                service.url,
                map(json.loads, service.log.read_text().splitlines()),
                (one["name"] for one in collector.spans),
            )
        service.close()


def go_on(service: ActingService, story: Story) -> None:
    """Let there be missions until one is seen at a sweep."""
    numbers = count(2)

    def is_seen() -> bool:
        """Look, and give it more to do when it has nothing."""
        if not service.has(GOING):
            story.fire(f"web-{next(numbers):02}")
        return "missions" in Exercised(service.url).sampled()

    wait_until(is_seen, "a mission that goes on", SECONDS)


def send(service: ActingService) -> None:
    """Send what is new, what is known, what is odd, and what is refused."""
    url = f"{service.url}/webhooks/alertmanager"
    twice = {"version": "4", "alerts": [firing("twice")]}
    odd = {"version": "4", "alerts": [{"labels": 7}]}
    for body in (twice, twice, odd):
        httpx.post(url, json=body, timeout=30)
    locked = httpx.post(f"{service.url}/webhooks/locked", json=odd)
    assert locked.status_code == 401


def has_all(found: Exercised) -> bool:
    """Tell whether what takes a while has been counted."""
    return {
        "canary_seconds",
        "retention_deleted_total",
        "poll_last_success_timestamp_seconds",
    } <= found.sampled()
