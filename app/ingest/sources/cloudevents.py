"""CloudEvents 1.0 over HTTP: binary, structured and in batches.

A CloudEvent says who sent it and what it is about; whether it fires and how
it is called stands in its data, wherever ``options`` say.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import jmespath  # type: ignore[import-untyped]  # it has no types
import msgspec
from jmespath.exceptions import (  # type: ignore[import-untyped]  # same
    JMESPathTypeError,
)
from pydantic import AfterValidator

from app.core.configfile import Section
from app.models.alert import Alert, Status, to_severity
from app.models.delivery import Delivery, Flaw, Parsed, Unparsed
from app.models.example import Example
from app.models.payload import read_json
from app.models.wire import ANY, as_scalar, first, read_each, read_moment
from app.ports import Source, SourceEnv

EXAMPLE = b"""{
  "specversion": "1.0",
  "id": "c3a1f0-0007",
  "source": "/clusters/berlin/backup",
  "type": "net.example.backup.failed",
  "subject": "orders-db",
  "time": "2026-11-21T02:14:02.418Z",
  "datacontenttype": "application/json",
  "data": {
    "name": "Backup failed",
    "status": "firing",
    "severity": "error",
    "message": "The nightly backup of orders-db ended with status 2",
    "labels": {"host": "db-02"}
  }
}"""
HEADERS = ((b"content-type", b"application/cloudevents+json"),)
STRUCTURED = b"application/cloudevents+json"
BATCH = b"application/cloudevents-batch+json"
RESOLVED_ENDINGS = ("resolved", "closed", "ok")
# What the last word of a type may say of the phase, not of the problem.
PHASES = (*RESOLVED_ENDINGS, "firing", "triggered", "opened", "failed")
RESOLVED_VALUES = ("resolved", "ok", "closed", "recovered", "normal")
NUL, NUL_MARK = b"\\u0000", b"\\u2400"
# What an expression raises on data that it was not written for.
MISFITS = (
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)
Event = Mapping[str, Any]


def check_expression(text: str) -> str:
    """Return an expression that compiles and calls what there is."""
    try:
        as_scalar(jmespath.compile(text).search(None))
    except JMESPathTypeError:
        return text  # it wants more than nothing: that is for the event
    except (ValueError, TypeError) as error:
        raise ValueError("is no JMESPath expression") from error
    return text


Expression = Annotated[str, AfterValidator(check_expression)]


class Options(Section):
    """Where status and name stand, and which words mean resolved."""

    status: Expression = "data.status || data.state"
    name: Expression = "data.name || data.alertname || data.title || type"
    resolved_values: tuple[str, ...] = RESOLVED_VALUES


class CloudEvents:
    """Reads events in all three modes."""

    example = Example(body=EXAMPLE, headers=HEADERS, names=("Backup failed",))
    paths: tuple[str, ...] = ()
    tells_once = False
    setup = (
        "POST events to https://HOST/webhooks/cloudevents; say under "
        "options where status and name stand in their data"
    )

    def __init__(self, options: Options) -> None:
        """Compile where the settings say that things stand."""
        self._status = jmespath.compile(options.status)
        self._name = jmespath.compile(options.name)
        self._resolved = frozenset(map(str.lower, options.resolved_values))

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alerts; one bad event does not spoil the others."""
        kind = delivery.header(b"content-type") or b""
        kind = kind.partition(b";")[0].strip().lower()
        if kind == BATCH:
            events = read_json(delivery.body, ANY)
            if not isinstance(events, list):
                raise _flaw("wrong_shape", "$", "is no list of events")
            parsed = read_each(
                events, "$", self._to_alert, delivery.most_alerts
            )
            return parsed if events else Parsed(note="empty batch")
        if kind == STRUCTURED or not delivery.header(b"ce-specversion"):
            event = read_json(delivery.body, ANY)
        else:
            event = read_binary(delivery)
        return Parsed(alerts=(self._to_alert(event),))

    def _to_alert(self, event: Any) -> Alert:
        """Return an event in our words."""
        event = check_event(event)
        try:
            word = as_scalar(self._status.search(event)).strip().lower()
            name = as_scalar(self._name.search(event))
        except MISFITS as error:
            detail = "the expression for status or name does not fit"
            raise _flaw("misfit", "$.data", detail) from error
        last = event["type"].rpartition(".")[2].lower()
        is_over = word in self._resolved or last in RESOLVED_ENDINGS
        content = event["data"] if isinstance(event.get("data"), dict) else {}
        severity = first(content, "severity priority")
        labels = _labels(event, content)
        known = first(event, "fingerprint dedupkey")
        moment = read_moment(event.get("time"))
        return Alert(
            fingerprint=known or to_hash(event, name, labels),
            status=Status.RESOLVED if is_over else Status.FIRING,
            occurrence=event["id"],
            name=name or event["type"],
            severity=to_severity(severity),
            summary=first(content, "summary message description"),
            labels=labels | ({"severity": severity} if severity else {}),
            starts_at=None if is_over else moment,
            ends_at=moment if is_over else None,
            url=first(content, "url"),
        )


