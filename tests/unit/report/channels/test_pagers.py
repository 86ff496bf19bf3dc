"""Pagers: one alert per incident, which is closed, and nothing pretended."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins import jira, opsgenie, pagerduty, signl4, splunk

from app.core.errors import OutgoingFailed
from app.models.message import Kind, Letter
from app.ports import Channel
from tests.unit.report.channels.receiver import Receiver, receiving
from tests.unit.report.channels.test_contract import send
from tests.unit.report.making import letter, make

KEY = "a" * 32
URLS = {
    "opsgenie": f"opsgenie://{KEY}",
    "pagerduty": f"pagerduty://{KEY}@{'b' * 20}",
    "splunk": f"splunk://team@{KEY}",
    "signl4": f"signl4://{KEY}",
    "jira": f"jira://{KEY}",
}


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Give a server that stands where the services are."""
    with receiving() as receiver:
        base = receiver.url
        monkeypatch.setitem(
            opsgenie.OPSGENIE_API_LOOKUP, "us", f"{base}/v2/alerts"
        )
        monkeypatch.setitem(jira.JIRA_API_LOOKUP, "us", f"{base}/v2/alerts")
        monkeypatch.setitem(
            pagerduty.PAGERDUTY_API_LOOKUP, "us", f"{base}/v2/enqueue"
        )
        monkeypatch.setattr(
            splunk.NotifySplunk, "notify_url", f"{base}/{{routing_key}}"
        )
        monkeypatch.setattr(
            signl4.NotifySIGNL4, "notify_url", f"{base}/{{secret}}"
        )
        yield receiver


def open_channel(folder: Path, url: str) -> Channel:
    """Return the channel of a pager."""
    section = {"kind": "apprise", "url": url, "timeout_seconds": 20}
    return make(folder, {"pager": section})["pager"]


def about(kind: str, **more: Any) -> Letter:
    """Return a letter about incident 7; each kind has its own title."""
    return letter(kind, key=f"sj-{kind}", title=f"{kind} of it", **more)


def posted(there: Receiver) -> list[tuple[str, dict[str, Any]]]:
    """Return what came: each path with its body."""
    return [(path, json.loads(body)) for path, _, body in there.got]


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_sent_has_left(
    tmp_path: Path, there: Receiver, name: str, kind: str
) -> None:
    """No kind is said to be sent when nothing went out."""
    send(open_channel(tmp_path, URLS[name]), about(kind))
    assert len(there.got) == 1


def test_pagerduty_has_one_alert_per_incident_and_resolves_it(
    tmp_path: Path, there: Receiver
) -> None:
    """A second letter about an incident pages nobody again."""
    channel = open_channel(tmp_path, URLS["pagerduty"])
    for kind in (Kind.ESCALATED, Kind.ASKED, Kind.EVIDENCE, Kind.FIXED):
        send(channel, about(kind))
    bodies = [body for _, body in posted(there)]
    assert {body["dedup_key"] for body in bodies} == {"smokejumper-7"}
    actions = [body["event_action"] for body in bodies]
    assert actions == ["trigger", "trigger", "trigger", "resolve"]
    assert bodies[2]["payload"]["severity"] == "info"
    # After a restart it is still the same alert.
    send(open_channel(tmp_path, URLS["pagerduty"]), about(Kind.CLOSED))
    _, last = posted(there)[-1]
    assert last["event_action"] == "resolve"
    assert last["dedup_key"] == "smokejumper-7"


def test_what_is_about_no_incident_is_one_alert_for_all_its_tries(
    tmp_path: Path, there: Receiver
) -> None:
    """A digest or a halt: its key is what it is known by."""
    channel = open_channel(tmp_path, URLS["pagerduty"])
    halted = about(Kind.HALTED)
    halted = Letter(
        key=halted.key,
        kind=halted.kind,
        title=halted.title,
        text=halted.text,
        facts=type(halted.facts)(kind=Kind.HALTED, at=1),
    )
    send(channel, halted)
    send(channel, halted)
    keys = [body["dedup_key"] for _, body in posted(there)]
    assert keys == ["sj-halted", "sj-halted"]


