"""Uptime Kuma: JSON, forms, and messages that are no alert."""

import json
from typing import Any, cast

import pytest

from app.ingest.sources.uptime_kuma import EXAMPLE, plugin
from app.models.alert import Alert, Status
from app.models.delivery import Delivery, Parsed, Unparsed
from app.ports import SourceEnv

SOURCE = plugin(cast(SourceEnv, None))  # it asks nothing of its surroundings
JSON = b"application/json"
FORM = b"multipart/form-data; boundary=--------------------------4711"
MARK = b"----------------------------4711"
MOMENT = 1_795_227_242_418_000


def parse(body: bytes, kind: bytes = JSON) -> Parsed:
    """Return what is read out of a body of some type."""
    headers = ((b"content-type", kind),)
    return SOURCE.parse(
        Delivery(source="kuma", body=body, received_at=0, headers=headers)
    )


def alert_of(
    heartbeat: dict[str, Any] | None = None,
    monitor: dict[str, Any] | None = None,
) -> Alert:
    """Return the alert of the example with some fields changed."""
    fields = json.loads(EXAMPLE)
    fields["heartbeat"].update(heartbeat or {})
    fields["monitor"].update(monitor or {})
    (alert,) = parse(json.dumps(fields).encode()).alerts
    return alert


def form(*parts: tuple[bytes, bytes]) -> bytes:
    """Return a form of parts: their headers, and what is in them."""
    made = b"".join(
        MARK + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return made + MARK + b"--\r\n"


def field(name: bytes) -> bytes:
    """Return the header of a field of a form."""
    return b'Content-Disposition: form-data; name="' + name + b'"'


def flaw_reason(body: bytes, kind: bytes = JSON) -> str:
    """Return why a body is not understood."""
    with pytest.raises(Unparsed) as caught:
        parse(body, kind)
    return caught.value.flaw.reason


def test_a_heartbeat_is_read() -> None:
    """Every field has its place."""
    alert = alert_of()
    assert alert.fingerprint == "17"
    assert alert.occurrence is None
    assert alert.name == "Customer portal"
    assert alert.summary == "Customer portal is down: connection refused"
    assert alert.annotations == {
        "message": "connect ECONNREFUSED 192.0.2.40:443"
    }
    assert alert.labels == {
        "team": "web",
        "monitor": "Customer portal",
        "monitor_id": "17",
        "type": "http",
        "host": "portal.example.net",
    }


@pytest.mark.parametrize(
    ("number", "status", "starts_at", "ends_at", "occurrence"),
    [
        (0, Status.FIRING, MOMENT, None, None),
        (1, Status.RESOLVED, None, MOMENT, None),
        (2, Status.UPDATED, None, None, "2026-11-21 02:14:02.418"),
        (3, Status.UPDATED, None, None, "2026-11-21 02:14:02.418"),
    ],
)
def test_each_number_has_a_status(
    number: int,
    status: Status,
    starts_at: int | None,
    ends_at: int | None,
    occurrence: str | None,
) -> None:
    """The time of the heartbeat is UTC; a repeat has another one."""
    alert = alert_of({"status": number})
    assert alert.status is status
    assert (alert.starts_at, alert.ends_at) == (starts_at, ends_at)
    assert alert.occurrence == occurrence


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("My Webhook Testing", "test message"),
        ("[Portal] TLS certificate will expire in 6 days", "certificate"),
        (None, "test message"),
    ],
)
def test_a_message_without_a_heartbeat_is_no_alert(
    text: str | None, note: str
) -> None:
    """It is noted, and nothing is wrong with it."""
    body = {"heartbeat": None, "monitor": None, "msg": text}
    parsed = parse(json.dumps(body).encode())
    assert parsed.alerts == ()
    assert parsed.unparsed == ()
    assert parsed.note.startswith(note)


@pytest.mark.parametrize(
    ("monitor", "host", "port"),
    [
        ({"url": "https://u:secret@a.example:8443/?k=v"}, "a.example", None),
        (
            {"url": "https://", "hostname": "db-1", "port": 5432},
            "db-1",
            "5432",
        ),
        ({"url": "https://[::1"}, None, None),
        ({"url": None}, None, None),
        ({"url": "not an address"}, None, None),
    ],
)
def test_the_host_is_known_and_no_secret(
    monitor: dict[str, Any], host: str | None, port: str | None
) -> None:
    """Of an address only its host is kept."""
    alert = alert_of(monitor=monitor)
    assert alert.labels.get("host") == host
    assert alert.labels.get("port") == port
    assert "secret" not in repr(alert)


