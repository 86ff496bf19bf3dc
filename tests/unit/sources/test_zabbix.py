"""Zabbix: what kind of message it is, in whatever spelling it comes."""

import json
from typing import Any

import pytest

from app.core.errors import ConfigError
from app.ingest.sources.zabbix import EXAMPLE
from app.models.alert import Severity, Status
from tests.unit.sources.making import (
    flaw_of,
    make_source,
    moment,
    only_alert,
    parse,
)

SOURCE = make_source("zabbix")
RECOVERY = {
    "event_value": "0",
    "event_recovery_id": "41230",
    "event_recovery_date": "2026.11.21",
    "event_recovery_time": "02:58:00",
}
UPDATE = {
    "event_update_status": "1",
    "event_update_date": "2026.11.21",
    "event_update_time": "02:47:30",
    "event_update_action": "acknowledged and commented",
    "event_update_message": "I look at it",
    "event_update_user": "Ann (oncall)",
    "event_ack_status": "Yes",
}


def make_event(**changes: object) -> dict[str, Any]:
    """Return the example with changes; None takes a parameter out."""
    event = {**json.loads(EXAMPLE), **changes}
    return {name: text for name, text in event.items() if text is not None}


def test_a_problem_is_read_field_by_field() -> None:
    """Each parameter lands where the rest of the product looks for it."""
    alert = only_alert(SOURCE, EXAMPLE)
    assert alert.fingerprint == "41207"
    assert alert.status is Status.FIRING
    assert alert.occurrence == ""
    assert alert.severity is Severity.ERROR
    assert alert.starts_at == moment("2026-11-21T02:44:09Z")
    assert alert.ends_at is None
    name = "Mail queue is too long on relay-02"
    assert alert.summary == f"{name}: 1840 messages wait"
    assert alert.url == (
        "http://zabbix.example.net/tr_events.php?triggerid=20991&eventid=41207"
    )
    assert alert.labels == {
        "component": "mail",
        "event_source": "0",
        "host": "relay-02",
        "host_ip": "192.0.2.25",
        "host_name": "Mail relay 02",
        "hostgroups": "Mail servers",
        "item_key": "mail.queue.length",
        "severity": "High",
        "trigger_id": "20991",
    }
    assert alert.annotations == {
        "event_ack_status": "No",
        "opdata": "1840 messages wait",
        "trigger_description": "Postfix keeps its mail.",
    }


def test_a_recovery_belongs_to_its_problem() -> None:
    """It bears the problem's id, and is told apart by its own."""
    alert = only_alert(SOURCE, make_event(**RECOVERY))
    assert alert.fingerprint == "41207"
    assert alert.status is Status.RESOLVED
    assert alert.occurrence == "41230"
    assert alert.starts_at == moment("2026-11-21T02:44:09Z")
    assert alert.ends_at == moment("2026-11-21T02:58:00Z")


def test_a_recovery_without_an_id_has_its_time() -> None:
    """Not every media type sends the recovery's id."""
    event = make_event(**{**RECOVERY, "event_recovery_id": None})
    assert only_alert(SOURCE, event).occurrence == "2026.11.21 02:58:00"


@pytest.mark.parametrize("value", ["1", "0"])
def test_an_update_is_no_problem_and_no_recovery(value: str) -> None:
    """Also an update of a problem that is solved says value 0."""
    alert = only_alert(SOURCE, make_event(event_value=value, **UPDATE))
    assert alert.status is Status.UPDATED
    action = "acknowledged and commented"
    assert alert.occurrence
    assert alert.occurrence.startswith(f"2026.11.21 02:47:30 {action} ")
    assert alert.annotations["update_action"] == action
    assert alert.annotations["update_message"] == "I look at it"
    assert alert.annotations["update_user"] == "Ann (oncall)"
    assert alert.annotations["event_ack_status"] == "Yes"


def test_an_update_is_known_by_its_action_too() -> None:
    """Some media types leave out the update status."""
    event = make_event(**{**UPDATE, "event_update_status": None})
    assert only_alert(SOURCE, event).status is Status.UPDATED


def test_a_changed_severity_is_the_new_one() -> None:
    """The number says it, whatever the installation calls it."""
    event = make_event(event_nseverity="5", event_severity="Hoch", **UPDATE)
    alert = only_alert(SOURCE, event)
    assert alert.severity is Severity.CRITICAL
    assert alert.labels["severity"] == "Disaster"


@pytest.mark.parametrize(
    ("number", "severity"),
    [
        ("0", Severity.UNKNOWN),
        ("1", Severity.INFO),
        ("2", Severity.WARNING),
        ("3", Severity.WARNING),
        ("4", Severity.ERROR),
        ("5", Severity.CRITICAL),
    ],
)
def test_the_scale_of_severities(number: str, severity: Severity) -> None:
    """Zabbix has six, we have five."""
    alert = only_alert(SOURCE, make_event(event_nseverity=number))
    assert alert.severity is severity


