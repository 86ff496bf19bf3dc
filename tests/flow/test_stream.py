"""The stream of the action log, as a console and curl read it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import delete, insert, select

from app.api.sharing import SIGHT
from app.models.account import Role
from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.location import locate
from app.store.log import append
from app.store.tail import CUT, ENTRY
from tests.flow.events import PATH, listen, location_of, note, take, write
from tests.flow.visitors import Visitors
from tests.flow.wire import group
from tests.postgres import Postgres
from tests.service import Service


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Service]:
    """Return a service with room for three streams."""
    with Service(tmp_path, {"api": {"streams": 3}}) as running:
        yield running


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when something has come true; fail when it does not."""
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def meter(service: Service, name: str) -> float:
    """Return the value of a metric."""
    text = httpx.get(f"{service.url}/metrics").text
    return next(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    )


def listeners(service: Service) -> float:
    """Return how many streams the service counts."""
    return meter(service, "smokejumper_stream_listeners")


def test_it_begins_with_what_comes_next(service: Service) -> None:
    """Hello with the present, then every entry as the log shows it."""
    write(service, note(1))
    with listen(service) as events:
        (hello,) = take(events, 1)
        assert (hello.name, hello.id, hello.content) == (
            "hello",
            1,
            {"seq": 1},
        )
        more: dict[str, Any] = {
            "incident": 7,
            "target": "web-01",
            "body": {"a": [1]},
        }
        write(service, note(2, **more), note(3))
        second, third = take(events, 2)
    assert (second.id, second.name) == (2, "test.written")
    shown = second.content
    assert len(shown.pop("hash")) == 64
    assert shown == {
        "id": 2,
        "at": "2026-11-21T02:14:02Z",
        "kind": "test.written",
        "incident_id": 7,
        "target": "web-01",
        "problem": "",
        "severity": "",
        "status": "",
        "actor": "person:ana",
        "action": "",
        "summary": "word 2",
        "body": {"a": [1]},
    }
    assert third.content["summary"] == "word 3"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?after=2", {}),
        ("", {"last_event_id": "2"}),
        ("?after=0", {"last_event_id": "2"}),
    ],
)
def test_it_resumes_where_it_was(
    service: Service, query: str, headers: dict[str, str]
) -> None:
    """By the header, which wins, or by the address; then it goes on."""
    write(service, *map(note, range(1, 6)))
    with listen(service, query, **headers) as events:
        assert [event.id for event in take(events, 3)] == [3, 4, 5]
        write(service, note(6))
        assert [event.id for event in take(events, 1)] == [6]


def test_a_long_gap_is_read_page_by_page(service: Service) -> None:
    """5,000 entries are resumed, one more is too many."""
    write(service, *map(note, range(5_001)))
    with listen(service, "?after=1") as events:
        ids = [event.id for event in take(events, 5_000)]
        assert ids == list(range(2, 5_002))
    with listen(service, "?after=0") as events:
        (reset,) = take(events, 1)
        assert (reset.name, reset.id, reset.content) == (
            "reset",
            5_001,
            {"seq": 5_001},
        )
        write(service, note(1))
        assert [event.id for event in take(events, 1)] == [5_002]


def test_what_is_not_there_any_more_is_a_reset(service: Service) -> None:
    """Cut off by age, or never written: fetch everything again."""
    write(service, *map(note, range(5)))
    ledger = Ledger(location_of(service), 10.0)
    with ledger.turn() as connection:
        digest = select(ENTRY.c.hash).where(ENTRY.c.id == 3)
        seal = connection.execute(digest).scalar_one()
        row = {"id": 3, "hash": seal, "at": 2}
        connection.execute(insert(CUT).values(row))
        connection.execute(delete(ENTRY).where(ENTRY.c.id <= 3))
    ledger.close()
    for after, names in {
        0: ["reset"],
        2: ["reset"],
        3: ["test.written", "test.written"],
        99: ["reset"],
    }.items():
        with listen(service, f"?after={after}") as events:
            found = [event.name for event in take(events, len(names))]
            assert found == names, after


def test_the_target_is_that_of_folding(service: Service) -> None:
    """What folding writes about a host is found by the host's name."""
    with listen(service, "?target=web-01&kind=incident.opened") as events:
        assert take(events, 1)[0].name == "hello"
        url = f"{service.url}/webhooks/alertmanager"
        for host in ("db-01:9100", "web-01:9100"):
            httpx.post(url, content=group(host, instance=host))
        (event,) = take(events, 1)
    assert (event.name, event.content["target"]) == (
        "incident.opened",
        "web-01",
    )


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("kind=a.done", [1, 4]),
        ("kind=a.done&kind=b.done", [1, 2, 4]),
        ("incident=7", [2, 3]),
        ("target=web-01", [3, 4]),
        ("target=web-01&incident=7", [3]),
    ],
)
def test_filters(service: Service, query: str, ids: list[int]) -> None:
    """The same for what was missed and for what comes."""
    notes = [
        note(1, "a.done"),
        note(2, "b.done", incident=7),
        note(3, "c.done", incident=7, target="web-01"),
        note(4, "a.done", target="web-01"),
    ]
    count = len(ids)
    with listen(service, f"?{query}") as events:
        assert take(events, 1)[0].name == "hello"
        write(service, *notes)
        assert [event.id for event in take(events, count)] == ids
    with listen(service, f"?{query}&after=0") as events:
        assert [event.id for event in take(events, count)] == ids


