"""The shipped gate, judged by the lessons of strangers: it never saw them."""

import re
from pathlib import Path

import pytest

from app.decide.gate.lessons import ACTING, Lesson, read_lessons
from app.decide.gate.training import QUIET, Judged
from app.decide.gate.weighing import SHIPPED
from app.decide.gate.weights import load
from scripts.judge_strangers import (
    judge_all,
    miscalibration,
    read_strangers,
    silent_wrongly,
    ungraded,
)

HERE = Path(__file__).parent / "strangers"
# What was measured, less what one lesson told four times may change.
ACCEPTED, STRICT = 0.94, 0.75
UNSAFE = 0.015
# Of monitoring that never says how bad it is.
UNGRADED_ACCEPTED, SILENT, ECE = 0.92, 0.004, 0.08


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    """Return what the gate makes of all of them."""
    found = judge_all(read_strangers(HERE))
    return [one for some in found.values() for one in some]


@pytest.fixture(scope="module")
def bare() -> list[Judged]:
    """Return what it makes of them where nobody says how bad it is."""
    found = judge_all(ungraded(read_strangers(HERE)))
    return [one for some in found.values() for one in some]


def share(found: list[bool]) -> float:
    """Return how many of them are so."""
    return sum(found) / len(found)


def names_of(lessons: list[Lesson]) -> set[str]:
    """Return the names of lessons, by their letters alone."""
    return {
        re.sub(r"[^a-z]", "", name.lower())
        for lesson in lessons
        for name in lesson.names
    }


def test_strangers_are_strangers() -> None:
    """Whoever takes a lesson from them measures nothing any more."""
    ours, theirs = names_of(read_lessons()), names_of(read_strangers(HERE))
    assert len(theirs) > 1_500
    assert len(ours & theirs) <= len(theirs) / 50


def test_it_holds_for_strangers(judged: list[Judged]) -> None:
    """What it chooses is right, or acceptable, as often as is written."""
    assert share([one.is_accepted for one in judged]) >= ACCEPTED
    assert share([one.is_right for one in judged]) >= STRICT


def test_strangers_meet_restraint(judged: list[Judged]) -> None:
    """It seldom wants to act where nobody may, and then it asks."""
    least = load(SHIPPED).facts.thresholds
    unsafe = [
        one for one in judged if one.action in ACTING and not one.is_accepted
    ]
    assert len(unsafe) <= UNSAFE * len(judged)
    unasked = [one for one in unsafe if one.raw >= least[one.action]]
    assert unasked == []


def test_without_a_severity_it_seldom_keeps_silent(bare: list[Judged]) -> None:
    """Who does not say how bad it is has not said that it is nothing."""
    assert {one.seen.quiet for one in bare} == {QUIET["unknown"]}
    assert share([one.is_accepted for one in bare]) >= UNGRADED_ACCEPTED
    assert silent_wrongly(bare) <= SILENT * len(bare)
    assert miscalibration(bare, is_strict=True) <= ECE
