"""The shipped weights are what this tree would make, and so is their page."""

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.cli.figures import put_into
from app.decide.casing import make_case
from app.decide.gate.lessons import ACTING, ACTIONS, read_lessons
from app.decide.gate.place import base_version
from app.decide.gate.telling import tell_all
from app.decide.gate.training import LEAST, TIMES, Teacher
from app.decide.gate.weighing import SHIPPED, TrainedGate
from app.decide.gate.weights import load
from app.models.origins import TOPICS
from tests.unit.decide.gate.school import GROUNDER, KNOWLEDGE, menu_of

PAGE = Path(__file__).parents[4] / "docs" / "reflex.md"
TRAIN = "run: .venv/bin/python main.py reflex train --shipped"


def test_the_shipped_weights_are_current() -> None:
    """They were made of the lessons, the lists and the code of this tree."""
    made_of = load(SHIPPED).facts.version
    assert made_of == base_version(), f"the weights are outdated; {TRAIN}"


def test_the_page_tells_their_figures() -> None:
    """docs/reflex.md cannot say anything else than what was measured."""
    text = PAGE.read_text(encoding="utf-8")
    assert put_into(text, load(SHIPPED).facts) == text, f"outdated; {TRAIN}"


def test_the_shipped_weights_are_whole() -> None:
    """Every class, every threshold, and no outcome of anybody's site."""
    facts = load(SHIPPED).facts
    assert facts.actions == ACTIONS
    assert facts.topics == TOPICS
    assert facts.thresholds.keys() == ACTING
    assert all(least >= LEAST for least in facts.thresholds.values())
    assert facts.confirmed == 0
    assert facts.learned == TIMES * len(read_lessons())
    assert facts.slope > 0


def test_the_shipped_gate_shows_restraint() -> None:
    """Of tellings in which handing over is right it acts unasked on none."""
    weights = load(SHIPPED)
    gate = TrainedGate(weights, KNOWLEDGE)
    lessons = [one for one in read_lessons() if one.action not in ACTING]
    for example in tell_all(lessons[::9], 1, 11):
        case = make_case(example.told, 0)
        weighed = gate.weigh(case, menu_of(case))
        if not weighed.allows & set(example.ok):
            assert not weighed.allows, example


@pytest.mark.skipif(
    os.environ.get("TESTS") != "all",
    reason="takes two minutes, and says something new only about new lessons:"
    " TESTS=all runs it",
)
def test_training_again_gives_the_same_decisions() -> None:
    """On every lesson, with the facts that are shipped."""
    lessons = read_lessons()
    again = Teacher(GROUNDER, KNOWLEDGE).teach(lessons)
    shipped = load(SHIPPED)
    # Sums may differ in the last bit from machine to machine.
    for name, value in shipped.facts.measured.items():
        assert again.facts.measured[name] == pytest.approx(value, abs=0.01)
    assert msgspec.structs.replace(
        again.facts, measured={}, thresholds={}, slope=0, shift=0
    ) == msgspec.structs.replace(
        shipped.facts, measured={}, thresholds={}, slope=0, shift=0
    )
    gates = [TrainedGate(one, KNOWLEDGE) for one in (again, shipped)]
    same = []
    for example in tell_all(lessons, 1, 13):
        case = make_case(example.told, 0)
        menu = menu_of(case)
        first, other = (
            gate.weigh(case, menu).options[0].action for gate in gates
        )
        same.append(first == other)
    assert np.mean(same) > 0.998