def read_binary(delivery: Delivery) -> Event:
    """Return an event whose attributes are headers."""
    event: dict[str, Any] = {}
    for name, value in delivery.headers:
        if name.startswith(b"ce-"):
            attribute = name[3:].decode("latin-1")
            event[attribute] = _attribute(attribute, value)
    kind = (delivery.header(b"content-type") or b"").decode("latin-1")
    if delivery.body and _is_json(kind):
        event["data"] = read_json(delivery.body, ANY)
    return event


def _attribute(name: str, value: bytes) -> str:
    """Return the text of a header: quotes and percent signs are undone."""
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    try:
        text = unquote_to_bytes(value).decode()
    except UnicodeDecodeError as error:
        raise _flaw("bad_header", f"$.{name}", "is not UTF-8") from error
    if "\0" in text:
        raise _flaw("bad_header", f"$.{name}", "holds a NUL")
    return text


def _is_json(kind: str) -> bool:
    """Tell whether a content type is JSON; it is when nothing is said."""
    media_type = kind.partition(";")[0].strip().lower()
    return not media_type or media_type.endswith(("/json", "+json"))


def check_event(event: Any) -> Event:
    """Return an event of a version that is known, with its data decoded."""
    if not isinstance(event, dict):
        raise _flaw("wrong_shape", "$", "is no event")
    if not as_scalar(event.get("specversion")).startswith("1."):
        raise _flaw("unknown_version", "$.specversion", "is not 1.0")
    for name in ("id", "source", "type"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise _flaw("missing", f"$.{name}", "is no text or missing")
    if "data_base64" in event and _is_json(
        as_scalar(event.get("datacontenttype"))
    ):
        return {**event, "data": _decoded(event["data_base64"])}
    return event


def _decoded(text: Any) -> Any:
    """Return JSON out of its base64; the mark for NUL is ours to set."""
    place = "$.data_base64"
    try:
        raw = b64decode(as_scalar(text), validate=True)
        return read_json(raw.replace(NUL, NUL_MARK), ANY)
    except ValueError as error:
        raise _flaw("not_base64", place, "is no base64") from error
    except Unparsed as error:
        flaw = error.flaw
        raise _flaw(flaw.reason, place, flaw.detail) from error


def _labels(event: Event, content: Event) -> dict[str, str]:
    """Return the labels of the data, and what the event says of itself."""
    given = content.get("labels")
    pairs = given.items() if isinstance(given, dict) else ()
    labels = {name: as_scalar(value) for name, value in pairs}
    for name in ("subject", "source", "type"):
        labels[name] = as_scalar(event.get(name))
    return {name: text for name, text in labels.items() if text}


def to_hash(event: Event, name: str, labels: Mapping[str, str]) -> str:
    """Return what is the same from the first to the last event.

    The subject tells problems of a source apart; without one, the name and
    the labels do. The phase at the end of a type must not.
    """
    kind = event["type"]
    stem, _, last = kind.rpartition(".")
    stem = stem if last.lower() in PHASES else kind
    identity: list[Any] = [event["source"], stem]
    if "subject" in labels:
        identity.append(labels["subject"])
    else:
        rest = {k: text for k, text in labels.items() if k != "type"}
        identity += ["" if name == kind else name, sorted(rest.items())]
    return hashlib.sha256(msgspec.json.encode(identity)).hexdigest()[:32]


def _flaw(reason: str, field: str, detail: str) -> Unparsed:
    """Return the error that names a place and quotes nothing."""
    return Unparsed(Flaw(reason, field, detail))


def plugin(env: SourceEnv) -> Source:
    """Return the source with the expressions of its settings."""
    return CloudEvents(env.settings(Options))
