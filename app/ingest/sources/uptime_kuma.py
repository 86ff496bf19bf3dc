"""Uptime Kuma's webhook, as JSON or as a form.

A test message and a notice about a certificate come without a heartbeat.
Times are UTC without saying so.
"""

from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any
from urllib.parse import urlsplit

import msgspec

from app.models.alert import Alert, Status
from app.models.delivery import Delivery, Flaw, Parsed, Unparsed
from app.models.example import Example
from app.models.payload import read_json
from app.models.wire import as_scalar, read_moment
from app.ports import Source, SourceEnv

EXAMPLE = b"""{
  "heartbeat": {
    "monitorID": 17,
    "status": 0,
    "time": "2026-11-21 02:14:02.418",
    "msg": "connect ECONNREFUSED 192.0.2.40:443",
    "ping": null,
    "important": true,
    "duration": 60
  },
  "monitor": {
    "id": 17,
    "name": "Customer portal",
    "type": "http",
    "url": "https://portal.example.net/health",
    "hostname": null,
    "tags": [{"name": "team", "value": "web"}]
  },
  "msg": "Customer portal is down: connection refused"
}"""

STATUSES = {
    0: Status.FIRING,
    1: Status.RESOLVED,
    2: Status.UPDATED,  # a retry is pending
    3: Status.UPDATED,  # maintenance
}
MOST_PARTS = 16
MOST_HEADER_BYTES = 2_048
NUL, NUL_MARK = b"\\u0000", b"\\u2400"


class Heartbeat(msgspec.Struct):
    """One measurement that was worth a message."""

    status: int
    time: str = ""
    msg: str | None = None
    monitor: int | str | None = msgspec.field(default=None, name="monitorID")


class Tag(msgspec.Struct):
    """A tag of a monitor."""

    name: str
    value: Any = None


class Monitor(msgspec.Struct):
    """What is watched, as far as it identifies something."""

    id: int | str | None = None
    name: str = ""
    type: str | None = None
    url: str | None = None
    hostname: str | None = None
    port: Any = None
    tags: list[Tag] | None = None


class Notice(msgspec.Struct):
    """A delivery; one without a heartbeat is no alert."""

    msg: str | None
    heartbeat: Heartbeat | None = None
    monitor: Monitor | None = None


NOTICE = msgspec.json.Decoder(Notice)


class UptimeKuma:
    """Reads both content types of the webhook."""

    example = Example(body=EXAMPLE, names=("Customer portal",))
    paths: tuple[str, ...] = ()
    tells_once = True
    setup = (
        "Notifications, Webhook: POST https://HOST/webhooks/uptime-kuma, "
        "request body: preset application/json"
    )

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alert; a test or a certificate notice has none."""
        kind = delivery.header(b"content-type") or b""
        body = delivery.body
        if kind.lower().startswith(b"multipart/form-data"):
            body = read_form(kind, body)
        notice = read_json(body, NOTICE)
        if notice.heartbeat is None:
            text = (notice.msg or "").lower()
            is_notice = "certificate" in text
            note = "certificate notice" if is_notice else "test message"
            return Parsed(note=note)
        return Parsed(alerts=(to_alert(notice, notice.heartbeat),))


def read_form(kind: bytes, body: bytes) -> bytes:
    """Return the field ``data`` of a form.

    The body is cut here and not by the email package, which would follow
    forms in forms; that one reads the headers only.
    """
    if len(kind) > MOST_HEADER_BYTES:
        raise _no_form("content-type", "is too long")
    outer = Message()
    outer["content-type"] = kind.decode("latin-1")
    boundary = outer.get_boundary()
    if not boundary:
        raise _no_form("content-type", "has no boundary")
    mark = b"\r\n--" + boundary.encode("latin-1", "replace")
    parts = (b"\r\n" + body).split(mark, MOST_PARTS)
    for part in parts[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        if len(head) > MOST_HEADER_BYTES:
            raise _no_form("$", "has a part with too long headers")
        headers = BytesHeaderParser().parsebytes(head.lstrip() + b"\r\n")
        name = headers.get_param("name", header="content-disposition")
        if name == "data":
            return content
    raise _no_form("$.data", "is not in the form")


def _no_form(field: str, detail: str) -> Unparsed:
    """Return the error of a form that cannot be read."""
    return Unparsed(Flaw("not_a_form", field, detail))


def to_alert(notice: Notice, heartbeat: Heartbeat) -> Alert:
    """Return an alert in our words."""
    monitor = notice.monitor or Monitor()
    status = STATUSES.get(heartbeat.status)
    if status is None:
        place = "$.heartbeat.status"
        raise Unparsed(Flaw("unknown_status", place, "is not 0, 1, 2 or 3"))
    given = (heartbeat.monitor, monitor.id)
    number = next((one for one in given if one not in (None, "")), None)
    if number is None:
        place = "$.heartbeat.monitorID"
        raise Unparsed(Flaw("missing", place, "is missing"))
    moment = read_moment(heartbeat.time)
    is_change = status is not Status.UPDATED
    return Alert(
        fingerprint=str(number),
        status=status,
        # A monitor that stays down is told again with another time.
        occurrence=None if is_change else heartbeat.time or None,
        name=monitor.name or f"monitor {number}",
        summary=notice.msg or heartbeat.msg or "",
        labels=_labels(monitor, str(number)),
        annotations={"message": heartbeat.msg} if heartbeat.msg else {},
        starts_at=moment if status is Status.FIRING else None,
        ends_at=moment if status is Status.RESOLVED else None,
    )


def _labels(monitor: Monitor, number: str) -> dict[str, str]:
    """Return what identifies the thing that is watched, and its tags."""
    labels = {tag.name: as_scalar(tag.value) for tag in monitor.tags or []}
    ours = {
        "monitor": monitor.name,
        "monitor_id": number,
        "type": monitor.type,
        "host": monitor.hostname or _host(monitor.url or ""),
        "port": as_scalar(monitor.port),
    }
    labels.update({name: text for name, text in ours.items() if text})
    return labels


def _host(url: str) -> str:
    """Return the host of an address, without what may be secret in it."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def plugin(_env: SourceEnv) -> Source:
    """Return the source; it has no settings of its own."""
    return UptimeKuma()
