"""Alertmanager's webhook, version 4.

Groups are mixed: the status of the group says nothing about one alert. A
fingerprint stays the same for ever, an episode is fingerprint + startsAt,
to the millisecond: that is how its API tells it when it is polled.
"""

from datetime import datetime

import msgspec

from app.models.alert import Alert, to_severity
from app.models.delivery import Delivery, Parsed
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
    whole_milliseconds,
)
from app.ports import Source, SourceEnv

EXAMPLE = b"""{
  "version": "4",
  "groupKey": "{}:{alertname=\\"DiskAlmostFull\\"}",
  "status": "firing",
  "receiver": "smokejumper",
  "groupLabels": {"alertname": "DiskAlmostFull"},
  "commonLabels": {"alertname": "DiskAlmostFull", "severity": "warning"},
  "commonAnnotations": {},
  "externalURL": "http://alertmanager.example.net:9093",
  "truncatedAlerts": 0,
  "alerts": [
    {
      "status": "firing",
      "labels": {
        "alertname": "DiskAlmostFull",
        "instance": "web-01:9100",
        "mountpoint": "/var/log",
        "severity": "warning"
      },
      "annotations": {"summary": "/var/log on web-01 is 93 % full"},
      "startsAt": "2026-11-21T02:14:02.418Z",
      "endsAt": "0001-01-01T00:00:00Z",
      "generatorURL": "http://prometheus.example.net:9090/graph",
      "fingerprint": "5b1f0cd9e6a24c37"
    }
  ]
}"""


class WireAlert(msgspec.Struct, gc=False):
    """One alert of a group, as it comes."""

    status: str
    labels: dict[str, str]
    startsAt: datetime  # noqa: N815 (the sender's spelling)
    fingerprint: str = ""
    annotations: dict[str, str] = {}
    endsAt: datetime | None = None  # noqa: N815
    generatorURL: str = ""  # noqa: N815


class Group(msgspec.Struct, gc=False):
    """A notification about a group of alerts."""

    alerts: list[WireAlert]
    truncatedAlerts: int = 0  # noqa: N815


class LooseGroup(msgspec.Struct):
    """The same, with alerts that are still to be understood one by one."""

    alerts: list[msgspec.Raw]
    truncatedAlerts: int = 0  # noqa: N815


GROUP = msgspec.json.Decoder(Group)
LOOSE_GROUP = msgspec.json.Decoder(LooseGroup)
ALERT = msgspec.json.Decoder(WireAlert)


class Alertmanager:
    """Reads version 4 of the webhook; unknown fields are passed over."""

    example = Example(body=EXAMPLE, names=("DiskAlmostFull",))
    paths: tuple[str, ...] = ()
    tells_once = False
    setup = (
        "receivers: webhook_configs: url http://HOST:8080/webhooks/"
        "alertmanager, send_resolved: true"
    )

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alerts; one that is broken does not spoil the others."""
        try:
            group = GROUP.decode(delivery.body)
            check_count(len(group.alerts), delivery.most_alerts)
            alerts = tuple(map(to_alert, group.alerts))
        except SPOILED:
            return _one_by_one(delivery)
        return Parsed(alerts=alerts, truncated=group.truncatedAlerts)


def to_alert(wire: WireAlert) -> Alert:
    """Return an alert in our words."""
    labels = wire.labels
    annotations = wire.annotations
    starts_at = whole_milliseconds(wire.startsAt)
    return Alert(
        fingerprint=wire.fingerprint or to_fingerprint(labels),
        status=to_status(wire.status),
        occurrence=None if starts_at is None else str(starts_at),
        name=labels.get("alertname", ""),
        severity=to_severity(labels.get("severity", "")),
        summary=to_summary(annotations),
        labels=labels,
        annotations=annotations,
        starts_at=starts_at,
        ends_at=real_moment(wire.endsAt),
        url=wire.generatorURL,
        recurs=starts_at is not None,
    )


def read_one(raw: msgspec.Raw) -> Alert:
    """Return one alert of a group that is broken somewhere."""
    return to_alert(read_json(raw, ALERT))


def _one_by_one(delivery: Delivery) -> Parsed:
    """Return the good alerts of a delivery, and the place of each flaw."""
    group = read_json(delivery.body, LOOSE_GROUP)
    parsed = read_each(
        group.alerts, "$.alerts", read_one, delivery.most_alerts
    )
    return msgspec.structs.replace(parsed, truncated=group.truncatedAlerts)


def plugin(_env: SourceEnv) -> Source:
    """Return the source; it has no settings of its own."""
    return Alertmanager()
