"""Prometheus and vmalert, which say neither status nor fingerprint."""

from typing import Any

from app.models.alert import Status
from tests.unit.sources.making import (
    NOW,
    flaw_of,
    make_source,
    moment,
    only_alert,
    parse,
)

SOURCE = make_source("prometheus")
START = "2026-11-21T02:20:31.418Z"


def make_alert(**changes: object) -> dict[str, Any]:
    """Return one alert as Prometheus sends it, with changes."""
    return {
        "labels": {"alertname": "SwapAlmostFull", "instance": "b-7:9100"},
        "annotations": {"summary": "swap is nearly full"},
        "startsAt": START,
        "endsAt": "2026-11-21T02:54:00Z",
        "generatorURL": "http://prometheus.example.net/graph",
        **changes,
    }


def test_an_end_in_the_future_means_firing() -> None:
    """Prometheus promises four minutes; vmalert only seconds."""
    alert = only_alert(SOURCE, [make_alert(endsAt="2026-11-21T02:50:00.001Z")])
    assert alert.status is Status.FIRING
    assert alert.occurrence == str(moment(START))


def test_an_end_that_has_come_means_resolved() -> None:
    """The end is told only by the time."""
    alert = only_alert(SOURCE, [make_alert(endsAt="2026-11-21T02:50:00Z")])
    assert alert.status is Status.RESOLVED
    assert alert.ends_at == NOW


def test_no_end_means_firing() -> None:
    """Absent, null or Go's zero time: nobody knows of an end."""
    absent = make_alert()
    del absent["endsAt"]
    zero = make_alert(endsAt="0001-01-01T00:00:00Z")
    for alert in (absent, make_alert(endsAt=None), zero):
        assert only_alert(SOURCE, [alert]).status is Status.FIRING


def test_a_late_reading_judges_by_when_it_came() -> None:
    """A replay of tomorrow must not find the alert over."""
    body = [make_alert(endsAt="2026-11-21T02:20:37Z")]
    then = moment("2026-11-21T02:20:33Z")
    (alert,) = parse(SOURCE, body, received_at=then).alerts
    assert alert.status is Status.FIRING


def test_the_fingerprint_is_alertmanagers() -> None:
    """The labels alone make it, in any order; the value is Prometheus'."""
    labels = {"name": "garland, briggs", "fear": "love is not enough"}
    turned = dict(reversed(labels.items()))
    for given in (labels, turned):
        alert = only_alert(SOURCE, [make_alert(labels=given)])
        assert alert.fingerprint == f"{5799056148416392346:016x}"


def test_the_fingerprint_of_long_labels_is_no_other() -> None:
    """The way past the cache gives a stable value as well."""
    labels = {"alertname": "x", "text": "ü" * 5_000}
    first = only_alert(SOURCE, [make_alert(labels=labels)])
    again = only_alert(SOURCE, [make_alert(labels=labels)])
    other = only_alert(SOURCE, [make_alert(labels=labels | {"a": "b"})])
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert len(first.fingerprint) == 16


def test_an_empty_label_is_none() -> None:
    """Prometheus drops a label without a value; so does the fingerprint."""
    labels = make_alert()["labels"]
    plain = only_alert(SOURCE, [make_alert()])
    padded = only_alert(SOURCE, [make_alert(labels=labels | {"rack": ""})])
    assert padded.fingerprint == plain.fingerprint
    assert "rack" not in padded.labels


def test_a_resend_is_the_same_message() -> None:
    """Only the end moves on, and it is no part of the identity."""
    first = only_alert(SOURCE, [make_alert(endsAt="2026-11-21T02:54:00Z")])
    again = only_alert(SOURCE, [make_alert(endsAt="2026-11-21T02:55:00Z")])
    assert first.fingerprint == again.fingerprint
    assert first.occurrence == again.occurrence
    assert first.status == again.status


def test_a_name_written_twice_is_read_once() -> None:
    """Vmalert writes alertname twice; the last one counts."""
    body = b'[{"labels": {"alertname": "a", "x": "1", "alertname": "b"}}]'
    assert only_alert(SOURCE, body).labels == {"alertname": "b", "x": "1"}


def test_a_broken_alert_does_not_spoil_the_others() -> None:
    """The good ones are taken; each flaw says where it is."""
    bodies = [make_alert(), make_alert(labels={}), make_alert(startsAt="x")]
    parsed = parse(SOURCE, bodies)
    assert len(parsed.alerts) == 1
    assert [flaw.field for flaw in parsed.unparsed] == [
        "$[1].labels",
        "$[2].startsAt",
    ]


def test_a_group_of_alertmanager_is_told_from_a_list() -> None:
    """The webhook's shape belongs to another address."""
    assert flaw_of(SOURCE, {"alerts": [make_alert()]}).field == "$"


def test_it_answers_where_prometheus_posts() -> None:
    """Prometheus appends its own path to a prefix."""
    assert SOURCE.paths == (
        "/api/v2/alerts",
        "/webhooks/prometheus/api/v2/alerts",
    )
    second = make_source("prometheus", name="paris")
    assert second.paths == ("/webhooks/paris/api/v2/alerts",)
