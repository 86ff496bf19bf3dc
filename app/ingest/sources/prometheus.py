"""Prometheus itself, with us in the place of its Alertmanager.

It says neither status nor fingerprint: an alert is over once its end has
passed, and the fingerprint is the one that Alertmanager would give it.
vmalert, Thanos Ruler and Loki send the same.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

import msgspec

from app.models.alert import Alert, Status, to_severity
from app.models.delivery import Delivery, Parsed
from app.models.example import Example
from app.models.payload import read_json
from app.models.wire import (
    SPOILED,
    check_count,
    read_each,
    real_moment,
    to_fingerprint,
    to_summary,
)
from app.ports import Source, SourceEnv

# Both ways to say how it is: no end fires on, an end in the past is over.
EXAMPLE = b"""[
  {
    "labels": {
      "alertname": "SwapAlmostFull",
      "instance": "build-07:9100",
      "job": "node",
      "severity": "warning"
    },
    "annotations": {"summary": "build-07 has 4 % of its swap left"},
    "startsAt": "2026-11-21T02:20:31.418Z",
    "generatorURL": "http://prometheus.example.net:9090/graph"
  },
  {
    "labels": {
      "alertname": "TargetDown",
      "instance": "build-09:9100",
      "job": "node",
      "severity": "critical"
    },
    "annotations": {"summary": "build-09 does not answer"},
    "startsAt": "2026-11-21T01:58:01.418Z",
    "endsAt": "2026-11-21T02:19:46.418Z",
    "generatorURL": "http://prometheus.example.net:9090/graph"
  }
]"""
API_PATH = "/api/v2/alerts"


class WireAlert(msgspec.Struct, gc=False):
    """One alert of the list, as it comes."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: datetime | None = None  # noqa: N815 (the sender's spelling)
    endsAt: datetime | None = None  # noqa: N815
    generatorURL: str = ""  # noqa: N815


ALERTS = msgspec.json.Decoder(list[WireAlert])
LOOSE_ALERTS = msgspec.json.Decoder(list[msgspec.Raw])
ALERT = msgspec.json.Decoder(WireAlert)


class Prometheus:
    """Reads the list that Prometheus posts to its Alertmanagers."""

    example = Example(body=EXAMPLE, names=("SwapAlmostFull", "TargetDown"))
    tells_once = False
    setup = (
        "alerting: alertmanagers: static_configs: targets: [HOST:8080], "
        "and authorization: credentials: SECRET"
    )

    def __init__(self, name: str) -> None:
        # Prometheus and vmalert append the path to a prefix.
        """Take the name that the paths are made of."""
        own_path = f"/webhooks/{name}{API_PATH}"
        self.paths: tuple[str, ...] = (own_path,)
        if name == "prometheus":
            self.paths = (API_PATH, own_path)

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alerts; one that is broken does not spoil the others."""
        # vmalert's ends are only seconds ahead: a replay must look at the
        # time when it came, too.
        most = delivery.most_alerts
        read = partial(to_alert, delivery.received_at)
        try:
            alerts = ALERTS.decode(delivery.body)
            check_count(len(alerts), most)
            return Parsed(alerts=tuple(map(read, alerts)))
        except SPOILED:
            raws = read_json(delivery.body, LOOSE_ALERTS)
            return read_each(
                raws, "$", lambda raw: read(read_json(raw, ALERT)), most
            )


def to_alert(now: int, wire: WireAlert) -> Alert:
    """Return an alert in our words, as it was at a moment."""
    labels = without_empty(wire.labels)
    starts_at = real_moment(wire.startsAt)
    ends_at = real_moment(wire.endsAt)
    is_over = ends_at is not None and ends_at <= now
    return Alert(
        fingerprint=to_fingerprint(labels),
        status=Status.RESOLVED if is_over else Status.FIRING,
        occurrence=None if starts_at is None else str(starts_at),
        name=labels.get("alertname", ""),
        severity=to_severity(labels.get("severity", "")),
        summary=to_summary(wire.annotations),
        labels=labels,
        annotations=wire.annotations,
        starts_at=starts_at,
        ends_at=ends_at,
        url=wire.generatorURL,
    )


def without_empty(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that have a value; to Prometheus, others are none."""
    return {name: value for name, value in labels.items() if value}


def plugin(env: SourceEnv) -> Source:
    """Return the source; it has no settings of its own."""
    return Prometheus(env.name)
