"""Grafana's webhook: unified alerting, and the legacy one before Grafana 9.

Each alert has a status and a fingerprint of its own, as Alertmanager's has.
A rule whose data source is silent or broken fires under a name of its own;
such an alert says nothing about the target and is marked for it.
"""

from datetime import datetime

import msgspec

from app.models.alert import Alert, Status, to_severity
from app.models.delivery import Delivery, Flaw, Parsed, Unparsed
from app.models.example import Example
from app.models.payload import read_json
from app.models.wire import (
    SPOILED,
    check_count,
    read_each,
    real_moment,
    to_fingerprint,
    to_status,
    to_summary,
)
from app.ports import Source, SourceEnv

EXAMPLE = b"""{
  "receiver": "smokejumper", "status": "firing", "version": "1", "orgId": 1,
  "title": "[FIRING:1] Queue grows (orders-01 shop)", "state": "alerting",
  "message": "One alert is firing", "groupKey": "{}:{}",
  "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
  "externalURL": "http://grafana.example.net:3000/", "truncatedAlerts": 0,
  "alerts": [
    {
      "status": "firing",
      "labels": {
        "alertname": "Queue grows", "grafana_folder": "shop",
        "instance": "orders-01", "severity": "high"
      },
      "annotations": {"summary": "12000 orders wait on orders-01"},
      "startsAt": "2026-11-21T02:31:10Z", "endsAt": "0001-01-01T00:00:00Z",
      "generatorURL": "http://grafana.example.net:3000/alerting/grafana/q1",
      "fingerprint": "0c41d7a9be5582f6",
      "silenceURL": "http://grafana.example.net:3000/alerting/silence/new",
      "dashboardURL": "http://grafana.example.net:3000/d/shop", "panelURL": "",
      "values": {"B": 12000, "C": 1}, "valueString": "[ var='B' value=12000 ]"
    }
  ]
}"""
# Alerts about the data source, never about the target.
STATES = {"DatasourceNoData": "nodata", "DatasourceError": "error"}
LEGACY_STATUSES = {
    "alerting": Status.FIRING,
    "no_data": Status.FIRING,
    "ok": Status.RESOLVED,
    "paused": Status.RESOLVED,
    "pending": Status.UPDATED,
}
NOTHING = msgspec.Raw(b"null")
LEGACY_TEST = "Test notification"


class WireAlert(msgspec.Struct, gc=False):
    """One alert of unified alerting, as it comes."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    startsAt: datetime | None = None  # noqa: N815 (the sender's spelling)
    endsAt: datetime | None = None  # noqa: N815
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""
    dashboardURL: str = ""  # noqa: N815
    panelURL: str = ""  # noqa: N815
    values: msgspec.Raw = NOTHING
    valueString: str = ""  # noqa: N815


class Group(msgspec.Struct, gc=False):
    """A notification of unified alerting."""

    alerts: list[WireAlert]
    truncatedAlerts: int = 0  # noqa: N815


class LooseGroup(msgspec.Struct):
    """The same, with alerts that are still to be understood one by one."""

    alerts: list[msgspec.Raw] | None = None
    truncatedAlerts: int = 0  # noqa: N815
    ruleId: int | None = None  # noqa: N815


class Match(msgspec.Struct):
    """One series that a legacy rule looked at."""

    metric: str | None = None
    value: float | None = None
    tags: dict[str, str] | None = None


class Legacy(msgspec.Struct):
    """A notification of the alerting before Grafana 9: one rule, no list."""

    ruleId: int  # noqa: N815
    state: str
    ruleName: str = ""  # noqa: N815
    title: str = ""
    ruleUrl: str = ""  # noqa: N815
    message: str = ""
    tags: dict[str, str] | None = None
    evalMatches: list[Match] | None = None  # noqa: N815


GROUP = msgspec.json.Decoder(Group)
LOOSE_GROUP = msgspec.json.Decoder(LooseGroup)
ALERT = msgspec.json.Decoder(WireAlert)
LEGACY = msgspec.json.Decoder(Legacy)


class Grafana:
    """Reads what a contact point of the type webhook sends."""

    example = Example(body=EXAMPLE, names=("Queue grows",))
    paths: tuple[str, ...] = ()
    tells_once = False
    setup = (
        "Alerting: Contact points: Webhook: URL http://HOST:8080/webhooks/"
        "grafana, Authorization Header: scheme Bearer, credentials SECRET"
    )

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alerts; the test button brings none."""
        try:
            group = GROUP.decode(delivery.body)
            check_count(len(group.alerts), delivery.most_alerts)
            alerts = tuple(map(to_alert, group.alerts))
        except SPOILED:
            return _slowly(delivery)
        parsed = Parsed(alerts=alerts, truncated=group.truncatedAlerts)
        return without_tests(parsed)