@pytest.mark.parametrize("name", ["opsgenie", "jira"])
def test_what_has_an_alias_is_closed_by_it(
    tmp_path: Path, there: Receiver, name: str
) -> None:
    """It is known also after a restart."""
    send(open_channel(tmp_path, URLS[name]), about(Kind.ESCALATED))
    send(open_channel(tmp_path, URLS[name]), about(Kind.FIXED))
    (path, opened), (closing, _) = posted(there)
    assert path == "/v2/alerts"
    assert opened["alias"] == "smokejumper-7"
    assert closing == "/v2/alerts/smokejumper-7/close?identifierType=alias"


def test_opsgenie_gets_evidence_as_something_of_its_own(
    tmp_path: Path, there: Receiver
) -> None:
    """A note to an alert that is not there would be lost: it is the least."""
    send(open_channel(tmp_path, URLS["opsgenie"]), about(Kind.EVIDENCE))
    ((path, body),) = posted(there)
    assert path == "/v2/alerts"
    assert (body["alias"], body["priority"]) == ("sj-evidence", "P5")
    assert "what happened" in body["description"]


def test_opsgenie_gets_what_is_urgent_by_how_bad_it_is(
    tmp_path: Path, there: Receiver
) -> None:
    """As the URL says it, whatever came before."""
    url = f"{URLS['opsgenie']}?priority=p1"
    channel = open_channel(tmp_path, url)
    send(channel, about(Kind.EVIDENCE))
    send(channel, about(Kind.ESCALATED))
    (_, low), (_, high) = posted(there)
    assert low["priority"] != high["priority"]


@pytest.mark.parametrize(
    ("name", "field", "done"),
    [
        ("splunk", "entity_id", ("message_type", "RECOVERY")),
        ("signl4", "X-S4-ExternalID", ("X-S4-Status", "resolved")),
    ],
)
def test_the_other_pagers_know_an_incident_again(
    tmp_path: Path,
    there: Receiver,
    name: str,
    field: str,
    done: tuple[str, str],
) -> None:
    """One alert per incident, and what is over closes it and no other."""
    channel = open_channel(tmp_path, URLS[name])
    send(channel, about(Kind.ESCALATED))
    send(channel, about(Kind.CLOSED))
    (_, opened), (_, closed) = posted(there)
    assert opened[field] == closed[field] == "smokejumper-7"
    assert closed[done[0]] == done[1]
    assert opened.get(done[0]) != done[1]


def test_what_the_url_says_is_left_as_it_is(
    tmp_path: Path, there: Receiver
) -> None:
    """Whoever wrote a key or an action there means it."""
    url = f"{URLS['pagerduty']}?dedup=mine&action=trigger"
    send(open_channel(tmp_path, url), about(Kind.FIXED))
    ((_, body),) = posted(there)
    assert (body["dedup_key"], body["event_action"]) == ("mine", "trigger")


def test_two_letters_at_once_are_about_their_own_alerts(
    tmp_path: Path, there: Receiver
) -> None:
    """What one is aimed at is nothing to the other."""
    channel = open_channel(tmp_path, URLS["pagerduty"])

    async def whole() -> None:
        """Send one about an incident, and some about none."""
        both = (about(Kind.ESCALATED), about(Kind.DIGEST))
        await asyncio.gather(*map(channel.send, [*both, *both]))

    asyncio.run(whole())
    keys = Counter(body["dedup_key"] for _, body in posted(there))
    assert keys == {"smokejumper-7": 4}


def test_a_pager_that_is_broken_is_tried_again(
    tmp_path: Path, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A close that failed has failed."""
    monkeypatch.setitem(
        opsgenie.OPSGENIE_API_LOOKUP, "us", "http://127.0.0.1:1/broken"
    )
    with pytest.raises(OutgoingFailed):
        send(open_channel(tmp_path, URLS["opsgenie"]), about(Kind.FIXED))
    assert there.got == []
