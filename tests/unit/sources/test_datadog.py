"""Datadog: our template, and the body that it sends without one."""

import json
from typing import Any, cast

import pytest

from app.ingest.sources.datadog import EXAMPLE, plugin
from app.models.alert import Alert, Severity, Status
from app.models.delivery import Delivery, Unparsed
from app.ports import SourceEnv

SOURCE = plugin(cast(SourceEnv, None))  # it asks nothing of its surroundings
MOMENT = 1_795_227_242_000_000


def parse(body: bytes) -> Alert:
    """Return the one alert of a body."""
    delivery = Delivery(source="datadog", body=body, received_at=0)
    (alert,) = SOURCE.parse(delivery).alerts
    return alert


def alert_of(**changes: Any) -> Alert:
    """Return the alert of the example with some fields changed."""
    fields = {**json.loads(EXAMPLE), **changes}
    kept = {name: text for name, text in fields.items() if text is not None}
    return parse(json.dumps(kept).encode())


def default_body(title: str, **changes: Any) -> bytes:
    """Return what Datadog sends when nobody wrote a template."""
    fields = {
        "body": "The disk has 3 % left.",
        "last_updated": "1795227242000",
        "event_type": "query_alert_monitor",
        "title": title,
        "date": "1795227242000",
        "org": {"id": "12", "name": "Example"},
        "id": "6512",
        **changes,
    }
    return json.dumps(fields).encode()


def test_the_template_is_read() -> None:
    """Every field has its place."""
    alert = alert_of()
    assert alert.fingerprint == "b7c1f3a0d52e4c68:env:prod,host:shop-04"
    assert alert.status is Status.FIRING
    assert alert.occurrence == "5519037284410021"
    assert alert.severity is Severity.ERROR
    assert alert.starts_at == MOMENT
    assert alert.ends_at is None
    assert alert.url == "https://app.datadoghq.eu/monitors/7450118"
    assert alert.labels == {
        "env": "prod",
        "service": "checkout",
        "host": "shop-04",
        "alert_id": "7450118",
        "scope": "env:prod,host:shop-04",
        "metric": "trace.http.request.duration",
        "priority": "P2",
    }
    assert alert.annotations["message"] == "The 5 minute average is 3.1 s."


@pytest.mark.parametrize(
    ("transition", "kind", "status"),
    [
        ("Triggered", "error", Status.FIRING),
        ("Re-Triggered", "error", Status.FIRING),
        ("Warn", "warning", Status.FIRING),
        ("Re-Warn", "warning", Status.FIRING),
        ("No Data", "error", Status.FIRING),
        ("Re-No Data", "error", Status.FIRING),
        ("Renotify", "error", Status.FIRING),
        ("RECOVERED", "success", Status.RESOLVED),
        ("Recovered", None, Status.RESOLVED),
        ("Triggered", "success", Status.FIRING),
        ("Null", "success", Status.RESOLVED),
        (None, "Success", Status.RESOLVED),
        ("Null", "error", Status.UPDATED),
        ("$ALERT_TRANSITION", "info", Status.UPDATED),
        (None, None, Status.UPDATED),
    ],
)
def test_each_transition_has_a_status(
    transition: str | None, kind: str | None, status: Status
) -> None:
    """The transition rules; the type speaks only where it says nothing."""
    assert alert_of(transition=transition, type=kind).status is status


def test_the_recovery_ends_the_same_alert() -> None:
    """Fingerprint and occurrence pair it with its trigger."""
    over = alert_of(transition="Recovered", type="success")
    begun = alert_of()
    assert over.fingerprint == begun.fingerprint
    assert over.occurrence == begun.occurrence
    assert (over.starts_at, over.ends_at) == (None, MOMENT)


@pytest.mark.parametrize(
    ("changes", "fingerprint"),
    [
        ({}, "b7c1f3a0d52e4c68:env:prod,host:shop-04"),
        ({"scope": "$ALERT_SCOPE"}, "b7c1f3a0d52e4c68"),
        ({"aggregate": None}, "7450118:env:prod,host:shop-04"),
        ({"aggregate": "$AGGREG_KEY", "scope": None}, "7450118"),
        ({"aggregate": None, "alert_id": 7450118, "scope": ""}, "7450118"),
    ],
)
def test_the_aggregate_or_the_monitor_and_its_scope_identify(
    changes: dict[str, Any], fingerprint: str
) -> None:
    """Two hosts of one monitor are two problems."""
    assert alert_of(**changes).fingerprint == fingerprint


@pytest.mark.parametrize("cycle", [None, "", "$ALERT_CYCLE_KEY"])
def test_without_a_cycle_the_status_tells_repeats(cycle: str | None) -> None:
    """An occurrence is never made up."""
    assert alert_of(cycle=cycle).occurrence is None


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"priority": "P1"}, Severity.CRITICAL),
        ({"priority": "P5"}, Severity.INFO),
        ({"priority": "$ALERT_PRIORITY"}, Severity.ERROR),
        ({"priority": None, "type": "warning"}, Severity.WARNING),
        ({"priority": "P1", "transition": "Re-Warn"}, Severity.WARNING),
        ({"priority": None, "type": "success"}, Severity.UNKNOWN),
    ],
)
def test_how_bad_it_is(changes: dict[str, Any], severity: Severity) -> None:
    """The priority counts before the type, a warning before both."""
    assert alert_of(**changes).severity is severity