def test_a_tag_does_not_overwrite_the_monitor() -> None:
    """Tags are free; what identifies is not."""
    tags = [
        {"name": "monitor_id", "value": "1"},
        {"name": "urgent", "value": None},
        {"name": "floor", "value": 3},
    ]
    labels = alert_of(monitor={"tags": tags}).labels
    assert labels["monitor_id"] == "17"
    assert labels["urgent"] == ""
    assert labels["floor"] == "3"


@pytest.mark.parametrize(
    "monitor", [None, {"id": 17}, {"id": 17, "tags": None, "type": None}]
)
def test_little_about_a_monitor_is_enough(
    monitor: dict[str, Any] | None,
) -> None:
    """The number identifies it."""
    body = {"heartbeat": {"status": 0, "monitorID": 17}, "monitor": monitor}
    (alert,) = parse(json.dumps({**body, "msg": "down"}).encode()).alerts
    assert (alert.fingerprint, alert.name) == ("17", "monitor 17")
    assert alert.starts_at is None


def test_the_number_may_stand_at_the_monitor_only() -> None:
    """Either place will do."""
    body = {"heartbeat": {"status": 0}, "monitor": {"id": "k8"}, "msg": "x"}
    (alert,) = parse(json.dumps(body).encode()).alerts
    assert alert.fingerprint == "k8"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form((field(b"data"), EXAMPLE)), FORM),
        (form((field(b"data"), EXAMPLE)), FORM.replace(b"mult", b"MULT")),
        (form((field(b"x"), b"{}"), (field(b"data"), EXAMPLE)), FORM),
        (b"preamble\r\n" + form((field(b"data"), EXAMPLE)), FORM),
        (
            form(
                (
                    b"Content-Type: text/x\r\n" + field(b"data").lower(),
                    EXAMPLE,
                )
            ),
            b'multipart/form-data; charset=utf-8; boundary="'
            + MARK[2:]
            + b'"',
        ),
    ],
    ids=["plain", "capitals", "second field", "preamble", "quoted"],
)
def test_a_form_says_the_same(body: bytes, kind: bytes) -> None:
    """The field data holds the JSON."""
    assert parse(body, kind) == parse(EXAMPLE)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (EXAMPLE, FORM),
        (form(), FORM),
        (form((field(b"date"), EXAMPLE)), FORM),
        (form((field(b"data"), EXAMPLE)), b"multipart/form-data"),
        (form((field(b"data"), EXAMPLE)), FORM + b"5"),
        (form((field(b"data"), EXAMPLE)), FORM + b";" * 10_000),
        (form((field(b"data") + b"x" * 9_000, EXAMPLE)), FORM),
        (form((b"Content-Disposition: \xff; name*=\xfe'x'", b"{}")), FORM),
        (form(*[(field(b"x"), b"{}")] * 40, (field(b"data"), b"{}")), FORM),
        (form((b"Content-Type: " + FORM, form())), FORM),
        (MARK + b"\r\n" + MARK + b"\r\n" + MARK, FORM),
    ],
)
def test_a_form_without_the_field_goes_into_quarantine(
    body: bytes, kind: bytes
) -> None:
    """However broken it is, it is a form that cannot be read."""
    assert flaw_reason(body, kind) == "not_a_form"


def test_a_form_with_broken_json_says_so() -> None:
    """What is in the field is read like any other body."""
    body = form((field(b"data"), b'{"msg": '))
    assert flaw_reason(body, FORM) == "not_json"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"null", "wrong_shape"),
        (b"[]", "wrong_shape"),
        (b"{}", "wrong_shape"),
        (b'"x"', "wrong_shape"),
        (b'{"msg": ', "not_json"),
        (b'{"msg": "\xff\xfe"}', "not_json"),
        (b"[" * 100_000, "wrong_shape"),
        (b'{"x":' * 100_000, "not_json"),
        (b'{"msg": "x", "heartbeat": {"status": 4}}', "unknown_status"),
        (b'{"msg": "x", "heartbeat": {"status": "0"}}', "wrong_shape"),
        (b'{"msg": "x", "heartbeat": {"status": 0}}', "missing"),
        (b'{"msg": "x", "heartbeat": {}}', "wrong_shape"),
    ],
)
def test_what_is_no_message_goes_into_quarantine(
    body: bytes, reason: str
) -> None:
    """The reason is told."""
    assert flaw_reason(body) == reason
