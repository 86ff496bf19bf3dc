"""What every source keeps to, also the ones that nobody has written yet."""

import copy
import json

import pytest

import app.ingest.sources
from app.core.errors import Refused
from app.core.registry import scan
from app.models.alert import Alert, Severity, Status
from app.models.delivery import Delivery, Parsed, Unparsed
from app.models.example import Example
from app.ports import Source
from tests.unit.sources.making import (
    KINDS,
    NOW,
    StillClock,
    change,
    make_delivery,
    make_source,
    places,
)

STRANGE = {
    "empty": b"",
    "null": b"null",
    "empty list": b"[]",
    "empty object": b"{}",
    "text": b'"x"',
    "number": b"12",
    "list of odds": b'[null, 1, "x", [], {}]',
    "broken": b'{"alerts": [',
    "no JSON": b"name=disk&status=firing",
    "not UTF-8": b'{"alerts": "\xff\xfe", "labels": {"\xff": "\xff"}}',
    "lone surrogate": b'{"name": "\\ud800", "event_id": "\\udfff"}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"alerts":' * 20_000,
    "deep and whole": b"[" * 900 + b"]" * 900,
    "huge number": b'{"name": "x", "starts_at": 1' + b"0" * 5_000 + b"}",
}


def example_of(source: Source) -> Delivery:
    """Return the example of a source as a delivery."""
    return make_delivery(source.example.body, source.example.headers)


def read(source: Source, body: bytes) -> Parsed:
    """Return what is read, with what is not understood as a flaw."""
    try:
        return source.parse(make_delivery(body, source.example.headers))
    except Unparsed as error:
        return Parsed(unparsed=(error.flaw,))


def assert_well_formed(alert: Alert) -> None:
    """Fail unless an alert is what the store and the API take."""
    assert isinstance(alert.fingerprint, str)
    assert alert.fingerprint
    assert isinstance(alert.status, Status)
    assert isinstance(alert.severity, Severity)
    assert alert.occurrence is None or isinstance(alert.occurrence, str)
    for text in (alert.name, alert.summary, alert.url):
        assert isinstance(text, str)
    for texts in (alert.labels, alert.annotations):
        for name, value in texts.items():
            assert isinstance(name, str)
            assert isinstance(value, str)
    for when in (alert.starts_at, alert.ends_at):
        assert when is None or type(when) is int


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest) -> Source:
    """Return each source in turn, with default settings."""
    kind: str = request.param
    return make_source(kind)


def test_start_up_finds_every_file() -> None:
    """The folder can be scanned, and nothing in it is passed over."""
    assert sorted(scan(app.ingest.sources)) == KINDS


def test_it_says_how_to_point_a_system_here(source: Source) -> None:
    """A source has an example, paths and a line for the person setting up."""
    assert isinstance(source.example, Example)
    assert isinstance(source.paths, tuple)
    assert all(path.startswith("/") for path in source.paths)
    assert source.setup.strip()
    assert "\n" not in source.setup


def test_it_reads_its_own_example(source: Source) -> None:
    """The example yields the alerts that it promises, and no flaw."""
    parsed = source.parse(example_of(source))
    assert source.example.names
    assert tuple(a.name for a in parsed.alerts) == source.example.names
    assert parsed.unparsed == parsed.rejected == ()
    for alert in parsed.alerts:
        assert_well_formed(alert)
    identities = {(a.fingerprint, a.status) for a in parsed.alerts}
    assert len(identities) == len(parsed.alerts)


def test_it_reads_the_same_twice_and_changes_nothing(source: Source) -> None:
    """A replay finds what the first reading found."""
    delivery = example_of(source)
    before = copy.deepcopy(delivery)
    first = source.parse(delivery)
    kept = copy.deepcopy(first)
    assert source.parse(delivery) == first == kept
    assert delivery == before


def test_it_asks_no_clock_but_the_delivery(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay of years later reads what was meant then."""
    first = source.parse(example_of(source))
    monkeypatch.setattr(StillClock, "now", lambda _: NOW + 10**14)
    assert source.parse(example_of(source)) == first


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE.keys())
def test_it_takes_strange_bodies_calmly(source: Source, body: bytes) -> None:
    """A body is understood, or it is told what is wrong and where."""
    parsed = read(source, body)
    for flaw in parsed.unparsed:
        assert flaw.reason
        assert flaw.field
        assert flaw.detail
    for alert in parsed.alerts:
        assert_well_formed(alert)


@pytest.mark.parametrize("other", ["", " ", "\0", 0, None, [], {}], ids=repr)
def test_every_alert_keeps_an_identity(source: Source, other: object) -> None:
    """Whatever one field is: without one, strangers would be the same."""
    for path in places(json.loads(source.example.body))[1:]:
        body = json.loads(source.example.body)
        change(body, path, other)
        for alert in read(source, json.dumps(body).encode()).alerts:
            assert_well_formed(alert)


def test_a_flaw_never_quotes_the_payload(source: Source) -> None:
    """What stands in a payload may be a secret; a flaw goes to the log."""
    broken = source.example.body.replace(b":", b" s3cr3t ")
    flaws = list(read(source, broken).unparsed)
    assert flaws
    for path in places(json.loads(source.example.body))[1:]:
        body = json.loads(source.example.body)
        change(body, path, "s3cr3t")
        flaws += read(source, json.dumps(body).encode()).unparsed
    assert not [flaw for flaw in flaws if "s3cr3t" in repr(flaw)]


FLOODS = {
    "alertmanager": b'{"alerts":[%b]}',
    "grafana": b'{"alerts":[%b]}',
    "prometheus": b"[%b]",
    "generic": b"[%b]",
    "cloudevents": b"[%b]",
}
BATCH = ((b"content-type", b"application/cloudevents-batch+json"),)


@pytest.mark.parametrize("kind", FLOODS)
@pytest.mark.parametrize("item", [b"{}", b"null", b'{"name":"a"}'])
def test_too_many_are_counted_before_they_are_read(
    kind: str, item: bytes
) -> None:
    """A million empty alerts cost a look at their number."""
    body = FLOODS[kind] % b",".join([item] * 501)
    delivery = make_delivery(body, BATCH)
    with pytest.raises(Refused) as caught:
        make_source(kind).parse(delivery)
    assert caught.value.reason == "over_alerts"
