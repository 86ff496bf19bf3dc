"""People are told by a real service, on real servers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.telling import Pager, TellingService
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
        assert service.stop() == 0
    number = message["incident"]
    assert letter["kind"] == message["kind"] == "escalated"
    assert letter["title"] == detail["title"]
    assert "web-01" in letter["title"]
    link = f"https://jump.example.com/api/v1/incidents/{number}"
    assert link in letter["text"]
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
