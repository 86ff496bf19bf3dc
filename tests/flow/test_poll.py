"""A polled Alertmanager: its list counts, its silence never does."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from app.models.cluster import FOREVER
from tests.beliefs import BeliefBook
from tests.real.listing import Listing
from tests.real.waiting import wait_for
from tests.service import OPEN, Service

FAULTS = ("broken", "locked", "moved", "nonsense", "endless", "slow")
LONG_AGO = "2026-01-01T00:00:00Z"
SECRET = "poll-secret"
POLLS = "smokejumper_polls_total"
FAILURES = "smokejumper_poll_failures_total"
LAST = "smokejumper_poll_last_success_timestamp_seconds"


class FakeAlertmanager:
    """Lists what it is told to list, or does worse."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.up_since = LONG_AGO
        self.fault = ""
        self.secrets: set[str | None] = set()
        self._closing = threading.Event()
        fake = self

        class Request(BaseHTTPRequestHandler):
            """One question."""

            def do_GET(self) -> None:
                """Answer it."""
                fake.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def list(self, *names: str, text: Mapping[str, str] | None = None) -> None:
        """List alerts of these names and no others; some with a text."""
        texts = text or {}
        self.alerts = [
            {
                "labels": {
                    "alertname": name,
                    "instance": f"{name}-host",
                    "text": texts.get(name, ""),
                },
                "annotations": {},
                "startsAt": LONG_AGO,
                "endsAt": "2027-01-01T00:00:00Z",
                "updatedAt": LONG_AGO,
                "fingerprint": f"fp-{name}",
                "receivers": [{"name": "ops"}],
                "status": {"state": "active"},
            }
            for name in names
        ]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a question, or do what is wrong with it."""
        self.secrets.add(request.headers["Authorization"])
        if request.path == "/api/v2/status":
            body = json.dumps({"uptime": self.up_since}).encode()
        else:
            body = json.dumps(self.alerts).encode()
        if self.fault == "slow":
            self._closing.wait(30)
            return
        if self.fault == "nonsense":
            body = b"<html>It works!</html>"
        if self.fault == "endless":
            body = b" " * 2_000_000
        status = {"broken": 503, "locked": 401, "moved": 302}
        request.send_response(status.get(self.fault, 200))
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        try:
            request.wfile.write(body)
        except ConnectionError:
            request.close_connection = True

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Hang up; nobody listens on its port any more."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        if not self._closing.is_set():
            self.close()


class Watched:
    """A service that polls, and what it says and believes."""

    def __init__(
        self, folder: Path, members: Sequence[FakeAlertmanager], **poll: Any
    ) -> None:
        settings = {
            "url": [member.url for member in members],
            "seconds": 0.2,
            "timeout_seconds": 0.5,
            "body_bytes": 1_000_000,
            "age_seconds": 0,
            "bearer": "env:POLL_SECRET",
            **poll,
        }
        sources = {"alertmanager": {**OPEN, "poll": settings}}
        self.service = Service(
            folder, {"sources": sources}, {"POLL_SECRET": SECRET}
        )
        self.listing = Listing(self.service.url)

    def __enter__(self) -> Self:
        """Start the service."""
        self.service.start()
        self.book = BeliefBook(self.service.database)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.book.close()
        self.service.kill()

    def state(self, name: str) -> str:
        """Return the state of the incident of a name, or nothing."""
        return self.book.state(name=name)

    def open_names(self) -> set[str]:
        """Return the names of what goes on."""
        rows = self.book.episodes(until=FOREVER)
        return {row["name"] for row in rows}

    def wait_for_state(self, name: str, state: str) -> None:
        """Return when the incident of a name has a state."""
        wait_for(f"{name} {state}", lambda: self.state(name) == state)

    def wait_for_polls(self, metric: str, more: int) -> None:
        """Return when so many more polls are over, counted so."""
        before = self.listing.metric(metric)
        wait_for(
            f"{more} more {metric}",
            lambda: self.listing.metric(metric) >= before + more,
        )

    def log(self, event: str) -> int:
        """Return how often the service's log says something."""
        return self.service.log.read_text().count(f'"{event}"')


@pytest.fixture(scope="module")
def member() -> Iterator[FakeAlertmanager]:
    """Return an Alertmanager that has been up for long."""
    with FakeAlertmanager() as made:
        yield made


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory, member: FakeAlertmanager
) -> Iterator[Watched]:
    """Return a service that polls it; each test has names of its own."""
    folder = tmp_path_factory.mktemp("watched")
    with Watched(folder, [member]) as made:
        yield made


def test_what_was_never_told_is_found(
    watched: Watched, member: FakeAlertmanager
) -> None:
    """It becomes a delivery and an incident; then its end is found too."""
    member.list("Hidden", "Stays")
    watched.wait_for_state("Hidden", "open")
    alert = watched.listing.wait_for_alert(name="Hidden")
    delivery = watched.listing.delivery_of(alert)
    body = json.loads(watched.listing.body(delivery["id"]))
    member.list("Stays")
    watched.wait_for_state("Hidden", "resolved")
    resolved = watched.listing.wait_for_alert(name="Hidden", status="resolved")
    assert watched.state("Stays") == "open"
    assert watched.listing.metric("smokejumper_poll_alerts_total") >= 3
    assert watched.listing.metric(LAST) > time.time() - 60
    assert delivery["peer"] == "smokejumper-poll"
    assert (body["version"], body["receiver"]) == ("4", "smokejumper-poll")
    assert resolved["starts_at"] == alert["starts_at"]
    assert member.secrets == {f"Bearer {SECRET}"}


