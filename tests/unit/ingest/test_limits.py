"""Over a limit the sender is told which one, and how to mend it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Refused
from app.core.settings import Limits
from app.ingest.limits import check_alerts, check_depth
from app.models.alert import Alert
from app.models.delivery import Parsed
from tests.fakes import make_alert

SMALL = Limits(
    alerts=2,
    labels=3,
    label_name_chars=4,
    label_value_chars=5,
    annotation_chars=6,
    identity_chars=16,
    depth=4,
)


def refusal_of(count: int, alert: Alert) -> Refused | None:
    """Return why so many alerts are over SMALL, None when they are not."""
    try:
        check_alerts(Parsed(alerts=(alert,) * count), 10_000, SMALL)
    except Refused as refusal:
        return refusal
    return None


def test_exactly_at_the_limits_is_fine() -> None:
    """Each text and each number as large as it may be."""
    alert = make_alert(labels={"abcd": "12345"}, annotations={"x": "123456"})
    assert refusal_of(2, alert) is None


@pytest.mark.parametrize(
    ("reason", "count", "alert"),
    [
        ("over_alerts", 3, make_alert(labels={})),
        ("over_labels", 1, make_alert(labels=dict.fromkeys("abcd", ""))),
        ("over_label_name_chars", 1, make_alert(labels={"abcde": ""})),
        ("over_label_value_chars", 1, make_alert(labels={"a": "123456"})),
        ("over_identity_chars", 1, make_alert("f" * 17, labels={})),
        ("over_identity_chars", 1, make_alert("f", "o" * 17, labels={})),
        (
            "over_annotation_chars",
            1,
            make_alert(labels={}, annotations={"a": "1234567"}),
        ),
    ],
)
def test_each_limit_is_named(reason: str, count: int, alert: Alert) -> None:
    """One over is refused, with the field and the setting that raises it."""
    refusal = refusal_of(count, alert)
    assert refusal is not None
    assert (refusal.status, refusal.reason) == (422, reason)
    assert refusal.field
    assert "server.limits." in refusal.remedy


def test_a_text_cannot_be_longer_than_the_body_it_came_in() -> None:
    """So a short body needs no look at its texts, and is not refused."""
    alert = make_alert(labels={"a": "12345"})
    check_alerts(Parsed(alerts=(alert,)), 5, SMALL)


def depth_of(value: object) -> int:
    """Return how deep lists and objects are nested, the slow way."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


texts = st.text(alphabet='[]{}"\\ab', max_size=8)
values = st.recursive(
    texts | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(values)
def test_depth_is_that_of_the_brackets_outside_of_strings(
    value: object,
) -> None:
    """Brackets and quotes inside strings do not count."""
    body = json.dumps(value).encode()
    if depth_of(value) <= SMALL.depth:
        check_depth(body, SMALL)
    else:
        with pytest.raises(Refused) as caught:
            check_depth(body, SMALL)
        assert caught.value.reason == "over_depth"


@pytest.mark.parametrize("body", [b"]" * 100, b'"' * 99, b"", b"\\" * 99])
def test_what_is_no_json_is_left_to_the_parser(body: bytes) -> None:
    """Nothing in it is nested."""
    check_depth(body, Limits())


def test_a_hundred_thousand_brackets_are_refused() -> None:
    """Without recursion, in one look."""
    with pytest.raises(Refused, match="deeper than 32"):
        check_depth(b"[" * 100_000, Limits())
