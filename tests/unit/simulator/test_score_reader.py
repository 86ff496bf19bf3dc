"""The reader, against servers that answer oddly, and files that are torn."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.problem import Refused
from simulator.records import Fact
from simulator.score_reader import Reader, facts_of, read_facts
from simulator.truth import Truth, TruthLog
from tests.unit.simulator.telling import at, fact

URL = "http://service.test"
Answer = Callable[[httpx.Request], httpx.Response]


def reader(answer: Answer, **more: Any) -> Reader:
    """Return a reader of a service that answers so."""
    transport = httpx.MockTransport(answer)
    return Reader(URL, "secret", transport=transport, **more)


def alert(number: int) -> dict[str, Any]:
    """Return an alert as the API tells it."""
    return {
        "id": number,
        "incident_id": None,
        "status": "firing",
        "name": "A",
        "labels": {},
        "received_at": "2026-11-21T20:00:00.000Z",
        "a_new_field": 1,
    }


class Lists:
    """A service with so many alerts, and nothing else."""

    def __init__(self, alerts: int, most: int = 500) -> None:
        self.alerts = alerts
        self.most = most
        self.asked: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer with a page, newest first."""
        self.asked.append(request.url)
        assert request.headers["authorization"] == "Bearer secret"
        if not request.url.path.endswith("/alerts"):
            return httpx.Response(200, json={"items": [], "next": None})
        before = int(request.url.params.get("before", self.alerts + 1))
        last = max(before - self.most, 1)
        items = [alert(number) for number in range(before - 1, last - 1, -1)]
        following = None if last == 1 else "http://elsewhere.test/steal"
        return httpx.Response(200, json={"items": items, "next": following})


def test_every_page_is_read_and_no_address_is_followed() -> None:
    """Where to go on is our own sum; a token never goes elsewhere."""
    lists = Lists(1203)
    story, read_at = reader(lists).story([fact(), fact(50, 60)])
    assert [one.id for one in story.alerts] == list(range(1, 1204))
    assert story.alerts[0].incident == 0
    assert {url.host for url in lists.asked} == {"service.test"}
    first = lists.asked[0]
    assert first.params["limit"] == "500"
    assert first.params["since"] == "2026-11-21T19:55:00+00:00"
    assert (datetime.now(UTC) - read_at).total_seconds() < 60


def test_a_list_that_is_too_long_is_refused_not_cut() -> None:
    """What is left out could speak against the service."""
    with pytest.raises(Refused, match="more than 1000 alerts") as told:
        reader(Lists(1203), most_pages=2).story([fact()])
    assert "--since" in told.value.remedy


def test_without_faults_nothing_is_asked() -> None:
    """There is nothing to score."""
    lists = Lists(3)
    story, _ = reader(lists).story([])
    assert story.alerts == ()
    assert lists.asked == []