def test_variables_without_a_value_are_missing() -> None:
    """Datadog leaves them as they stand in the template."""
    alert = alert_of(
        host="$HOSTNAME",
        tags="$TAGS",
        message="$EVENT_MSG",
        link="$LINK",
        date="$DATE",
        metric="$TAGS[service]",
    )
    assert "$" not in repr(alert.labels) + repr(alert.annotations)
    assert alert.url == ""
    assert alert.starts_at is None


def test_a_dollar_in_a_text_is_no_variable() -> None:
    """Only a value that is nothing but a variable is missing."""
    assert alert_of(message="costs $HOME money").annotations["message"]


@pytest.mark.parametrize(
    ("tags", "labels"),
    [
        ("a:b,c:d", {"a": "b", "c": "d"}),
        (" a:b , c:d ", {"a": "b", "c": "d"}),
        ("url:http://x:80/", {"url": "http://x:80/"}),
        ("urgent", {"urgent": ""}),
        ("team:web,team:shop", {"team": "web,shop"}),
        (",,:x,", {}),
        ("host:liar", {"host": "shop-04"}),
    ],
)
def test_tags_become_labels(tags: str, labels: dict[str, str]) -> None:
    """No tag overwrites what the event itself says."""
    found = alert_of(tags=tags, metric=None, scope=None, priority=None).labels
    expected = {"alert_id": "7450118", "host": "shop-04", **labels}
    assert found == expected


def test_the_names_of_the_variables_are_fields_too() -> None:
    """A template of the form NAME: $NAME needs no thought."""
    body = {
        "ALERT_ID": "9",
        "ALERT_CYCLE_KEY": "77",
        "ALERT_TRANSITION": "Warn",
        "ALERT_TITLE": "Queue is long",
        "ALERT_SCOPE": "queue:mail",
        "HOSTNAME": "relay-1",
        "EVENT_MSG": "1,840 wait",
    }
    alert = parse(json.dumps(body).encode())
    assert alert.fingerprint == "9:queue:mail"
    assert alert.occurrence == "77/warning"
    assert alert.name == "Queue is long"
    assert alert.labels["host"] == "relay-1"


def test_the_default_body_is_read_by_its_title() -> None:
    """Trigger and recovery are one problem, another host is another."""
    begun = parse(default_body("[P2] [Triggered on {host:a}] Disk is full"))
    over = parse(
        default_body("[P2] [Recovered on {host:a}] Disk is full", id="6513")
    )
    other = parse(default_body("[P2] [Triggered on {host:b}] Disk is full"))
    assert (begun.status, over.status) == (Status.FIRING, Status.RESOLVED)
    assert begun.fingerprint == over.fingerprint != other.fingerprint
    assert begun.occurrence is None
    assert begun.name == "[P2]  Disk is full"
    assert begun.annotations["message"] == "The disk has 3 % left."
    assert begun.starts_at == MOMENT
    assert over.ends_at == MOMENT


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("[Re-Triggered] Disk", Status.FIRING),
        ("[No Data on {host:a}] Disk", Status.FIRING),
        ("[Re-No Data] Disk", Status.FIRING),
        ("[TEST] Disk", Status.UPDATED),
        ("Disk was Recovered", Status.UPDATED),
        ("[Recoveredish] Disk", Status.UPDATED),
    ],
)
def test_only_a_bracket_of_the_title_is_a_transition(
    title: str, status: Status
) -> None:
    """People's words in a title are no state."""
    assert parse(default_body(title)).status is status


def test_a_title_of_nothing_but_a_transition_is_a_name() -> None:
    """An alert always has one."""
    assert parse(default_body("[Triggered]")).name == "[Triggered]"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"null", "wrong_shape"),
        (b"[]", "wrong_shape"),
        (b"{}", "missing"),
        (b'"x"', "wrong_shape"),
        (b'{"title": ', "not_json"),
        (b'{"title": "\xff\xfe"}', "not_json"),
        (b"[" * 100_000, "wrong_shape"),
        (b'{"title":' * 100_000, "not_json"),
        (b'{"title": "$ALERT_TITLE"}', "missing"),
        (b'{"title": {"a": 1}}', "missing"),
        (b'{"title": null}', "missing"),
    ],
)
def test_what_is_no_event_goes_into_quarantine(
    body: bytes, reason: str
) -> None:
    """The reason and the place are told."""
    with pytest.raises(Unparsed) as caught:
        parse(body)
    assert caught.value.flaw.reason == reason
    assert caught.value.flaw.field.startswith("$")


def test_a_title_full_of_brackets_is_read_at_once() -> None:
    """A hostile title does not lead to a search without end."""
    title = "[Triggered" * 80_000
    assert parse(default_body(title)).status is Status.UPDATED


def test_a_warning_that_gets_worse_is_a_new_message() -> None:
    """The alert of a cycle is not taken for a repeat of its warning."""
    warned = alert_of(transition="Warn")
    alerted = alert_of(transition="Triggered")
    assert warned.fingerprint == alerted.fingerprint
    assert warned.occurrence != alerted.occurrence