def test_what_the_keeper_writes_arrives(service: Service) -> None:
    """An alert becomes an incident, and the stream says so."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "instance": "web-01"},
        "startsAt": "2026-11-21T02:14:02Z",
        "fingerprint": "f1",
    }
    with listen(service) as events:
        take(events, 1)
        httpx.post(
            f"{service.url}/webhooks/alertmanager", json={"alerts": [alert]}
        ).raise_for_status()
        (event,) = take(events, 1)
    assert event.name == event.content["kind"]
    assert "web-01" in event.content["target"]


@pytest.mark.parametrize(
    ("query", "headers", "field"),
    [
        ("?after=-1", {}, "after"),
        ("?after=x", {}, "after"),
        ("?incident=x", {}, "incident"),
        ("?nonsense=1", {}, "nonsense"),
        ("", {"last-event-id": "nonsense"}, "last-event-id"),
        ("", {"last-event-id": "9" * 40}, "last-event-id"),
    ],
)
def test_wrong_parameters(
    shared: Service, query: str, headers: dict[str, str], field: str
) -> None:
    """422 with the field, and no stream begins."""
    answer = httpx.get(f"{shared.url}{PATH}{query}", headers=headers)
    assert answer.status_code == 422
    assert field in answer.json()["field"]


def test_there_is_room_for_so_many(small: Service) -> None:
    """Then 503; whoever goes makes room, by closing the connection only."""
    with listen(small), listen(small), listen(small):
        wait_until(lambda: listeners(small) == 3)
        answer = httpx.get(small.url + PATH)
        assert answer.status_code == 503
        assert answer.json()["reason"] == "streams"
        assert answer.headers["retry-after"]
    wait_until(lambda: listeners(small) == 0)
    with listen(small) as events:
        assert take(events, 1)[0].name == "hello"


@pytest.mark.long
def test_who_does_not_read_is_let_go(service: Service) -> None:
    """The others hear everything; what waits for the slow one is bounded."""
    text = "x" * 40_000
    slow = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    slow.sendall(f"GET {PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    with slow, listen(service) as events:
        take(events, 1)
        wait_until(lambda: listeners(service) == 2)
        for start in range(0, 400, 50):
            some = range(start, start + 50)
            write(service, *(note(n, body={"text": text}) for n in some))
            assert len(take(events, 50)) == 50
        dropped = "smokejumper_stream_dropped_total"
        wait_until(lambda: meter(service, dropped) == 1)
        wait_until(lambda: listeners(service) == 1)


def test_a_stop_ends_the_streams_at_once(service: Service) -> None:
    """Each one ends as an answer should, and the exit is clean."""
    with listen(service) as one, listen(service, "?after=0") as other:
        take(one, 1)
        wait_until(lambda: listeners(service) == 2)
        assert service.stop() == 0
        # An answer that is cut off would raise here.
        assert take(one, 1) == take(other, 1) == []
    # What uvicorn says when it has waited in vain.
    assert "exceeded" not in service.log.read_text()


def test_curl_shows_it(service: Service) -> None:
    """Line by line, without a browser."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not here: apt-get install curl")
    write(service, note(1))
    with subprocess.Popen(
        [curl, "-sSN", "--max-time", "60", f"{service.url}{PATH}?after=0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        lines = []
        try:
            for line in program.stdout:
                lines.append(line.rstrip("\n"))
                if line.startswith("data:"):
                    break
        finally:
            program.kill()
    assert lines[0] == "retry: 2000"
    assert "event: test.written" in lines


def many(count: int) -> list[Note]:
    """Return some notes."""
    return [note(number) for number in range(count)]


@pytest.mark.real
def test_on_postgres_every_entry_arrives(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Written by other connections, seen once and in order."""
    url = postgres.make_database("stream_flow")
    settings = {"database": {"url": url}}
    with Service(tmp_path, settings) as running:
        ledgers = [Ledger(locate(url, running.folder), 10.0) for _ in range(2)]
        with listen(running) as events:
            (hello,) = take(events, 1)
            for number in range(40):
                with ledgers[number % 2].turn() as connection:
                    append(connection, 1, many(number % 4))
            total = sum(number % 4 for number in range(40))
            ids = [event.id for event in take(events, total)]
        for ledger in ledgers:
            ledger.close()
    assert ids == list(range(hello.id + 1, hello.id + 1 + total))


def test_it_says_whose_sight_it_is(tmp_path: Path) -> None:
    """By the name of what is shared: pages of somebody else can tell."""
    told = []
    with Service(tmp_path) as running:
        visitors = Visitors(running)
        for role in (Role.VIEWER, Role.APPROVER):
            with visitors.client(role) as client:
                status = client.get("/api/v1/status")
                with client.stream("GET", PATH) as answer:
                    assert answer.headers[SIGHT] == status.headers[SIGHT]
                told.append(status.headers[SIGHT])
        visitors.close()
    assert len(set(told)) == 2
