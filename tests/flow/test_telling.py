"""People are told by a real service, on real servers."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.deciding import firing
from tests.flow.telling import QUICK, Pager, TellingService
from tests.programs import free_port
from tests.unit.report.channels.receiver import collecting

TWO_LEVELS = [
    {
        "kinds": ["escalated"],
        "levels": [
            {"channels": ["first"]},
            {"channels": ["second"], "after_seconds": 3},
        ],
    }
]


@pytest.fixture
def first() -> Iterator[Pager]:
    """Return a receiver of letters."""
    with Pager() as pager:
        yield pager


@pytest.fixture
def second() -> Iterator[Pager]:
    """Return another one."""
    with Pager() as pager:
        yield pager


def log(service: TellingService, kind: str) -> list[dict[str, Any]]:
    """Return what the action log says of one kind."""
    return list(service.get("/log", kind=kind)["items"])


def test_an_incident_reaches_people_by_all_ways(
    first: Pager, tmp_path: Path
) -> None:
    """A signed POST and a real mail, and the API shows both."""
    port = free_port()
    mail = (
        f"mailto://127.0.0.1:{port}/?from=jump@example.com"
        "&to=ops@example.com&mode=insecure"
    )
    channels = {
        "hook": first.channel,
        "mail": {"kind": "apprise", "url": mail},
    }
    report = {"base_url": "https://jump.example.com"}
    with (
        collecting(port) as postbox,
        TellingService(tmp_path, channels, report) as service,
    ):
        service.hand_over("web-01")
        service.wait_for(lambda: first.letters and postbox.mails)
        service.wait_for(lambda: len(service.ways(state="sent")) == 2)
        (letter,) = first.letters
        (message,) = service.get("/messages")["items"]
        detail = service.get(f"/messages/{message['id']}")
        page = service.get("/channels")
        number = message["incident"]
        screen = f"/console/incidents/{number}"
        shown = httpx.get(f"{service.url}{screen}", timeout=60)
        assert service.stop() == 0
    assert letter["kind"] == message["kind"] == "escalated"
    assert letter["title"] == detail["title"]
    assert "web-01" in letter["title"]
    home = "https://jump.example.com"
    for link in (f"{home}{screen}", f"{home}/api/v1/incidents/{number}"):
        assert link in letter["text"].split()
    assert shown.status_code == 200
    assert "text/html" in shown.headers["content-type"]
    assert letter["facts"]["brain"] == "fake"
    content = postbox.mails[0].content
    assert isinstance(content, bytes)
    assert b"web-01" in content
    assert [one["channel"] for one in detail["dispatches"]] == ["hook", "mail"]
    assert [one["name"] for one in page] == ["hook", "mail"]
    assert {one["dead"] for one in page} == {0}


def test_a_letter_that_fails_is_sent_until_it_is_taken(
    first: Pager, tmp_path: Path
) -> None:
    """With one key for all its tries, and exactly once in the end."""
    first.status = 503
    with TellingService(tmp_path, {"first": first.channel}) as service:
        service.hand_over("web-01")
        service.wait_for(lambda: len(first.calls) >= 3)
        first.status = 200
        service.wait_for(lambda: service.ways(state="sent"))
        (way,) = service.ways()
    assert way["tries"] == len(first.calls)
    assert len({letter["key"] for letter, _ in first.calls}) == 1
    assert len(first.letters) == 1


def test_what_is_given_up_is_seen_and_sent_once_more(
    first: Pager, tmp_path: Path
) -> None:
    """By API and by command, with a line in the log and a figure."""
    first.status = 410
    with TellingService(tmp_path, {"first": first.channel}) as service:
        service.hand_over("web-01")
        service.wait_for(lambda: service.ways(state="dead"))
        (way,) = service.ways(state="dead", channel="first")
        (told,) = log(service, "message.dead")
        assert told["incident_id"] == way["incident"]
        listed = json.loads(service.run("messages", "dead", "--json").stdout)
        assert [one["id"] for one in listed] == [way["id"]]
        answer = service.post("/dispatches/999/retry", {"author": "ana"})
        assert answer.status_code == 404
        first.status = 200
        path = f"/dispatches/{way['id']}/retry"
        assert service.post(path, {"author": "ana"}).status_code == 200
        service.wait_for(lambda: service.ways(state="sent"))
        assert service.post(path, {"author": "ana"}).status_code == 409
        assert len(first.letters) == 1
        (retried,) = log(service, "message.retried")
        assert retried["actor"] == "person:ana"


def test_the_next_level_is_told_when_nobody_acknowledges(
    first: Pager, second: Pager, tmp_path: Path
) -> None:
    """And is spared of what somebody has acknowledged."""
    channels = {"first": first.channel, "second": second.channel}
    report = {"routes": TWO_LEVELS}
    with TellingService(tmp_path, channels, report) as service:
        service.hand_over("db-01")
        known = service.incident_of("db-01")
        answer = service.post(
            f"/incidents/{known}/acknowledge", {"author": "ana"}
        )
        assert answer.status_code == 201
        service.hand_over("web-01")
        left = service.incident_of("web-01")
        service.wait_for(lambda: second.letters)
        service.wait_for(lambda: service.ways(state="spared"))
        service.wait_for(lambda: not service.ways(state="waiting"))
        (spared,) = service.ways(state="spared")
        assert log(service, "message.spared")
    told = sorted(one["facts"]["incident"] for one in first.letters)
    assert told == sorted([known, left])
    assert [one["facts"]["incident"] for one in second.letters] == [left]
    assert (spared["incident"], spared["level"]) == (known, 2)
    assert "ana" in spared["reason"]


def test_a_storm_sends_digests_not_floods(
    first: Pager, tmp_path: Path
) -> None:
    """Two hundred incidents at once, and nobody is left out."""
    digest = {"most": 5, "window_seconds": 2, "every_seconds": 2}
    hosts = [f"web-{number:03}" for number in range(200)]
    report = {"digest": digest}
    channels = {"first": first.channel}
    with TellingService(tmp_path, channels, report) as service:
        began = time.monotonic()
        service.hand_over(*hosts)
        service.wait_for(
            lambda: len(service.get("/messages", limit=500)["items"]) == 200
        )
        service.wait_for(lambda: len(service.ways(state="sent")) == 200)
    alone = [one for one in first.letters if one["kind"] == "escalated"]
    digests = [one for one in first.letters if one["kind"] == "digest"]
    assert digests
    assert len(first.letters) < 100
    counted = sum(
        len(one["facts"]["sampled"]) + one["facts"]["more"] for one in digests
    )
    assert len(alone) + counted == 200
    # One of the five places of each window is the digest's.
    came = [first.came[one["key"]] for one in alone]
    for moment in came:
        assert sum(moment <= one < moment + 2 for one in came) <= 4
    # Digests are due each at a moment of its own, two seconds apart.
    last = max(first.came[one["key"]] for one in digests)
    assert len(digests) <= (last - began) / 2 + 1


def test_a_channel_is_tried_out(first: Pager, tmp_path: Path) -> None:
    """By API and by command: what came of it is said at once."""
    with TellingService(tmp_path, {"first": first.channel}) as service:
        tried = service.post("/channels/first/test", {"author": "ana"})
        assert tried.json()["sent"] is True
        first.status = 500
        tried = service.post("/channels/first/test", {"author": "ana"})
        assert tried.status_code == 200
        assert tried.json()["sent"] is False
        assert "500" in tried.json()["error"]
        first.status = 200
        unknown = service.post("/channels/nobody/test", {"author": "ana"})
        assert unknown.status_code == 404
        by_command = service.run(
            "messages", "test", "first", "--author", "bob", "--json"
        )
        assert json.loads(by_command.stdout)["sent"] is True
        actors = {one["actor"] for one in log(service, "channel.tested")}
    assert actors == {"person:ana", "person:bob"}
    assert [one["kind"] for one in first.letters] == ["test", "test"]


def test_without_channels_only_the_log_says_it(tmp_path: Path) -> None:
    """Nothing waits for anybody."""
    with TellingService(tmp_path, {}) as service:
        service.hand_over("web-01")
        service.wait_for(lambda: service.get("/messages")["items"])
        assert service.ways() == []
        shown = service.run("messages", "show", "1")
        assert "web-01" in shown.stdout
        assert service.run("messages", "show", "9").returncode == 1


def test_killed_before_it_is_written_down_nothing_is_lost(
    first: Pager, tmp_path: Path
) -> None:
    """The letter goes again after a kill -9, with the same key."""
    first.may_answer.clear()
    service = TellingService(tmp_path, {"first": first.channel})
    with service:
        service.hand_over("web-01")
        service.wait_for(lambda: first.calls)
        service.kill()
        first.may_answer.set()
        service.start()
        service.wait_for(lambda: service.ways(state="sent"))
        assert len(service.get("/messages")["items"]) == 1
    assert len({letter["key"] for letter, _ in first.calls}) == 1


def fire_once_more(service: TellingService, *hosts: str) -> None:
    """Let it be over, and begin anew: people get each incident again."""
    over = {"status": "resolved", "endsAt": "2026-11-21T03:00:00Z"}
    service.fire(*(firing(host) | over for host in hosts))
    service.wait_for(
        lambda: len(log(service, "incident.resolved")) == len(hosts)
    )
    service.fire(*(firing(host, second=9) for host in hosts))


def test_the_messages_of_an_incident_arrive_in_their_order(
    first: Pager, tmp_path: Path
) -> None:
    """Also when the first of them fails at first: what is later waits."""
    first.status = 503
    hosts = ("web-01", "web-02", "web-03")
    report = {"repeat_seconds": 0, "retries": {**QUICK, "tries": 1_000}}
    with TellingService(tmp_path, {"first": first.channel}, report) as service:
        service.hand_over(*hosts)
        service.wait_for(lambda: len(first.calls) >= 3)
        fire_once_more(service, *hosts)
        service.wait_for(lambda: len(service.ways(state="waiting")) == 6)
        tried = len(first.calls)
        service.wait_for(lambda: len(first.calls) >= tried + 6)
        first.status = 200
        service.wait_for(lambda: len(service.ways(state="sent")) == 6)
        told = service.get("/messages")["items"]
    for incident in {one["incident"] for one in told}:
        mine = sorted(one["id"] for one in told if one["incident"] == incident)
        calls = [
            (int(letter["key"].split("-")[2]), status)
            for letter, status in first.calls
            if letter["facts"]["incident"] == incident
        ]
        taken = [number for number, status in calls if status == 200]
        assert taken == mine
        # Nor was the later one tried while the earlier one was not taken.
        tried_numbers = [number for number, _ in calls]
        assert tried_numbers == sorted(tried_numbers)
        assert len(calls) > len(taken) == 2


def test_the_same_is_told_once_within_the_time_of_repetitions(
    first: Pager, tmp_path: Path
) -> None:
    """The second time is written down, with why it was not sent."""
    with TellingService(tmp_path, {"first": first.channel}) as service:
        service.hand_over("web-01")
        service.wait_for(lambda: service.ways(state="sent"))
        fire_once_more(service, "web-01")
        service.wait_for(lambda: service.ways(state="repeated"))
        (repeated,) = service.ways(state="repeated")
        # What is later is sent, so this one will not be.
        service.hand_over("web-02")
        service.wait_for(lambda: len(service.ways(state="sent")) == 2)
        assert len(service.get("/messages")["items"]) == 3
    assert repeated["tries"] == 0
    assert "before" in repeated["reason"]
    about = [one["facts"]["incident"] for one in first.letters]
    assert about.count(repeated["incident"]) == 1
    assert len(about) == 2