def test_a_severity_without_a_number_is_read_as_a_word() -> None:
    """The texts are the usual ones on most servers."""
    event = make_event(event_nseverity=None, event_severity="Disaster")
    assert only_alert(SOURCE, event).severity is Severity.CRITICAL


def test_pagerdutys_spelling() -> None:
    """The official media types do not agree about names."""
    alert = only_alert(
        SOURCE,
        {
            "eventid": "77",
            "eventname": "Raid is degraded",
            "eventvalue": "1",
            "eventupdate": "0",
            "eventdate": "2026.11.21",
            "eventtime": "01:00:00",
            "eventack": "No",
            "eventtags": "disk:sdb, scope:availability",
            "hostname": "Store 9",
            "hostip": "192.0.2.9",
            "severity": "4",
            "triggerid": "5",
            "triggerdesc": "replace the disk",
            "triggeropdata": "1 of 2",
        },
    )
    assert alert.fingerprint == "77"
    assert alert.name == "Raid is degraded"
    assert alert.status is Status.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.starts_at == moment("2026-11-21T01:00:00Z")
    assert alert.labels == {
        "disk": "sdb",
        "host": "Store 9",
        "host_ip": "192.0.2.9",
        "host_name": "Store 9",
        "scope": "availability",
        "severity": "High",
        "trigger_id": "5",
    }
    assert alert.annotations == {
        "event_ack_status": "No",
        "opdata": "1 of 2",
        "trigger_description": "replace the disk",
    }


def test_slacks_spelling() -> None:
    """Tags are JSON there, under the name of the text."""
    alert = only_alert(
        SOURCE,
        {
            "event_id": "78",
            "event_value": "1",
            "event_source": "0",
            "event_update_status": "0",
            "event_severity": "Average",
            "event_tags": '[{"tag": "disk", "value": "sdb"}]',
            "alert_subject": "Problem: Raid is degraded",
            "host_name": "store-9",
            "host_conn": "192.0.2.9",
        },
    )
    assert alert.name == "Problem: Raid is degraded"
    assert alert.labels["disk"] == "sdb"
    assert alert.labels["host"] == "store-9"
    assert alert.labels["host_conn"] == "192.0.2.9"


def test_numbers_need_not_be_texts() -> None:
    """A script may turn them into numbers."""
    event = make_event(event_id=41207, event_value=1, event_nseverity=4.0)
    assert only_alert(SOURCE, event) == only_alert(SOURCE, EXAMPLE)


def test_macros_without_a_value_are_missing() -> None:
    """Zabbix leaves them in the text as they were written."""
    event = make_event(
        event_opdata="{EVENT.OPDATA}",
        host_ip="*UNKNOWN*",
        item_key="{ITEM.KEY1}",
        hostgroups="{$GROUPS}",
        trigger_description='{EVENT.TAGS."a b"}',
        zabbix_url="{$ZABBIX.URL}",
    )
    alert = only_alert(SOURCE, event)
    assert not {"host_ip", "item_key", "hostgroups"} & set(alert.labels)
    assert alert.annotations == {"event_ack_status": "No"}
    assert alert.summary == alert.name
    assert alert.url == ""


@pytest.mark.parametrize("name", ["{web} is down", "{}", "{a.b}", "{A} {B}"])
def test_braces_alone_make_no_macro(name: str) -> None:
    """A name may have braces of its own."""
    assert only_alert(SOURCE, make_event(event_name=name)).name == name


def test_what_is_longer_than_a_macro_is_a_text() -> None:
    """Only short texts are looked at: long ones would take long."""
    text = "{" + "A" * 300 + "}"
    assert only_alert(SOURCE, make_event(event_name=text)).name == text


def test_of_two_spellings_the_first_counts() -> None:
    """The order of the media type decides, not chance."""
    labels = only_alert(SOURCE, make_event(hostname="other")).labels
    assert labels["host_name"] == "Mail relay 02"


def test_what_nobody_asked_for_is_left_out() -> None:
    """Parameters hold tokens, resolved secrets and our own address."""
    event = make_event(
        token="s3cr3t", secret="s3cr3t", url="http://s3cr3t", basic="s3cr3t"
    )
    assert "s3cr3t" not in repr(only_alert(SOURCE, event))


