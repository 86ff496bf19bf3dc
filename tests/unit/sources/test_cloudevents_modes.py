"""CloudEvents: how an event travels, and what is none."""

import json
from base64 import b64encode
from typing import Any

import pytest

from app.ingest.sources.cloudevents import EXAMPLE
from app.models.alert import Status
from app.models.delivery import Parsed
from tests.unit.sources.events import (
    ATTRIBUTES,
    BATCH,
    JSON,
    STRUCTURED,
    alert_of,
    binary,
    event,
    flaw_of,
    parse,
)


def base64(content: bytes) -> str:
    """Return bytes as an event carries them."""
    return b64encode(content).decode()


@pytest.mark.parametrize(
    "kind",
    [
        STRUCTURED,
        b"Application/CloudEvents+JSON",
        b"application/cloudevents+json; charset=utf-8",
        b" application/cloudevents+json ;x=y",
        JSON,
    ],
)
def test_structured_mode_is_known_by_its_type(kind: bytes) -> None:
    """In any case and with parameters; plain JSON is tried as an event."""
    (alert,) = parse(EXAMPLE, ((b"content-type", kind),)).alerts
    assert alert.name == "Backup failed"


def test_the_three_modes_say_the_same() -> None:
    """How an event travels does not matter."""
    content = {"name": "Pump stands still", "status": "firing"}
    structured = alert_of(data=content, subject="p 1/ü")
    headers = ((b"content-type", BATCH + b"; charset=utf-8"),)
    batch = [event(data=content, subject="p 1/ü")]
    (batched,) = parse(json.dumps(batch).encode(), headers).alerts
    travelled = binary(json.dumps(content).encode(), subject=b"p%201/%C3%BC")
    assert structured == batched == travelled
    assert structured.labels["subject"] == "p 1/ü"


def test_a_batch_may_be_empty() -> None:
    """It is nothing wrong, and no alert."""
    parsed = parse(b"[]", ((b"content-type", BATCH),))
    assert parsed == Parsed(note="empty batch")


def test_a_bad_event_does_not_spoil_its_batch() -> None:
    """The good ones are taken, the bad ones are named by their place."""
    events = [event(id="1"), 5, event(id="3", source=""), event(id="4")]
    body = json.dumps(events).encode()
    parsed = parse(body, ((b"content-type", BATCH),))
    assert [alert.occurrence for alert in parsed.alerts] == ["1", "4"]
    assert [flaw.field for flaw in parsed.unparsed] == ["$[1]", "$[2].source"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"a%20b%25", "a b%"),
        (b"%E2%82%AC", "€"),
        (b"100%", "100%"),
        (b'"in quotes"', "in quotes"),
        (b'"with \\"quotes\\""', 'with "quotes"'),
        (b"\xc3\xbc", "ü"),
    ],
)
def test_a_header_is_decoded(value: bytes, text: str) -> None:
    """Percent signs and quotation marks are undone."""
    assert binary(b"", subject=value).labels["subject"] == text


@pytest.mark.parametrize("value", [b"%FF", b"\xff", b"a%00b"])
def test_a_header_that_is_no_text_is_a_flaw(value: bytes) -> None:
    """The place is the attribute."""
    headers = (*ATTRIBUTES.items(), (b"ce-subject", value))
    assert flaw_of(b"", headers) == ("bad_header", "$.subject")


def test_binary_data_of_another_type_is_not_read() -> None:
    """The attributes are enough for an alert."""
    alert = binary(b"\x89PNG", kind=b"image/png")
    assert alert.name == "net.example.pump"


def test_binary_data_without_a_type_is_json() -> None:
    """A suffix of JSON counts as JSON too."""
    body = b'{"name": "Pump"}'
    (alert,) = parse(body, tuple(ATTRIBUTES.items())).alerts
    assert alert.name == "Pump"
    assert binary(body, kind=b"application/x+json; v=1").name == "Pump"


def test_base64_holds_json_too() -> None:
    """A NUL in it is shown as a symbol, as everywhere."""
    content = b'{"name": "Pump\\u0000", "status": "ok"}'
    alert = alert_of(data_base64=base64(content))
    assert alert.name == "Pump\N{SYMBOL FOR NULL}"
    assert alert.status is Status.RESOLVED


def test_base64_of_another_type_is_not_read() -> None:
    """A picture is no reason to lose the event."""
    alert = alert_of(data_base64="iVBORw==", datacontenttype="image/png")
    assert alert.name == "net.example.pump"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no base64!", "not_base64"),
        ("ü", "not_base64"),
        (5, "not_base64"),
        (base64(b"\xff"), "not_json"),
        (base64(b"{"), "not_json"),
        (base64(b'{"a":' * 100_000), "not_json"),
        ("", "not_json"),
    ],
)
def test_broken_base64_is_a_flaw(text: Any, reason: str) -> None:
    """The place is the field."""
    body = json.dumps(event(data_base64=text)).encode()
    assert flaw_of(body) == (reason, "$.data_base64")


@pytest.mark.parametrize("version", ["0.3", "2.0", "", "x1.0", None, [], {}])
def test_another_version_is_not_guessed_at(version: Any) -> None:
    """It goes into quarantine, with the field."""
    body = json.dumps(event(specversion=version)).encode()
    assert flaw_of(body) == ("unknown_version", "$.specversion")
    headers = {**ATTRIBUTES, b"ce-specversion": b"0.3"}
    place = flaw_of(b"{}", tuple(headers.items()))
    assert place == ("unknown_version", "$.specversion")


@pytest.mark.parametrize("name", ["id", "source", "type"])
@pytest.mark.parametrize("value", [None, "", 5, ["x"]])
def test_what_every_event_has_must_be_there(name: str, value: Any) -> None:
    """In each mode."""
    body = json.dumps(event(**{name: value})).encode()
    assert flaw_of(body) == ("missing", f"$.{name}")
    lacking = {
        header: text
        for header, text in ATTRIBUTES.items()
        if header != b"ce-" + name.encode()
    }
    assert flaw_of(b"{}", tuple(lacking.items())) == ("missing", f"$.{name}")


HOSTILE = {
    b"": "not_json",
    b"null": "wrong_shape",
    b"[]": "wrong_shape",
    b"{}": "unknown_version",
    b'"x"': "wrong_shape",
    b'{"specversion": ': "not_json",
    b'"\xff\xfe"': "not_json",
    b"\xff": "not_json",
    b"[" * 100_000: "not_json",
    b'{"data":' * 100_000: "not_json",
    b"NaN": "not_json",
}


@pytest.mark.parametrize(("body", "reason"), HOSTILE.items())
def test_what_is_no_event_goes_into_quarantine(
    body: bytes, reason: str
) -> None:
    """With and without the type of an event."""
    assert flaw_of(body, ((b"content-type", STRUCTURED),))[0] == reason
    assert flaw_of(body)[0] == reason


@pytest.mark.parametrize("body", [b for b in HOSTILE if b != b"[]"])
def test_what_is_no_batch_goes_into_quarantine(body: bytes) -> None:
    """A list is wanted."""
    reason = flaw_of(body, ((b"content-type", BATCH),))[0]
    assert reason in ("not_json", "wrong_shape")


@pytest.mark.parametrize(("body", "reason"), HOSTILE.items())
def test_binary_data_may_be_any_json(body: bytes, reason: str) -> None:
    """What is no JSON is a flaw, an odd value is not."""
    if body and reason == "not_json":
        assert flaw_of(body, tuple(ATTRIBUTES.items()))[0] == reason
    else:
        assert binary(body).name == "net.example.pump"