@pytest.mark.parametrize(
    ("status", "body", "says", "field"),
    [
        (401, {"detail": "wrong", "remedy": "Send it"}, "401: wrong", "token"),
        (403, {}, "answers 403", "token"),
        (404, b"nothing here", "answers 404", "url"),
        (503, {"detail": "too slow"}, "503: too slow", "url"),
        (302, {}, "answers 302", "url"),
        (200, b"<html>", "does not answer with a list", "url"),
        (200, [1], "does not answer with a list", "url"),
        (200, {"items": {}}, "does not answer with a list", "url"),
        (200, {"items": [], "next": "/x"}, "with a list", "url"),
        (200, {"items": [{"id": 1}]}, "alert that is not", "status"),
        (200, {"items": ["x"], "next": None}, "alert that is not", ""),
    ],
)
def test_what_is_no_answer_is_told(
    status: int, body: Any, says: str, field: str
) -> None:
    """Never half a story."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(_request: httpx.Request) -> httpx.Response:
        """Answer as told."""
        return httpx.Response(status, content=content)

    with pytest.raises(Refused, match=says) as told:
        reader(answer).story([fact()])
    assert told.value.field == field


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout("")]
)
def test_a_service_that_is_not_there_is_told(error: Exception) -> None:
    """With its address and what happened."""

    def answer(_request: httpx.Request) -> httpx.Response:
        """Answer nothing."""
        raise error

    with pytest.raises(Refused, match=f"{URL}/api/v1/alerts does not answer"):
        reader(answer).story([fact()])


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://x", "http://[", "http://x:y"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    """Before or when it is asked; in words."""
    with pytest.raises(Refused), Reader(url) as found:
        found.story([fact()])


def truth(number: str = "a", **more: Any) -> Truth:
    """Return a truth as the stage writes it."""
    return Truth(
        **{
            "id": number,
            "fault": "cpu",
            "level": 90,
            "unit": "%",
            "seconds": 60,
            "target": {"host": "h", "process": "sim-cpu"},
            "expects": ("kill_process",),
            "began_at": "2026-11-21T20:00:00.000Z",
            **more,
        }
    )


def test_a_file_of_truths_is_read(tmp_path: Path) -> None:
    """As the stage writes it: the later line of a fault holds."""
    log = TruthLog(tmp_path)
    log.write(truth("b", began_at="2026-11-21T21:00:00.000Z"))
    log.write(truth("a"))
    log.write(truth("a").ended("remedy", "2026-11-21T20:00:20.500Z"))
    first, second = read_facts(str(log.path))
    assert (first.id, second.id) == ("a", "b")
    assert (first.ended_at, first.ended_by) == (at(20.5), "remedy")
    assert second.ended_at is None
    assert read_facts(str(log.path), at(1)) == [second]


def test_a_file_that_was_turned_over_is_read_with_the_one_before(
    tmp_path: Path,
) -> None:
    """A fault may have begun in the one and ended in the other."""
    log = TruthLog(tmp_path)
    log.write(truth("a"))
    log.path.rename(tmp_path / "truth.jsonl.1")
    log.write(truth("a").ended("time", "2026-11-21T20:01:00.000Z"))
    (found,) = read_facts(str(log.path))
    assert found.ended_by == "time"


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    """It is what a crash leaves, at the end or before what came after."""
    log = TruthLog(tmp_path)
    log.write(truth("a"))
    with log.path.open("a") as file:
        file.write('{"id": "b", "fau')
    # In the middle of a letter, too.
    with log.path.open("ab") as raw:
        raw.write("\u00fc".encode()[:1])
    assert [one.id for one in read_facts(str(log.path))] == ["a"]
    log.write(truth("c"))
    assert [one.id for one in read_facts(str(log.path))] == ["a", "c"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b'{"id": "a"}\n', "fact that is not understood"),
    ],
)
def test_a_file_that_is_no_truth_is_refused(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    """With the file in it."""
    path = tmp_path / "truth.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refused, match=says):
        read_facts(str(path))


def test_a_simulator_is_asked_for_its_truth() -> None:
    """With a token where it wants one, since a moment."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        """Tell one fault."""
        asked.append(request)
        return httpx.Response(200, json={"truth": [truth().as_json()]})

    found = read_facts(
        "http://127.0.0.1:8099/",
        at(-5),
        token="t",
        transport=httpx.MockTransport(answer),
    )
    assert [one.target["process"] for one in found] == ["sim-cpu"]
    (request,) = asked
    assert request.url.path == "/api/truth"
    assert request.url.params["since"] == "2026-11-21T19:59:55+00:00"
    assert request.headers["authorization"] == "Bearer t"


@pytest.mark.parametrize("told", [None, {}, "x", [7], [{"id": "a"}]])
def test_what_is_no_truth_is_refused(told: object) -> None:
    """A fault without a target, or no list at all."""
    with pytest.raises(Refused):
        facts_of(told)


def test_what_the_stage_writes_is_what_the_score_reads() -> None:
    """No field of the score is one that a truth does not have."""
    known = set(truth().as_json())
    assert set(Fact.model_fields) <= known
