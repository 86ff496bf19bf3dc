"""Casing: one alert as every brain sees it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.shape import SHAPES, Shape
from app.decide.casing import (
    LABEL_CHARS,
    MOST_LABELS,
    MOST_TEXTS,
    NOT_KEPT,
    Told,
    all_texts,
    make_case,
    tidy,
)
from app.models.case import TEXT_CHARS, Case, Happening

NOW = 1_795_227_242_000_000


def make(**more: Any) -> Case:
    """Return the case of an alert."""
    values: dict[str, Any] = {
        "source": "alertmanager",
        "name": "DiskFull",
        "status": "firing",
        "severity": "warning",
        "summary": "",
        "labels": {"instance": "web-1:9100"},
        **more,
    }
    return make_case(Told(**values), NOW)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("  two\n\n lines\t", "two lines"),
        ("zero\u200bwidth", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("right\u202eleft", "rightleft"),
        ("bom\ufeff", "bom"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("nul\0 bell\a escape\x1b[31m", "nul bell escape[31m"),
        ("private\ue000", "private"),
        ("half\ud800", "half"),
        ("unassigned\u0378", "unassigned"),
        ("line\u2028break\u00a0blank", "line break blank"),
        ("grün 日本 😀", "grün 日本 😀"),
        ("", ""),
    ],
)
def test_what_no_eye_sees_goes(text: str, seen: str) -> None:
    """Orders that hide from people do not reach a model."""
    assert tidy(text) == seen


@given(st.text(max_size=300), st.integers(1, 50))
def test_a_tidy_text_is_one_short_line(text: str, most: int) -> None:
    """Whatever it was, and tidying again changes nothing."""
    line = tidy(text, most)
    assert len(line) <= most
    assert line == " ".join(line.split())
    assert "\n" not in line
    assert tidy(line, most) == line


def test_a_long_text_is_cut_with_a_mark() -> None:
    """At the cap; one that just fits is whole."""
    assert tidy("x" * 10, 10) == "x" * 10
    assert tidy("x" * 11, 10) == "x" * 9 + "…"


def test_texts_and_values_are_kept_apart() -> None:
    """What was measured is no text; what is blank is nothing."""
    case = make(
        summary="it is full",
        annotations={
            "description": "of logs",
            "value": "93.1",
            "OpData": "used 93 %",
            "empty": "  ",
        },
    )
    assert case.summary == "it is full"
    assert case.texts == {"description": "of logs"}
    assert case.values == {"value": "93.1", "OpData": "used 93 %"}
    assert set(all_texts(case)) == {"it is full", "of logs"}


def test_only_so_many_texts_are_kept() -> None:
    """The telling ones first, and a note says how many are gone."""
    notes = {f"a{number}": "x" for number in range(MOST_TEXTS + 2)}
    case = make(annotations={**notes, "Summary": "y"})
    assert len(case.texts) == MOST_TEXTS
    assert next(iter(case.texts)) == "Summary"
    assert case.notes == ("3 texts left out",)


def test_a_long_text_is_noted() -> None:
    """Who reads the case knows that there was more."""
    case = make(annotations={"description": "x" * (TEXT_CHARS + 1)})
    assert len(case.texts["description"]) == TEXT_CHARS
    assert case.notes == ("text description shortened",)
    whole = make(annotations={"description": "x" * TEXT_CHARS})
    assert whole.notes == ()


def test_labels_are_kept_as_they_are_or_not_at_all() -> None:
    """A value that was cut would name something else: a mark is nothing."""
    odd = "web\u200b-1"
    case = make(labels={"a": odd, "b": "x" * (LABEL_CHARS + 1), "c": "d"})
    assert case.labels == {"a": odd, "b": NOT_KEPT, "c": "d"}
    assert case.notes == ("label b left out: too long or many",)


def test_only_so_many_labels_are_kept() -> None:
    """The first ones, with a note and a mark on each other one."""
    labels = {f"l{number}": "x" for number in range(MOST_LABELS + 2)}
    case = make(labels=labels)
    said = [name for name, text in case.labels.items() if text != NOT_KEPT]
    assert said == list(labels)[:MOST_LABELS]
    assert list(case.labels) == list(labels)
    assert len(case.notes) == 2


def test_a_label_that_is_not_kept_still_names_the_target() -> None:
    """The case is about what the incident is about."""
    case = make(labels={"host": "h" * (LABEL_CHARS + 1), "instance": "web-1"})
    assert case.target == "h" * (LABEL_CHARS + 1)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda one: one.name)
def test_what_stands_for_a_label_names_nothing(shape: Shape) -> None:
    """It has the shape of no argument."""
    assert shape.fit(NOT_KEPT) is None


def test_a_note_does_not_carry_what_it_leaves_out() -> None:
    """A label's name is a stranger's text as well."""
    (note,) = make(labels={"x" * 90 + "\u200b": "y" * 600}).notes
    assert note == f"label {'x' * 64} left out: too long or many"


def test_names_are_tidied() -> None:
    """Of the alert and of the target; values, too."""
    case = make(
        name="Disk\u200bFull\n",
        labels={"instance": "web\u202e-1"},
        annotations={"value": "9\u200b3" + "0" * 600},
    )
    assert case.name == case.problem == "DiskFull"
    assert case.target == "web-1"
    assert case.values["value"].startswith("930")
    assert len(case.values["value"]) == LABEL_CHARS


def test_without_a_label_the_alert_is_the_target() -> None:
    """There is always something that it is about."""
    case = make(labels={})
    assert (case.target_kind, case.target) == ("alert", "DiskFull")


@pytest.mark.parametrize(
    ("starts_at", "age"),
    [
        (None, 0),
        (NOW, 0),
        (NOW - 90_000_000, 90),
        (NOW - 1_999_999, 1),
        (NOW + 5_000_000, 0),
    ],
)
def test_its_age_is_counted_from_its_beginning(
    starts_at: int | None, age: int
) -> None:
    """A clock that goes ahead makes nothing younger than new."""
    case = make(starts_at=starts_at)
    assert case.age_seconds == age
    assert case.begins_at == starts_at


GROWING = {
    "incident": 9,
    "begins_at": NOW - 5,
    "age_seconds": 77,
    "repeats": 12,
}


@pytest.mark.parametrize("name", sorted(GROWING))
def test_what_only_grows_is_not_in_the_digest(name: str) -> None:
    """A storm of one case shares one call."""
    case = make()
    later = msgspec.structs.replace(case, **{name: GROWING[name]})
    assert later != case
    assert later.digest == case.digest


@pytest.mark.parametrize(
    "change",
    [
        {"name": "X"},
        {"status": "resolved"},
        {"severity": "critical"},
        {"labels": {"instance": "web-2"}},
        {"summary": "X"},
        {"texts": {"a": "b"}},
        {"values": {"a": "b"}},
        {"episodes": 2},
        {"is_flapping": True},
        {"siblings": 3},
        {"together": ("X",)},
        {"history": (Happening(at=1, action="x", arguments={}),)},
        {"similar": {"x": {"fixed": 1}}},
        {"maintenance": "X"},
        {"runbook": "X"},
        {"notes": ("X",)},
    ],
)
def test_everything_else_is_in_the_digest(change: dict[str, Any]) -> None:
    """What a decision may rest on makes another case."""
    case = make()
    assert msgspec.structs.replace(case, **change).digest != case.digest


def test_the_order_of_labels_is_not_in_the_digest() -> None:
    """A source that tells them otherwise tells the same."""
    one = make(labels={"instance": "web-1", "job": "node"})
    other = make(labels={"job": "node", "instance": "web-1"})
    assert one.digest == other.digest


def test_a_case_can_be_kept_and_read_again() -> None:
    """Exactly, for a replay."""
    case = make(annotations={"value": "1", "description": "grün"})
    again = msgspec.json.decode(msgspec.json.encode(case), type=Case)
    assert again == case
    assert again.digest == case.digest