def test_a_tag_never_poses_as_the_host() -> None:
    """Whoever may set tags may not choose the target."""
    tags = [
        {"tag": "host", "value": "db-01"},
        {"tag": "severity", "value": "mild"},
        {"tag": "host_ip", "value": "127.0.0.1"},
        {"tag": "", "value": "nobody"},
    ]
    event = make_event(event_tags_json=json.dumps(tags), host_ip=None)
    labels = only_alert(SOURCE, event).labels
    assert labels["host"] == "relay-02"
    assert labels["severity"] == "High"
    assert labels["tag_host"] == "db-01"
    assert labels["tag_severity"] == "mild"
    assert labels["tag_host_ip"] == "127.0.0.1"
    assert not {"host_ip", ""} & set(labels)


@pytest.mark.parametrize(
    "changes",
    [
        {
            "event_tags_json": '[{"tag":"service","value":"web"},'
            '{"tag":"service","value":"db"},{"tag":"bare","value":""}]'
        },
        {
            "event_tags_json": [
                {"tag": "service", "value": "db"},
                {"tag": "service", "value": "web"},
                {"tag": "bare", "value": ""},
            ]
        },
        {
            "event_tags_json": None,
            "event_tags": "bare, service:db, service:web",
        },
        {
            "event_tags_json": '[{"broken',
            "event_tags": "bare:, service:web, service:db",
        },
    ],
)
def test_tags_in_all_their_shapes(changes: dict[str, object]) -> None:
    """A tag that is there twice has both values, in a stable order."""
    labels = only_alert(SOURCE, make_event(**changes)).labels
    assert labels["service"] == "db,web"
    assert labels["bare"] == ""


def test_a_zone_turns_the_servers_time_into_ours() -> None:
    """Zabbix tells its local time without a zone."""
    source = make_source("zabbix", {"timezone": "Europe/Berlin"})
    winter = only_alert(source, EXAMPLE).starts_at
    summer = only_alert(source, make_event(event_date="2026.07.21")).starts_at
    assert winter == moment("2026-11-21T01:44:09Z")
    assert summer == moment("2026-07-21T00:44:09Z")


def test_a_timestamp_needs_no_zone() -> None:
    """Newer servers can send seconds since 1970."""
    source = make_source("zabbix", {"timezone": "Asia/Tokyo"})
    event = make_event(event_timestamp="1795229049")
    assert only_alert(source, event).starts_at == 1_795_229_049_000_000


@pytest.mark.parametrize("time", ["", "soon", "25:00:00", None])
def test_a_time_that_is_none_does_not_cost_the_alert(time: object) -> None:
    """The problem is real all the same."""
    alert = only_alert(SOURCE, make_event(event_time=time))
    assert alert.starts_at is None


@pytest.mark.parametrize("name", ["Berlin", "", "../passwd", "Europe", "/x"])
def test_an_unknown_zone_stops_the_start(name: str) -> None:
    """The mistake is told with what to write instead."""
    with pytest.raises(ConfigError) as caught:
        make_source("zabbix", {"timezone": name})
    text = str(caught.value)
    assert "sources.zabbix.options.timezone" in text
    assert "Europe/Berlin" in text


@pytest.mark.parametrize(
    ("source", "value", "status"),
    [
        ("1", "1", Status.FIRING),
        ("1", "2", Status.RESOLVED),
        ("2", None, Status.RESOLVED),
        ("3", "1", Status.FIRING),
        ("3", "0", Status.RESOLVED),
    ],
)
def test_news_are_never_worse_than_news(
    source: str, value: str | None, status: Status
) -> None:
    """Discovery, autoregistration and internal events are no problems."""
    event = make_event(event_source=source, event_value=value)
    alert = only_alert(SOURCE, event)
    assert alert.status is status
    assert alert.severity is Severity.INFO
    assert alert.labels["event_source"] == source


def test_the_test_of_a_media_type_brings_no_alert() -> None:
    """The form sends the macros as they are written."""
    event = make_event(
        event_id="{EVENT.ID}", event_name="{EVENT.NAME}", host_host=None,
        host_name="{HOST.NAME}", event_value="{EVENT.VALUE}",
    )  # fmt: skip
    parsed = parse(SOURCE, event)
    assert parsed.alerts == ()
    assert parsed.note == "test message"


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"event_id": None}, "missing", "$.event_id"),
        ({"event_id": "{EVENT.ID}"}, "missing", "$.event_id"),
        ({"event_value": None}, "unknown_status", "$.event_value"),
        ({"event_value": "7"}, "unknown_status", "$.event_value"),
    ],
)
def test_what_cannot_be_classified_is_told(
    changes: dict[str, object], reason: str, field: str
) -> None:
    """Nobody guesses whether a problem begins or ends."""
    flaw = flaw_of(SOURCE, make_event(**changes))
    assert (flaw.reason, flaw.field) == (reason, field)