def test_what_is_polled_again_is_no_second_alert(
    watched: Watched, member: FakeAlertmanager
) -> None:
    """What is known and confirmed makes no delivery at all."""
    member.list("Known")
    watched.wait_for_state("Known", "open")
    wait_for("others' ends", lambda: watched.open_names() == {"Known"})
    before = len(watched.listing.deliveries())
    watched.wait_for_polls(POLLS, 3)
    assert len(watched.listing.deliveries()) == before
    assert len(watched.listing.alerts(name="Known")) == 1
    assert len(watched.book.episodes(name="Known")) == 1


def test_who_does_not_answer_resolves_nothing(
    watched: Watched, member: FakeAlertmanager
) -> None:
    """However it fails: it counts, is logged once, and ends nothing."""
    for fault in FAULTS:
        _fail(watched, member, fault)
    assert SECRET not in watched.service.log.read_text()


def _fail(watched: Watched, member: FakeAlertmanager, fault: str) -> None:
    """Let an Alertmanager fail in one way, and be well again."""
    name = f"Firing-{fault}"
    member.list(name)
    watched.wait_for_state(name, "open")
    failed, works = watched.log("poll.failed"), watched.log("poll.works")
    # Its list stays as it is: an empty one may still be on its way.
    member.fault = fault
    watched.wait_for_polls(FAILURES, 1)
    member.list()
    watched.wait_for_polls(FAILURES, 3)
    assert watched.state(name) == "open", fault
    assert watched.log("poll.failed") == failed + 1, fault
    member.list(name)
    member.fault = ""
    wait_for("answer", lambda: watched.log("poll.works") > works)
    assert watched.state(name) == "open", fault


def test_who_was_just_started_resolves_nothing(
    watched: Watched, member: FakeAlertmanager
) -> None:
    """An empty list right after a start only means that it knows nothing."""
    member.list("Firing")
    watched.wait_for_state("Firing", "open")
    failures = watched.listing.metric(FAILURES)
    member.up_since = datetime.now(UTC).isoformat()
    watched.wait_for_polls(POLLS, 2)
    member.list()
    watched.wait_for_polls(POLLS, 4)
    assert watched.state("Firing") == "open"
    assert watched.listing.metric(FAILURES) == failures
    member.list("New")
    watched.wait_for_state("New", "open")
    member.up_since = LONG_AGO
    watched.wait_for_state("Firing", "resolved")


def test_one_that_is_refused_keeps_no_other_out(
    watched: Watched, member: FakeAlertmanager
) -> None:
    """An alert over a limit is counted; those beside it come in."""
    member.list("Good", "Bad", "Fine", text={"Bad": "x" * 5_000})
    watched.wait_for_state("Good", "open")
    watched.wait_for_state("Fine", "open")
    assert watched.state("Bad") == ""
    refused = watched.listing.metric(
        "smokejumper_deliveries_refused_total",
        reason="over_label_value_chars",
    )
    assert refused >= 1


def test_what_is_over_here_and_still_listed_goes_on(
    watched: Watched, member: FakeAlertmanager
) -> None:
    """A wrong end is mended: the incident is open again."""
    member.list("Wrong")
    watched.wait_for_state("Wrong", "open")
    alert = {
        **member.alerts[0],
        "status": "resolved",
        "endsAt": datetime.now(UTC).isoformat(),
    }
    url = f"{watched.service.url}/webhooks/alertmanager"
    group = {"version": "4", "alerts": [alert]}
    httpx.post(url, json=group).raise_for_status()
    wait_for(
        "second episode",
        lambda: len(watched.book.episodes(name="Wrong")) == 2,
    )
    watched.wait_for_state("Wrong", "open")
    watched.wait_for_polls(POLLS, 2)
    assert len(watched.book.episodes(name="Wrong")) == 2


def test_a_cluster_speaks_with_one_voice(tmp_path: Path) -> None:
    """What any member lists fires; while one is silent nothing ends."""
    with (
        FakeAlertmanager() as member,
        FakeAlertmanager() as other,
        Watched(tmp_path, [member, other]) as watched,
    ):
        member.list("One")
        other.list("Two")
        watched.wait_for_state("One", "open")
        watched.wait_for_state("Two", "open")
        other.fault = "broken"
        watched.wait_for_polls(FAILURES, 1)
        member.list("Three")
        watched.wait_for_state("Three", "open")
        watched.wait_for_polls(FAILURES, 3)
        assert {watched.state("One"), watched.state("Two")} == {"open"}
        other.fault = ""
        watched.wait_for_state("One", "resolved")
        assert watched.state("Two") == "open"
        other.close()
        watched.wait_for_polls(FAILURES, 3)
        assert watched.state("Two") == "open"
