"""The story in the terminal: what each step says, out of the API's rows."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from app.api import acting_examples, examples
from scripts.demo.following import Follower, Step, names
from scripts.demo.telling import Teller

ALERT = {
    **examples.ALERT,
    "labels": {"host": "simulator", "process": "sim-cpu"},
    "name": "ProcessRunaway",
    "source": "watch",
    "summary": "sim-cpu takes [red]99 %[/red] of a core",
    "incident_id": 5,
}


class Api(BaseHTTPRequestHandler):
    """Answers with the very examples of the API's own page."""

    alerts: ClassVar[list[dict[str, Any]]] = []
    rows: ClassVar[dict[str, Any]] = {
        "incidents/5": acting_examples.WHOLE,
        "decisions/12": examples.DECISION_DETAIL,
        "rulings": [acting_examples.RULING],
        "rulings/21": acting_examples.RULING_DETAIL,
        "jobs": [acting_examples.JOB],
        "jobs/3": acting_examples.JOB_DETAIL,
    }

    def do_GET(self) -> None:
        """Answer with a row, or a page of rows."""
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/api/v1/")
        found = self.rows.get(path)
        if path == "alerts":
            after = int(parse_qs(parts.query).get("after", ["0"])[0])
            found = [row for row in self.alerts if row["id"] > after]
        if isinstance(found, list):
            found = {"items": found}
        body = json.dumps(found).encode()
        self.send_response(200 if found is not None else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        """Say nothing."""


@pytest.fixture
def follower() -> Iterator[Follower]:
    """Return who follows, at an API that has one old alert."""
    Api.alerts = [{**ALERT, "id": 1}]
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with closing(Follower(url)) as made:
            yield made
        server.shutdown()


@pytest.fixture
def said() -> io.StringIO:
    """Return where all is written."""
    return io.StringIO()


@pytest.fixture
def teller(said: io.StringIO) -> Teller:
    """Return who tells, without colours."""
    return Teller(Console(file=said, width=100, highlight=False))


def test_only_what_came_after_the_fault_counts(follower: Follower) -> None:
    """An alert of an earlier fault on the same thing is not this one's."""
    follower.begin()
    Api.alerts.insert(0, {**ALERT, "id": 2})
    step = follower.find_alert({"process": "sim-cpu"})
    assert step.row["id"] == 2
    assert step.seconds >= 0


def test_an_alert_must_name_the_very_thing() -> None:
    """Another label, or another value, is another thing."""
    labels = {"process": "sim-cpu", "host": "simulator"}
    assert names(labels, {"process": "sim-cpu"})
    assert not names(labels, {"process": "sim-io"})
    assert not names(labels, {"service": "sim-cpu"})


def test_the_whole_story(
    follower: Follower, teller: Teller, said: io.StringIO
) -> None:
    """Each step is told with what made it: proof, confidence, readings."""
    decision = follower.find_decision(5)
    teller.alert(Step("alert", 4.2, ALERT))
    teller.decision(decision, follower.detail(decision))
    teller.ruling(follower.find_ruling(5))
    teller.job(follower.find_job(5))
    teller.verdict(follower.find_verdict(3))
    text = said.getvalue()
    for part in (
        "4.2 s  alert",
        "ProcessRunaway from watch, incident 5",
        "free_disk_space(host=web-01, path=/var)",
        "confidence 93%",
        "host = web-01, from labels.instance",
        "ask, by the rule trust:approve",
        "free-disk-space of webhook: succeeded",
        "before",
        "verdict   fixed",
    ):
        assert part in text


def test_what_an_alert_says_is_no_markup(
    teller: Teller, said: io.StringIO
) -> None:
    """A text of somebody else colours nothing, and nothing is lost of it."""
    teller.alert(Step("alert", 1.0, ALERT))
    assert "takes [red]99 %[/red] of a core" in said.getvalue()


def test_nobody_can_say_is_told_so(teller: Teller, said: io.StringIO) -> None:
    """A decision without a confidence claims none."""
    row = {**examples.DECISION_DETAIL, "confidence": None}
    teller.decision(Step("decision", 1.0, row), row)
    assert "confidence nobody can say" in said.getvalue()
