"""Alertmanager's groups, alert by alert."""

import json
from typing import Any

from app.ingest.sources.alertmanager import EXAMPLE
from app.models.alert import Severity, Status
from tests.unit.sources.making import (
    flaw_of,
    make_source,
    moment,
    only_alert,
    parse,
)

SOURCE = make_source("alertmanager")


def make_alert(**changes: object) -> dict[str, Any]:
    """Return one alert as Alertmanager sends it, with changes."""
    alert: dict[str, Any] = json.loads(EXAMPLE)["alerts"][0]
    return {**alert, **changes}


def make_group(*alerts: object, **changes: object) -> dict[str, Any]:
    """Return a notification about alerts, with changes."""
    group: dict[str, Any] = json.loads(EXAMPLE)
    return {**group, "alerts": list(alerts), **changes}


def test_an_alert_is_read_field_by_field() -> None:
    """Each field lands where the rest of the product looks for it."""
    alert = only_alert(SOURCE, EXAMPLE)
    assert alert.fingerprint == "5b1f0cd9e6a24c37"
    assert alert.status is Status.FIRING
    assert alert.severity is Severity.WARNING
    assert alert.summary == "/var/log on web-01 is 93 % full"
    assert alert.labels["mountpoint"] == "/var/log"
    assert alert.starts_at == moment("2026-11-21T02:14:02.418Z")
    assert alert.occurrence == str(alert.starts_at)
    assert alert.ends_at is None
    assert alert.url == "http://prometheus.example.net:9090/graph"


def test_the_status_is_the_alerts_own_never_the_groups() -> None:
    """A firing group tells of resolved alerts as well."""
    ended = "2026-11-21T02:19:09Z"
    group = make_group(
        make_alert(),
        make_alert(status="resolved", endsAt=ended, fingerprint="2"),
    )
    firing, resolved = parse(SOURCE, group).alerts
    assert firing.status is Status.FIRING
    assert resolved.status is Status.RESOLVED
    assert resolved.ends_at == moment(ended)


def test_the_next_episode_differs_by_its_start_alone() -> None:
    """The fingerprint stays for ever; the start tells episodes apart."""
    later = make_alert(startsAt="2026-11-21T05:00:00Z")
    first, second = parse(SOURCE, make_group(make_alert(), later)).alerts
    assert first.fingerprint == second.fingerprint
    assert first.occurrence != second.occurrence


def test_a_broken_alert_does_not_spoil_the_others() -> None:
    """The good ones are taken; each flaw says where it is."""
    parsed = parse(
        SOURCE,
        make_group(
            make_alert(status="burning"),
            make_alert(),
            make_alert(startsAt="yesterday"),
            make_alert(labels={"a": 1}),
            7,
            truncatedAlerts=5,
        ),
    )
    assert [alert.name for alert in parsed.alerts] == ["DiskAlmostFull"]
    assert [(flaw.reason, flaw.field) for flaw in parsed.unparsed] == [
        ("unknown_status", "$.alerts[0].status"),
        ("wrong_shape", "$.alerts[2].startsAt"),
        ("wrong_shape", "$.alerts[3].labels[...]"),
        ("wrong_shape", "$.alerts[4]"),
    ]
    assert parsed.truncated == 5


def test_a_flaw_does_not_repeat_what_was_sent() -> None:
    """The log shall not hold the text of a payload."""
    flaw = flaw_of(SOURCE, make_group(make_alert(status="hunter2")))
    assert "hunter2" not in flaw.detail


def test_bytes_that_are_no_text_spoil_one_alert_only() -> None:
    """A name in another encoding than UTF-8 is told, the rest is read."""
    good = json.dumps(make_alert()).encode()
    body = b'{"alerts": [%b, %b]}' % (good.replace(b"web", b"\xff\xfe"), good)
    parsed = parse(SOURCE, body)
    assert len(parsed.alerts) == 1
    (flaw,) = parsed.unparsed
    assert flaw.reason == "not_json"
    assert flaw.field == "$.alerts[0]"


def test_the_number_of_hidden_alerts_is_kept() -> None:
    """Alertmanager says how many it cut off."""
    group = make_group(make_alert(), truncatedAlerts=5)
    assert parse(SOURCE, group).truncated == 5


def test_without_a_fingerprint_the_labels_give_it() -> None:
    """It is the same that Alertmanager would have sent."""
    labels = {"name": "garland, briggs", "fear": "love is not enough"}
    alert = make_alert(labels=labels)
    del alert["fingerprint"]
    # Out of Prometheus' own tests.
    expected = f"{5799056148416392346:016x}"
    assert only_alert(SOURCE, make_group(alert)).fingerprint == expected


def test_an_alert_that_nothing_tells_apart_is_not_taken() -> None:
    """Without fingerprint and labels, all alerts would be the same one."""
    group = make_group(make_alert(labels={}, fingerprint=""))
    assert flaw_of(SOURCE, group).field == "$.alerts[0].labels"


def test_dates_beyond_the_calendar_are_no_dates() -> None:
    """Go's zero time, and what no calendar can show, means none."""
    for when in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"):
        group = make_group(make_alert(startsAt=when, endsAt=when))
        alert = only_alert(SOURCE, group)
        assert alert.starts_at is None
        assert alert.ends_at is None
        assert alert.occurrence is None


def test_unknown_fields_are_passed_over() -> None:
    """Newer versions send more."""
    group = make_group(make_alert(mood="sad"), notification_reason="repeat")
    assert len(parse(SOURCE, group).alerts) == 1


def test_a_list_is_no_group() -> None:
    """What Prometheus sends belongs to another address."""
    assert flaw_of(SOURCE, [make_alert()]).field == "$"


def test_what_it_says_is_over_may_fire_with_the_same_start() -> None:
    """When it has not heard of its Prometheus for a while."""
    assert only_alert(SOURCE, EXAMPLE).recurs
