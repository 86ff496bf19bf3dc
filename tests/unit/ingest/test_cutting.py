"""What no alert is known by is kept in short; the alert says so."""

from typing import Any

import pytest

from app.core.settings import Limits
from app.ingest.cutting import NOTE, cut_alerts
from app.models.alert import Alert
from tests.fakes import make_alert

SMALL = Limits(
    label_name_chars=4,
    label_value_chars=600,
    annotation_chars=700,
    annotations=3,
)


def cut(**texts: Any) -> Alert:
    """Return an alert with these texts as it is kept."""
    (alert,) = cut_alerts((make_alert(**texts),), 10_000, SMALL)
    return alert


def test_what_is_as_long_as_it_may_be_is_kept() -> None:
    """Nothing is noted of it."""
    texts: dict[str, Any] = {
        "name": "n" * 600,
        "summary": "s" * 700,
        "url": "u" * 600,
        "annotations": dict.fromkeys(("a", "b", "abcd"), ""),
    }
    assert cut(**texts) == make_alert(**texts)


@pytest.mark.parametrize(
    ("field", "text", "note"),
    [
        ("name", "n" * 601, "left out: name of 601 letters"),
        ("summary", "s" * 701, "left out: summary of 701 letters"),
        ("url", "u" * 601, "left out: url of 601 letters"),
        (
            "annotations",
            dict.fromkeys("abcde", ""),
            "left out: 2 annotations",
        ),
        ("annotations", {"abcde": ""}, "left out: 1 annotations"),
    ],
)
def test_what_is_longer_is_cut_and_noted(
    field: str, text: object, note: str
) -> None:
    """By how much, for whoever wonders."""
    alert = cut(**{field: text})
    assert alert.annotations[NOTE] == note
    assert len(getattr(alert, field)) <= max(len(alert.name), 700)
    assert alert.fingerprint == "f1"


def test_two_names_that_differ_at_their_ends_stay_two() -> None:
    """Their problems are not taken for one."""
    assert cut(name="n" * 900 + "a").name != cut(name="n" * 900 + "b").name


def test_half_a_link_is_none() -> None:
    """It leads nowhere, or somewhere else."""
    assert cut(url="http://x/" + "y" * 600).url == ""


def test_a_short_body_may_hold_many_annotations() -> None:
    """Their number is looked at, whatever the size."""
    annotations = dict.fromkeys("abcde", "")
    (alert,) = cut_alerts((make_alert(annotations=annotations),), 50, SMALL)
    assert sorted(alert.annotations) == ["a", "b", "c", NOTE]


@pytest.mark.parametrize("size", [10, 10_000])
def test_a_note_of_the_sender_is_not_ours(size: int) -> None:
    """It would say that something is gone, which is all there."""
    limits = Limits()
    alert = make_alert(annotations={NOTE: "left out: all", "b": "c"})
    (kept,) = cut_alerts((alert,), size, limits)
    assert kept.annotations == {"b": "c", NOTE: "left out: 1 annotations"}
