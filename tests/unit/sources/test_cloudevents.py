"""CloudEvents: what an event says."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.ingest.sources.cloudevents import EXAMPLE, Options
from app.models.alert import Severity, Status
from app.models.delivery import Unparsed
from tests.unit.sources.events import STRUCTURED, alert_of, binary, parse


def test_an_event_is_read() -> None:
    """Every field has its place."""
    headers = ((b"content-type", STRUCTURED),)
    (alert,) = parse(EXAMPLE, headers).alerts
    assert alert.name == "Backup failed"
    assert alert.status is Status.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.occurrence == "c3a1f0-0007"
    assert alert.starts_at == 1_795_227_242_418_000
    assert alert.summary.startswith("The nightly backup")
    assert alert.labels == {
        "host": "db-02",
        "subject": "orders-db",
        "source": "/clusters/berlin/backup",
        "type": "net.example.backup.failed",
        "severity": "error",
    }


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("a.b", {}, Status.FIRING),
        ("a.b", None, Status.FIRING),
        ("a.b", "text", Status.FIRING),
        ("a.b", {"status": "firing"}, Status.FIRING),
        ("a.b", {"status": "RESOLVED "}, Status.RESOLVED),
        ("a.b", {"state": "ok"}, Status.RESOLVED),
        ("a.b", {"state": "closed"}, Status.RESOLVED),
        ("a.b", {"state": "recovered"}, Status.RESOLVED),
        ("a.b", {"state": "normal"}, Status.RESOLVED),
        ("a.b", {"status": {"ok": 1}}, Status.FIRING),
        ("a.resolved", {}, Status.RESOLVED),
        ("a.Closed", {"status": "open"}, Status.RESOLVED),
        ("a.ok", None, Status.RESOLVED),
        ("a.notok", None, Status.FIRING),
    ],
)
def test_status_or_type_say_when_it_is_over(
    kind: str, content: Any, status: Status
) -> None:
    """What says nothing of it fires."""
    alert = alert_of(type=kind, data=content, time="2026-11-21T02:14:02Z")
    assert alert.status is status
    moment = 1_795_227_242_000_000
    is_over = status is Status.RESOLVED
    assert alert.ends_at == (moment if is_over else None)
    assert alert.starts_at == (None if is_over else moment)


@pytest.mark.parametrize(
    "content",
    [
        {"name": "Pump", "title": "x"},
        {"alertname": "Pump", "title": "x"},
        {"title": "Pump"},
    ],
)
def test_the_name_is_in_the_data(content: dict[str, str]) -> None:
    """The first of the usual places counts."""
    assert alert_of(data=content).name == "Pump"


def test_settings_say_where_status_and_name_stand() -> None:
    """Anybody's data can be read."""
    options = Options(
        status="data.check.result",
        name="data.check.id",
        resolved_values=("GREEN",),
    )
    content = {"check": {"result": "green", "id": "c-9"}}
    alert = alert_of(options, data=content)
    assert (alert.status, alert.name) == (Status.RESOLVED, "c-9")


@pytest.mark.parametrize("text", ["data.[", "no_such_function(@)", "&data"])
def test_a_wrong_expression_stops_the_start(text: str) -> None:
    """It is not found out with the first alert."""
    with pytest.raises(ValidationError, match="JMESPath"):
        Options(status=text)


def test_an_expression_that_does_not_fit_is_a_flaw() -> None:
    """A function that meets another type than it wants is no surprise."""
    options = Options(status="starts_with(data.status, 'r')")
    assert alert_of(options, data={"status": "red"}).status is Status.FIRING
    with pytest.raises(Unparsed) as caught:
        alert_of(options, data={"status": 5})
    assert caught.value.flaw.reason == "misfit"


def test_a_first_and_a_last_event_are_one_problem() -> None:
    """With another id each, and the phase at the end of the type."""
    first = alert_of(id="1", type="a.b.failed", subject="db")
    last = alert_of(id="2", type="a.b.resolved", subject="db")
    assert first.fingerprint == last.fingerprint
    assert first.occurrence != last.occurrence


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "/other"},
        {"subject": "other"},
        {"type": "net.example.valve"},
    ],
)
def test_another_place_or_kind_is_another_problem(
    changes: dict[str, Any],
) -> None:
    """Source, subject and type tell problems apart."""
    usual = alert_of(subject="p1").fingerprint
    assert alert_of(**{"subject": "p1", **changes}).fingerprint != usual


def test_without_a_subject_name_and_labels_tell_apart() -> None:
    """Not so the severity, which may change."""
    found = {
        alert_of(data=content).fingerprint
        for content in (
            {"name": "a"},
            {"name": "b"},
            {"name": "a", "labels": {"host": "x"}},
        )
    }
    assert len(found) == 3
    bad, worse = (
        alert_of(data={"name": "a", "severity": word})
        for word in ("warning", "critical")
    )
    assert bad.fingerprint == worse.fingerprint


@pytest.mark.parametrize("name", ["fingerprint", "dedupkey"])
def test_an_extension_names_the_problem(name: str) -> None:
    """The sender knows best."""
    changes: dict[str, Any] = {name: "pump-1"}
    assert alert_of(**changes).fingerprint == "pump-1"
    assert binary(b"", **{name: b"pump-1"}).fingerprint == "pump-1"


def test_only_plain_labels_are_taken() -> None:
    """And none of them overwrites where the event is from."""
    given: dict[str, Any] = {
        "n": 5,
        "on": True,
        "none": None,
        "deep": {},
        "source": "liar",
    }
    labels = alert_of(data={"labels": given}).labels
    assert labels == {
        "n": "5",
        "on": "true",
        "source": "/pumps",
        "type": "net.example.pump",
    }


@pytest.mark.parametrize("labels", [None, [], "x", 5])
def test_labels_of_another_shape_are_passed_over(labels: Any) -> None:
    """They are the sender's own affair."""
    assert set(alert_of(data={"labels": labels}).labels) == {"source", "type"}
