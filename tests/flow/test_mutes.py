"""Mutes over HTTP and by the command line, on a running service."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.models.tables import EntryRow, IncidentRow
from app.store.ledger import Ledger
from app.store.location import locate
from tests.service import Service

DEADLINE_SECONDS = 15.0
BODY = {
    "matchers": ['{target="web-01"}'],
    "from": "2026-01-01T00:00:00Z",
    "until": "2026-12-31T00:00:00Z",
    "author": "ana",
    "comment": "kernel updates",
}
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:weekly
SUMMARY:reboots
DTSTART;TZID=Europe/Berlin:20260104T020000
DTEND;TZID=Europe/Berlin:20260104T040000
RRULE:FREQ=WEEKLY;BYDAY=SU
END:VEVENT
END:VCALENDAR
"""


class Desk:
    """A running service, and what its database says."""

    def __init__(self, service: Service) -> None:
        self.service = service
        url = f"sqlite:///{service.database}"
        self._ledger = Ledger(locate(url, service.folder), 5.0)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request to the API of mutes."""
        url = f"{self.service.url}/api/v1/mutes{path}"
        return httpx.request(method, url, timeout=10.0, **more)

    def fire(self, host: str) -> None:
        """Let an alert fire."""
        alert = {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "instance": host},
            "annotations": {},
            "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "",
            "fingerprint": host,
        }
        payload = {"version": "4", "status": "firing", "alerts": [alert]}
        url = f"{self.service.url}/webhooks/alertmanager"
        assert httpx.post(url, json=payload).status_code == 202

    def rows(self, table: Any) -> list[Any]:
        """Return the rows of a table by id."""
        query = select(table.__table__).order_by(table.id)
        with self._ledger.turn() as connection:
            return list(connection.execute(query))

    def states(self) -> dict[str, str]:
        """Return where the incident of each target stands."""
        return {r.target_name: r.state for r in self.rows(IncidentRow)}

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Return when something is so, or fail at the deadline."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.05)

    def close(self) -> None:
        """Give back the connection."""
        self._ledger.close()


@pytest.fixture
def desk(service: Service) -> Iterator[Desk]:
    """Return a running service of its own."""
    made = Desk(service)
    yield made
    made.close()


def test_a_mute_from_its_beginning_to_its_end(desk: Desk) -> None:
    """Added, seen, listed, ended: living incidents follow by themselves."""
    desk.fire("web-01")
    desk.wait_for(lambda: desk.states() == {"web-01": "open"})
    added = desk.ask("POST", "", json=BODY)
    assert added.status_code == 201
    mute = added.json()
    assert mute["state"] == "on"
    assert mute["active_until"] == "2026-12-31T00:00:00Z"
    assert mute["next_at"] is None
    desk.wait_for(lambda: desk.states() == {"web-01": "suppressed"})
    assert desk.ask("GET", f"/{mute['id']}").json() == mute
    who = {"author": "ben", "comment": "it went well"}
    ended = desk.ask("DELETE", f"/{mute['id']}", params=who)
    assert ended.json()["state"] == "over"
    desk.wait_for(lambda: desk.states() == {"web-01": "open"})
    kinds = [row.kind for row in desk.rows(EntryRow)]
    assert kinds[-2:] == ["mute.ended", "incident.released"]
    assert desk.ask("DELETE", f"/{mute['id']}", params=who).status_code == 409


def test_the_list_goes_page_by_page(desk: Desk) -> None:
    """Newest first, those that are over apart."""
    for _ in range(3):
        desk.ask("POST", "", json=BODY)
    who = {"author": "ben", "comment": "done"}
    desk.ask("DELETE", "/2", params=who)
    first = desk.ask("GET", "?limit=2").json()
    assert [one["id"] for one in first["items"]] == [3, 2]
    rest = httpx.get(f"{desk.service.url}{first['next']}").json()
    assert [one["id"] for one in rest["items"]] == [1]
    assert rest["next"] is None
    over = desk.ask("GET", "?over=true").json()["items"]
    assert [one["id"] for one in over] == [2]


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("matchers", {"matchers": ["target"]}),
        ("matchers", {"matchers": ['target=~".*"']}),
        ("matchers", {"matchers": ['target=~"("']}),
        ("matchers", {"matchers": ['target!=""']}),
        ("from", {"from": "2026-01-01T00:00:00"}),
        ("zone", {"zone": "Mars/Base"}),
        ("times", {"until": "2025-01-01T00:00:00Z"}),
        ("times", {"rule": "FREQ=HOURLY"}),
        ("times", {"until": "2026-01-02T00:00:00Z"}),
        ("author", {"author": " "}),
        ("comment", {"comment": "a\nb"}),
    ],
)
def test_what_makes_no_sense_is_refused(
    desk_of_all: Desk, field: str, more: dict[str, Any]
) -> None:
    """422 with the field; nothing is written."""
    answer = desk_of_all.ask("POST", "", json={**BODY, **more})
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert desk_of_all.ask("GET", "").json()["items"] == []


@pytest.fixture(scope="module")
def desk_of_all(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """Return a running service to which nothing is added."""
    with Service(tmp_path_factory.mktemp("mutes")) as service:
        made = Desk(service)
        yield made
        made.close()


def test_a_mute_that_is_not_there(desk_of_all: Desk) -> None:
    """404, for reading and for ending."""
    who = {"author": "ben", "comment": "done"}
    assert desk_of_all.ask("GET", "/9").status_code == 404
    assert desk_of_all.ask("DELETE", "/9", params=who).status_code == 404
    assert desk_of_all.ask("DELETE", "/9").status_code == 422


def test_a_calendar_is_imported_twice(desk: Desk) -> None:
    """The second time nothing is doubled; local hours stay local."""
    query = {"author": "ana", "matcher": "target=~web-.*"}
    kind = {"content-type": "text/calendar; charset=utf-8"}
    for outcome in ("added", "unchanged"):
        answer = desk.ask(
            "POST", "/import", params=query, content=CALENDAR, headers=kind
        )
        (event,) = answer.json()["events"]
        assert event["outcome"] == outcome
    (mute,) = desk.ask("GET", "").json()["items"]
    assert (mute["kind"], mute["uid"]) == ("maintenance", "weekly")
    assert mute["matchers"] == '{target=~"web-.*"}'
    assert mute["zone"] == "Europe/Berlin"


def test_a_calendar_that_is_none_is_refused(desk_of_all: Desk) -> None:
    """By its type, its size or what stands in it."""
    kind = {"content-type": "text/calendar"}
    query = {"author": "ana"}
    for content, headers, status in (
        (CALENDAR, {"content-type": "application/json"}, 415),
        ("x" * 300_000, kind, 413),
        ("hello", kind, 422),
        (CALENDAR, kind, 422),
    ):
        answer = desk_of_all.ask(
            "POST", "/import", params=query, content=content, headers=headers
        )
        assert answer.status_code == status, answer.text
        assert answer.json()["remedy"]


def test_a_calendar_that_takes_too_long_is_refused(
    desk_of_all: Desk,
) -> None:
    """By request and by rule; nothing of it is written."""
    hours = ",".join(map(str, range(24)))
    rule = f"FREQ=DAILY;COUNT=9999;BYHOUR={hours};BYMONTH=1;BYDAY=MO"
    old = CALENDAR.replace("2026", "1970")
    old = old.replace("FREQ=WEEKLY;BYDAY=SU", rule)
    query = {"author": "ana", "matcher": "target=~web-.*"}
    kind = {"content-type": "text/calendar"}
    answer = desk_of_all.ask(
        "POST", "/import", params=query, content=old, headers=kind
    )
    assert (answer.status_code, answer.json()["field"]) == (422, "RRULE")
    assert "'reboots' (weekly)" in answer.json()["detail"]
    begun = {"from": "1970-01-04T00:00:00Z", "until": "1970-01-04T01:00:00Z"}
    body = {**BODY, **begun, "rule": rule}
    answer = desk_of_all.ask("POST", "", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "times")
    assert desk_of_all.ask("GET", "").json()["items"] == []


def test_the_commands_work_while_the_service_runs(
    desk: Desk, tmp_path: Path
) -> None:
    """Add, list, end and import; the service sees it within its next look."""
    run = desk.service.run
    desk.fire("web-01")
    who = ("--author", "ana", "--comment", "kernel updates")
    span = ("--from", "2026-01-01T00:00:00Z", "--until", "2026-12-31T00:00Z")
    done = run("mute", "add", *who, *span, "-m", "target=web-01", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["state"] == "on"
    desk.wait_for(lambda: desk.states() == {"web-01": "suppressed"})
    assert "kernel updates" in run("mutes").stdout
    assert run("mute", "end", "1", *who).returncode == 0
    desk.wait_for(lambda: desk.states() == {"web-01": "open"})
    file = tmp_path / "windows.ics"
    file.write_text(CALENDAR)
    more = ("--author", "ana", "-m", "target=web-01")
    done = run("mute", "import", str(file), *more, "--json")
    assert json.loads(done.stdout)[0]["outcome"] == "added"
    listed = json.loads(run("mutes", "--json").stdout)
    assert [one["id"] for one in listed] == [2]


def test_a_command_says_what_is_wrong(desk_of_all: Desk) -> None:
    """One line and exit 1, no traceback."""
    who = ("--author", "ana", "--comment", "c")
    span = ("--from", "2026-01-01T00:00", "--until", "2026-12-31T00:00Z")
    run = desk_of_all.service.run
    for arguments in (
        ("mute", "add", *who, *span, "-m", "a=b"),
        ("mute", "add", *who, *span),
        ("mute", "end", "99", *who),
    ):
        done = run(*arguments)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()
