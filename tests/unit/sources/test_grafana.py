"""Grafana's webhook, of today and of before version 9."""

import json
from typing import Any

import pytest

from app.ingest.sources.grafana import EXAMPLE
from app.models.alert import Severity, Status
from tests.unit.sources.making import (
    flaw_of,
    make_source,
    moment,
    only_alert,
    parse,
)

SOURCE = make_source("grafana")
LEGACY = {
    "title": "[Alerting] Room is warm",
    "ruleId": 31,
    "ruleName": "Room is warm",
    "ruleUrl": "http://grafana.example.net/d/room",
    "state": "alerting",
    "message": "look at the fans",
    "tags": {"severity": "high"},
    "evalMatches": [
        {"metric": "temp", "value": 41.5, "tags": {"host": "rack-2"}}
    ],
}


def make_alert(**changes: object) -> dict[str, Any]:
    """Return one alert as Grafana sends it, with changes."""
    alert: dict[str, Any] = json.loads(EXAMPLE)["alerts"][0]
    return {**alert, **changes}


def make_group(*alerts: object, **changes: object) -> dict[str, Any]:
    """Return a notification about alerts, with changes."""
    group: dict[str, Any] = json.loads(EXAMPLE)
    return {**group, "alerts": list(alerts), **changes}


def test_an_alert_is_read_field_by_field() -> None:
    """Each field lands where the rest of the product looks for it."""
    alert = only_alert(SOURCE, EXAMPLE)
    assert alert.fingerprint == "0c41d7a9be5582f6"
    assert alert.status is Status.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.starts_at == moment("2026-11-21T02:31:10Z")
    assert alert.occurrence == str(alert.starts_at)
    assert alert.ends_at is None
    assert alert.url.endswith("/alerting/grafana/q1")
    assert alert.labels["instance"] == "orders-01"
    assert "grafana_state" not in alert.labels
    assert json.loads(alert.annotations["values"]) == {"B": 12000, "C": 1}
    assert alert.annotations["valueString"] == "[ var='B' value=12000 ]"


def test_a_rules_own_annotation_is_not_overwritten() -> None:
    """A rule may have an annotation with the name of one of ours."""
    own = make_alert(annotations={"values": "many"})
    alert = only_alert(SOURCE, make_group(own))
    assert alert.annotations["values"] == "many"


@pytest.mark.parametrize("values", [None, {}, {"A": None}, {"A": 1e300}, "x"])
def test_values_may_be_anything(values: object) -> None:
    """They are for people; a strange one does not cost the alert."""
    alert = only_alert(SOURCE, make_group(make_alert(values=values)))
    assert alert.name == "Queue grows"
    assert ("values" in alert.annotations) == (values is not None)


def test_values_in_no_encoding_do_not_cost_the_alert() -> None:
    """They are passed on as they are written, with a mark for odd bytes."""
    body = EXAMPLE.replace(b'{"B": 12000, "C": 1}', b'{"\xff": 1}')
    alert = only_alert(SOURCE, body)
    assert alert.annotations["values"] == '{"\N{REPLACEMENT CHARACTER}": 1}'


@pytest.mark.parametrize(
    ("name", "state"),
    [("DatasourceNoData", "nodata"), ("DatasourceError", "error")],
)
def test_trouble_with_the_data_source_is_marked(name: str, state: str) -> None:
    """It says nothing about the target, and the fingerprint stays."""
    labels = {"alertname": name, "rulename": "CPU", "grafana_state": "fine"}
    given = make_alert(labels=labels)
    alert = only_alert(SOURCE, make_group(given))
    assert alert.name == name
    assert alert.labels == labels | {"grafana_state": state}
    assert alert.fingerprint == given["fingerprint"]


def test_the_test_button_brings_no_alert() -> None:
    """It is told what it was instead."""
    labels = {"alertname": "TestAlert", "instance": "Grafana"}
    parsed = parse(SOURCE, make_group(make_alert(labels=labels)))
    assert parsed.alerts == ()
    assert parsed.unparsed == ()
    assert parsed.note == "test message"


def test_a_rule_may_be_called_like_the_test() -> None:
    """Only name and instance together make the test."""
    labels = {"alertname": "TestAlert", "instance": "web-1"}
    alert = only_alert(SOURCE, make_group(make_alert(labels=labels)))
    assert alert.name == "TestAlert"


def test_a_broken_alert_does_not_spoil_the_others() -> None:
    """The good ones are taken; each flaw says where it is."""
    group = make_group(
        make_alert(),
        make_alert(status="alerting"),
        make_alert(status="resolved", annotations=None),
        make_alert(labels=None),
        truncatedAlerts=2,
    )
    parsed = parse(SOURCE, group)
    statuses = [alert.status for alert in parsed.alerts]
    assert statuses == [Status.FIRING, Status.RESOLVED]
    assert [flaw.field for flaw in parsed.unparsed] == [
        "$.alerts[1].status",
        "$.alerts[3].labels",
    ]
    assert parsed.truncated == 2


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("alerting", Status.FIRING),
        ("no_data", Status.FIRING),
        ("ok", Status.RESOLVED),
        ("paused", Status.RESOLVED),
        ("pending", Status.UPDATED),
    ],
)
def test_legacy_states(state: str, status: Status) -> None:
    """Before Grafana 9 a rule had a state and no list of alerts."""
    alert = only_alert(SOURCE, {**LEGACY, "state": state})
    assert alert.status is status
    assert alert.fingerprint == "legacy:31"
    assert alert.occurrence is None
    assert ("grafana_state" in alert.labels) == (state == "no_data")


def test_a_legacy_alert_is_read_field_by_field() -> None:
    """One series is the target; the rule's tags are labels."""
    alert = only_alert(SOURCE, LEGACY)
    assert alert.name == "Room is warm"
    assert alert.severity is Severity.ERROR
    assert alert.summary == "look at the fans"
    expected = {"severity": "high", "host": "rack-2", "ruleId": "31"}
    assert alert.labels == expected
    assert alert.annotations == {"values": "temp: 41.5"}
    assert alert.url == "http://grafana.example.net/d/room"


def test_several_legacy_series_name_no_target() -> None:
    """Nobody could say which of them is meant."""
    matches = [
        {"metric": "temp", "value": 41, "tags": {"host": "rack-2"}},
        {"metric": "temp", "value": None, "tags": None},
    ]
    alert = only_alert(SOURCE, {**LEGACY, "evalMatches": matches})
    assert "host" not in alert.labels
    assert alert.annotations == {"values": "temp: 41.0; temp: None"}


def test_the_legacy_test_button_brings_no_alert() -> None:
    """It posts a rule of its own name."""
    parsed = parse(SOURCE, {**LEGACY, "ruleName": "Test notification"})
    assert parsed.alerts == ()
    assert parsed.note == "test message"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "a template of somebody's own"}, "$.alerts"),
        ({**LEGACY, "state": "melting"}, "$.state"),
        ({**LEGACY, "ruleName": 5}, "$.ruleName"),
        ({"alerts": None}, "$.alerts"),
        ({"alerts": 3}, "$.alerts"),
    ],
)
def test_other_shapes_are_told(body: object, field: str) -> None:
    """A custom template can have any shape."""
    assert flaw_of(SOURCE, body).field == field