def to_alert(wire: WireAlert) -> Alert:
    """Return an alert in our words."""
    labels = wire.labels
    fingerprint = wire.fingerprint or to_fingerprint(labels)
    name = labels.get("alertname", "")
    if name in STATES:
        labels["grafana_state"] = STATES[name]
    annotations = collect_texts(wire) | (wire.annotations or {})
    starts_at = real_moment(wire.startsAt)
    return Alert(
        fingerprint=fingerprint,
        status=to_status(wire.status),
        occurrence=None if starts_at is None else str(starts_at),
        name=name,
        severity=to_severity(labels.get("severity", "")),
        summary=to_summary(annotations),
        labels=labels,
        annotations=annotations,
        starts_at=starts_at,
        ends_at=real_moment(wire.endsAt),
        url=wire.generatorURL or wire.panelURL or wire.dashboardURL,
    )


def collect_texts(wire: WireAlert) -> dict[str, str]:
    """Return what helps people and is no annotation of the rule."""
    values = b"" if wire.values == NOTHING else wire.values
    found = {
        "values": bytes(values).decode(errors="replace"),
        "valueString": wire.valueString,
        "dashboardURL": wire.dashboardURL,
        "panelURL": wire.panelURL,
    }
    return {name: text for name, text in found.items() if text}


def without_tests(parsed: Parsed) -> Parsed:
    """Return what is left without the alerts of the test button."""
    alerts = tuple(alert for alert in parsed.alerts if not is_test(alert))
    if len(alerts) == len(parsed.alerts):
        return parsed
    return msgspec.structs.replace(parsed, alerts=alerts, note="test message")


def is_test(alert: Alert) -> bool:
    """Tell whether an alert comes from the test button."""
    instance = alert.labels.get("instance")
    return alert.name == "TestAlert" and instance == "Grafana"


def read_one(raw: msgspec.Raw) -> Alert:
    """Return one alert of a group that is broken somewhere."""
    return to_alert(read_json(raw, ALERT))


def _slowly(delivery: Delivery) -> Parsed:
    """Return the good alerts of a delivery, and the place of each flaw."""
    group = read_json(delivery.body, LOOSE_GROUP)
    if group.alerts is not None:
        parsed = read_each(
            group.alerts, "$.alerts", read_one, delivery.most_alerts
        )
        truncated = group.truncatedAlerts
        parsed = msgspec.structs.replace(parsed, truncated=truncated)
        return without_tests(parsed)
    if group.ruleId is None:
        raise Unparsed(Flaw("missing", "$.alerts", "is not there"))
    legacy = read_json(delivery.body, LEGACY)
    if legacy.ruleName == LEGACY_TEST:
        return Parsed(note="test message")
    return Parsed(alerts=(to_legacy_alert(legacy),))


def to_legacy_alert(wire: Legacy) -> Alert:
    """Return a legacy notification in our words; it bears no time."""
    status = LEGACY_STATUSES.get(wire.state)
    if status is None:
        raise Unparsed(
            Flaw("unknown_status", "$.state", "is no state of a legacy rule")
        )
    labels = dict(wire.tags or {})
    matches = wire.evalMatches or []
    if len(matches) == 1:
        # Of several series, nobody could say which one is the target.
        labels |= matches[0].tags or {}
    labels["ruleId"] = str(wire.ruleId)
    if wire.state == "no_data":
        labels["grafana_state"] = STATES["DatasourceNoData"]
    values = "; ".join(f"{match.metric}: {match.value}" for match in matches)
    return Alert(
        fingerprint=f"legacy:{wire.ruleId}",
        status=status,
        occurrence=None,
        name=wire.ruleName or wire.title,
        severity=to_severity(labels.get("severity", "")),
        summary=wire.message or wire.title,
        labels=labels,
        annotations={"values": values} if values else {},
        url=wire.ruleUrl,
    )


def plugin(_env: SourceEnv) -> Source:
    """Return the source; it has no settings of its own."""
    return Grafana()
