"""Our incidents say what the real Alertmanager's own list says."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import pytest
import yaml

from app.models.alert import to_severity
from tests.beliefs import BeliefBook
from tests.real.alertmanager import Alertmanager, ended, make_alert
from tests.real.listing import Listing
from tests.real.waiting import wait_for
from tests.service import OPEN, Service

pytestmark = pytest.mark.real
FLAPPING = {"changes": 4, "within_seconds": 600, "calm_seconds": 4}
POLL = {"seconds": 0.3, "age_seconds": 0, "uptime_seconds": 0}
SOURCES: dict[str, Any] = {
    "alertmanager": {**OPEN, "poll": POLL},
    # Its notifications show two alerts of a group, whatever there is.
    "cut": {**OPEN, "type": "alertmanager", "poll": POLL},
    # Not believed that something is over, since it was just started.
    "young": {
        **OPEN,
        "type": "alertmanager",
        "poll": {**POLL, "uptime_seconds": 86_400},
    },
}
OFTEN = {"repeat_interval": "1s"}
POLLS = "smokejumper_polls_total"
WORST = ["unknown", "info", "warning", "error", "critical"]


class Lab(NamedTuple):
    """A service that is told by, and polls, three Alertmanagers."""

    service: Service
    listing: Listing
    book: BeliefBook
    members: dict[str, Alertmanager]

    def push(self, *alerts: Mapping[str, Any], to: str = "") -> None:
        """Tell an Alertmanager alerts, as Prometheus does."""
        self.members[to or "alertmanager"].push(*alerts)

    def listed(self, name: str) -> dict[str, dict[str, Any]]:
        """Return what the Alertmanagers list under a name."""
        return {
            alert["fingerprint"]: alert
            for member in self.members.values()
            for alert in member.alerts()
            if alert["labels"]["alertname"] == name
        }

    def agrees(self, name: str, state: str) -> bool:
        """Tell whether both say the same, and that state."""
        listed = self.listed(name)
        incident = self.book.incident(name=name)
        if listed.keys() != self.book.firing(name=name):
            return False
        if incident.get("state") != state:
            return False
        severities = [
            to_severity(alert["labels"]["severity"]).value
            for alert in listed.values()
        ]
        worst = max(severities, key=WORST.index, default=None)
        return worst in (None, incident["severity"])

    def wait_until(self, name: str, state: str) -> dict[str, Any]:
        """Return the incident of a name once both say the same of it."""
        wait_for(f"{name} {state}", lambda: self.agrees(name, state))
        return self.book.incident(name=name)

    def wait_for_polls(self, source: str, more: int) -> None:
        """Return when a source was polled so many more times."""
        before = self.listing.metric(POLLS, source=source)
        wait_for(
            f"{more} more polls of {source}",
            lambda: self.listing.metric(POLLS, source=source) >= before + more,
        )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a running service with its Alertmanagers."""
    folder = tmp_path_factory.mktemp("agreement")
    tree = {"sources": SOURCES, "incidents": {"flapping": FLAPPING}}
    service = Service(folder, tree)
    members = {}
    for name, more in {
        "alertmanager": {}, "cut": {"max_alerts": 2}, "young": {},
    }.items():  # fmt: skip
        webhook = {"url": f"{service.url}/webhooks/{name}", **more}
        members[name] = Alertmanager(folder / name, webhook, OFTEN)
    settings = yaml.safe_load(service.config.read_text())
    for name, member in members.items():
        source = settings["sources"][name]
        source["poll"] = {**source["poll"], "url": member.url}
    service.config.write_text(yaml.safe_dump(settings))
    with ExitStack() as running:
        running.enter_context(service)
        for member in members.values():
            running.enter_context(member)
        book = BeliefBook(service.database)
        running.callback(book.close)
        yield Lab(service, Listing(service.url), book, members)


