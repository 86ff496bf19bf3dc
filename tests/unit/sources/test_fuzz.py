"""Payloads that nobody thought of: a source reads them or says why not."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.models.alert import Alert, Status
from app.models.delivery import Parsed, Unparsed
from app.ports import Source
from tests.unit.sources.making import (
    DROPPED,
    KINDS,
    change,
    make_delivery,
    make_source,
    places,
)

# What the databases hold: 64 bits, and what a calendar can show.
LAST_MOMENT = 253_402_300_800_000_000
FIRST_MOMENT = -62_135_596_800_000_000
WORDS = """
    alerts labels annotations status startsAt endsAt fingerprint firing
    resolved event_id event_value event_tags event_date event_time ruleId
    state name host severity starts_at 1 0 {EVENT.ID} *UNKNOWN* a:b,
    2026-11-21T02:00:00Z 0001-01-01T00:00:00+23:59 1795226400
    9999-12-31T23:59:59-23:59 2026.11.21 02:23:28
    [{"tag":"a","value":[[]]}]
"""
TEXTS = st.sampled_from(WORDS.split()) | st.text(max_size=12)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=6)
    ),
    max_leaves=25,
)
MANY = settings(
    max_examples=60,
    deadline=None,
    database=None,
)


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest) -> Source:
    """Return each source in turn, with default settings."""
    kind: str = request.param
    return make_source(kind)


def assert_calm(source: Source, body: bytes) -> None:
    """Fail unless a body is read into alerts of plain text, or told."""
    delivery = make_delivery(body, source.example.headers)
    try:
        parsed = source.parse(delivery)
    except Unparsed as error:
        parsed = Parsed(unparsed=(error.flaw,))
    for flaw in parsed.unparsed:
        assert flaw.reason
        assert flaw.field
    for alert in parsed.alerts:
        assert_storable(alert)


def assert_storable(alert: Alert) -> None:
    """Fail unless both databases can hold an alert."""
    assert isinstance(alert.status, Status)
    assert alert.fingerprint
    texts = [alert.fingerprint, alert.name, alert.summary, alert.url]
    texts += [alert.occurrence or ""]
    for labels in (alert.labels, alert.annotations):
        texts += [*labels, *labels.values()]
    for text in texts:
        text.encode()
    for when in (alert.starts_at, alert.ends_at):
        assert when is None or FIRST_MOMENT <= when < LAST_MOMENT


@MANY
@given(value=VALUES)
def test_any_json(source: Source, value: object) -> None:
    """Any JSON at all is read or refused."""
    assert_calm(source, json.dumps(value).encode())


@MANY
@given(choice=st.data())
def test_the_example_with_a_changed_node(
    source: Source, choice: st.DataObject
) -> None:
    """One or two nodes are dropped, replaced or of another type."""
    value = json.loads(source.example.body)
    for _ in range(choice.draw(st.integers(1, 2))):
        path = choice.draw(st.sampled_from(places(value)))
        if path:
            change(value, path, choice.draw(st.just(DROPPED) | VALUES))
    assert_calm(source, json.dumps(value, ensure_ascii=False).encode())


@MANY
@given(
    flips=st.lists(
        st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=3)),
        min_size=1,
        max_size=6,
    )
)
def test_the_example_with_flipped_bytes(
    source: Source, flips: list[tuple[int, bytes]]
) -> None:
    """Bytes that a broken line would change."""
    body = bytearray(source.example.body)
    for place, other in flips:
        start = place % len(body)
        body[start : start + len(other)] = other
    assert_calm(source, bytes(body))


@MANY
@given(body=st.binary(max_size=60))
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 5_000)
def test_any_bytes(source: Source, body: bytes) -> None:
    """What is no JSON is told."""
    assert_calm(source, body)


EXPRESSIONS = (
    "sort_by(@, &name)[0].name",
    "join(', ', keys(@))",
    "max_by(@, &startsAt).name",
    "to_string(@)",
    "ceil(avg(values(@)))",
    "[?contains(status, 'x')] | [0].name",
    "floor(to_number(name))",
    "reverse(name)",
    "merge(@, @).name",
    "name[1:8:2]",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@MANY
@given(value=VALUES)
def test_any_json_under_an_expression(expression: str, value: object) -> None:
    """JMESPath meets what it was not written for."""
    options = {"name": expression, "labels": {"host": expression}}
    source = make_source("generic", options)
    assert_calm(source, json.dumps(value).encode())
