"""Datadog monitors, by a webhook whose payload is written like this.

    {"alert_id": "$ALERT_ID", "cycle": "$ALERT_CYCLE_KEY",
     "aggregate": "$AGGREG_KEY", "transition": "$ALERT_TRANSITION",
     "type": "$ALERT_TYPE", "priority": "$ALERT_PRIORITY",
     "title": "$ALERT_TITLE", "scope": "$ALERT_SCOPE",
     "metric": "$ALERT_METRIC", "query": "$ALERT_QUERY",
     "host": "$HOSTNAME", "tags": "$TAGS", "message": "$EVENT_MSG",
     "date": "$DATE", "link": "$LINK"}

The name of a variable serves as the name of a field too, and so does the
body that Datadog sends without a template: that one says too little to tell
a repeat from a new problem but by its date. A variable without a value stays
as it is, ``$HOSTNAME``.
"""

import hashlib
import re
from collections import defaultdict
from typing import Any

import msgspec

from app.models.alert import Alert, Severity, Status, to_severity
from app.models.delivery import Delivery, Flaw, Parsed, Unparsed
from app.models.example import Example
from app.models.payload import read_json
from app.models.wire import as_scalar, first, read_moment
from app.ports import Source, SourceEnv

EXAMPLE = b"""{
  "alert_id": "7450118",
  "cycle": "5519037284410021",
  "aggregate": "b7c1f3a0d52e4c68",
  "transition": "Triggered",
  "type": "error",
  "priority": "P2",
  "title": "Checkout answers slowly on shop-04",
  "scope": "env:prod,host:shop-04",
  "metric": "trace.http.request.duration",
  "query": "avg(last_5m):avg:trace.http.request.duration{*} > 2",
  "host": "shop-04",
  "tags": "env:prod,service:checkout,host:shop-04",
  "message": "The 5 minute average is 3.1 s.",
  "date": "1795227242000",
  "link": "https://app.datadoghq.eu/monitors/7450118"
}"""

# Our name: what may stand for it, the best one first.
FIELDS = {
    "alert_id": "alert_id",
    "cycle": "cycle alert_cycle_key cycle_key",
    "aggregate": "aggregate aggreg_key",
    "transition": "transition alert_transition",
    "type": "type alert_type",
    "priority": "priority alert_priority",
    "title": "title alert_title event_title",
    "scope": "scope alert_scope",
    "metric": "metric alert_metric",
    "query": "query alert_query",
    "host": "host hostname",
    "tags": "tags",
    "message": "message event_msg body",
    "date": "date last_updated",
    "link": "link",
    "event_type": "event_type",
}
VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]*(\[[^\]]*\])?")
FIRING = "triggered re-triggered warn re-warn no_data re-no_data renotify"
STATUSES = {word.replace("_", " "): Status.FIRING for word in FIRING.split()}
STATUSES |= {"recovered": Status.RESOLVED}
# The default body says it in its title: "[Triggered on {host:a}] Disk".
TITLE = re.compile(r"\[(Re-)?(Triggered|Recovered|Warn|No Data)\b([^][]*)\]")
LABELS = ("alert_id", "scope", "metric", "host", "priority", "event_type")
ANNOTATIONS = ("message", "query", "transition")
Fields = dict[str, str]
PAYLOAD = msgspec.json.Decoder(dict[str, Any])


WARNINGS = ("warn", "re-warn")


class Datadog:
    """Reads our template and the default body."""

    example = Example(
        body=EXAMPLE, names=("Checkout answers slowly on shop-04",)
    )
    paths: tuple[str, ...] = ()
    tells_once = True
    setup = (
        "Integrations, Webhooks: URL https://HOST/webhooks/datadog, and as "
        "payload the template in app/ingest/sources/datadog.py"
    )

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the one alert of a delivery."""
        payload = read_json(delivery.body, PAYLOAD)
        return Parsed(alerts=(to_alert(read_fields(payload)),))


def read_fields(payload: dict[str, Any]) -> Fields:
    """Return what has a value, by our names; variables are no values."""
    known = {
        name.lower(): value
        for name, value in payload.items()
        if not VARIABLE.fullmatch(as_scalar(value))
    }
    found = {name: first(known, names) for name, names in FIELDS.items()}
    return {name: text for name, text in found.items() if text}


def to_alert(fields: Fields) -> Alert:
    """Return an alert in our words."""
    title = fields.get("title")
    if not title:
        raise Unparsed(Flaw("missing", "$.title", "is missing or empty"))
    transition = _transition(fields)
    status = _status(fields, transition)
    moment = read_moment(fields.get("date"))
    return Alert(
        fingerprint=_fingerprint(fields),
        status=status,
        occurrence=_occurrence(fields, transition),
        name=TITLE.sub("", title).strip() or title,
        severity=_severity(fields, transition),
        summary=title,
        labels=_labels(fields),
        annotations={n: fields[n] for n in ANNOTATIONS if n in fields},
        starts_at=moment if status is Status.FIRING else None,
        ends_at=moment if status is Status.RESOLVED else None,
        url=fields.get("link", ""),
    )


def _occurrence(fields: Fields, transition: str) -> str | None:
    """Return the cycle; its warning is another message than its alert."""
    cycle = fields.get("cycle")
    if cycle is not None and transition in WARNINGS:
        return f"{cycle}/warning"
    return cycle


def _transition(fields: Fields) -> str:
    """Return what happened, in the word of Datadog."""
    given = fields.get("transition")
    if given is None and (found := TITLE.search(fields["title"])):
        given = (found[1] or "") + found[2]
    return (given or "").lower()


def _status(fields: Fields, transition: str) -> Status:
    """Return the status of a transition, or of the type in its place."""
    if transition in STATUSES:
        return STATUSES[transition]
    is_over = fields.get("type", "").lower() == "success"
    return Status.RESOLVED if is_over else Status.UPDATED


def _severity(fields: Fields, transition: str) -> Severity:
    """Return how bad it is: a warning is never as bad as its monitor."""
    if transition in WARNINGS:
        return Severity.WARNING
    return to_severity(fields.get("priority") or fields.get("type", ""))


def _fingerprint(fields: Fields) -> str:
    """Return what is the same from the trigger to the recovery.

    A monitor alerts for each of its groups: the scope tells them apart.
    """
    for name in ("aggregate", "alert_id"):
        if name in fields:
            return f"{fields[name]}:{fields.get('scope', '')}".rstrip(":")
    # Without its transition the title names the problem and its scope.
    title = TITLE.sub(r"[\3]", fields["title"])
    identity = msgspec.json.encode((title, fields.get("host")))
    return hashlib.sha256(identity).hexdigest()[:16]


def _labels(fields: Fields) -> dict[str, str]:
    """Return tags as labels; what the fields say goes before a tag."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for tag in fields.get("tags", "").split(","):
        name, _, value = tag.strip().partition(":")
        if name:
            found[name].append(value)
    # Joined at the end: a megabyte of one name would take seconds.
    labels = {name: ",".join(values) for name, values in found.items()}
    labels.update({n: fields[n] for n in LABELS if n in fields})
    return labels


def plugin(_env: SourceEnv) -> Source:
    """Return the source; it has no settings of its own."""
    return Datadog()