def anew(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert that begins again, after its last end."""
    return {
        **alert,
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": (datetime.now(UTC) + timedelta(minutes=10)).isoformat(),
    }


def test_fire_repeat_resolve_and_fire_again(lab: Lab) -> None:
    """At each step the incident stands where Alertmanager says."""
    alert = make_alert("Story", instance="story-01")
    lab.push(alert)
    incident = lab.wait_until("Story", "open")
    assert incident["severity"] == "warning"
    firing = lab.listing.wait_for_alert(name="Story", status="firing")
    lab.listing.wait_for_repeat(firing)
    assert len(lab.book.episodes(name="Story")) == 1
    lab.push(ended(alert))
    assert lab.wait_until("Story", "resolved")["reason"] == ""
    lab.push(anew(alert))
    again = lab.wait_until("Story", "open")
    assert again["id"] == incident["id"]
    assert len(lab.book.episodes(name="Story")) == 2
    kinds = [k for k in lab.book.log(incident["id"]) if "incident." in k]
    assert kinds == [
        "incident.opened",
        "incident.resolved",
        "incident.joined",
        "incident.reopened",
    ]


def test_fired_again_with_the_start_that_had_ended(lab: Lab) -> None:
    """Alertmanager merges overlapping alerts; the poll sees that it fires."""
    alert = make_alert("Overlap", instance="overlap-01")
    lab.push(alert)
    lab.wait_until("Overlap", "open")
    lab.push(ended(alert))
    lab.wait_until("Overlap", "resolved")
    lab.push(alert)
    lab.wait_until("Overlap", "open")


def test_a_worse_severity_is_the_incidents(lab: Lab) -> None:
    """Another severity is another alert there, the same incident here."""
    mild = make_alert("Worse", instance="worse-01")
    labels = {**mild["labels"], "severity": "critical"}
    lab.push(mild)
    first = lab.wait_until("Worse", "open")
    lab.push(ended(mild), {**mild, "labels": labels})
    wait_for(
        "critical",
        lambda: lab.book.incident(name="Worse")["severity"] == "critical",
    )
    assert lab.wait_until("Worse", "open")["id"] == first["id"]


def test_five_symptoms_resolve_one_by_one(lab: Lab) -> None:
    """The incident is open until the last of them is over."""
    alerts = [
        make_alert("Five", instance="five-01", disk=str(n)) for n in range(5)
    ]
    lab.push(*alerts)
    wait_for("all five", lambda: len(lab.book.firing(name="Five")) == 5)
    lab.wait_until("Five", "open")
    lab.push(*map(ended, alerts[:4]))
    wait_for("four ends", lambda: len(lab.book.firing(name="Five")) == 1)
    lab.wait_until("Five", "open")
    lab.push(ended(alerts[4]))
    lab.wait_until("Five", "resolved")


def test_what_comes_and_goes_is_flapping(lab: Lab) -> None:
    """It is held back while it flaps, and resolved when it is calm."""
    alert = make_alert("Flap", instance="flap-01")
    lab.push(alert)
    incident = lab.wait_until("Flap", "open")
    lab.push(ended(alert))
    lab.wait_until("Flap", "resolved")
    alert = anew(alert)
    lab.push(alert)
    lab.wait_until("Flap", "open")
    lab.push(ended(alert))
    wait_for("calm", lambda: lab.agrees("Flap", "resolved"))
    assert "incident.suppressed" in lab.book.log(incident["id"])
    assert lab.book.incident(name="Flap")["id"] == incident["id"]


def test_an_end_under_a_silence_is_found(lab: Lab) -> None:
    """Alertmanager never tells it; its list does."""
    alert = make_alert("Silenced", instance="silenced-01")
    lab.push(alert)
    lab.wait_until("Silenced", "open")
    now = datetime.now(UTC)
    silence = {
        "matchers": [
            {"name": "alertname", "value": "Silenced", "isRegex": False}
        ],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "olga",
        "comment": "I know",
    }
    url = f"{lab.members['alertmanager'].url}/api/v2/silences"
    httpx.post(url, json=silence).raise_for_status()
    wait_for(
        "silence",
        lambda: all(
            one["status"]["state"] == "suppressed"
            for one in lab.listed("Silenced").values()
        ),
    )
    lab.wait_for_polls("alertmanager", 3)
    assert lab.book.state(name="Silenced") == "open"
    lab.push(ended(alert))
    incident = lab.wait_until("Silenced", "resolved")
    assert incident["reason"] == ""


def test_what_max_alerts_hides_is_found_and_resolved(lab: Lab) -> None:
    """Three of five never come by webhook, nor do their ends."""
    alerts = [make_alert("Cut", instance=f"cut-{n}") for n in range(5)]
    lab.push(*alerts, to="cut")
    wait_for("all five", lambda: len(lab.book.firing(name="Cut")) == 5)
    assert lab.listed("Cut").keys() == lab.book.firing(name="Cut")
    assert lab.listing.metric("smokejumper_poll_alerts_total", source="cut")
    lab.push(*map(ended, alerts), to="cut")
    wait_for("no listed", lambda: not lab.listed("Cut"))
    wait_for("five ends", lambda: not lab.book.firing(name="Cut"))
    states = {
        lab.book.state(fingerprint=row["fingerprint"])
        for row in lab.book.episodes(name="Cut")
    }
    assert states == {"resolved"}


def test_an_alertmanager_that_forgot_everything_ends_nothing(
    lab: Lab,
) -> None:
    """After its restart its list is empty; that says nothing."""
    lab.push(make_alert("Kept", instance="kept-01"), to="young")
    lab.wait_until("Kept", "open")
    member = lab.members["young"]
    member.__exit__()
    wait_for(
        "failed poll",
        lambda: lab.listing.metric(
            "smokejumper_poll_failures_total", source="young"
        ),
    )
    member.__enter__()
    lab.wait_for_polls("young", 4)
    assert lab.listed("Kept") == {}
    assert lab.book.state(name="Kept") == "open"
