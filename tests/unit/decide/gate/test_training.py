"""Training: calibration, thresholds and figures mean what they say."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decide.gate.features import Sight
from app.decide.gate.lessons import ACTING, ACTIONS
from app.decide.gate.training import (
    LEAST,
    Judged,
    Outcome,
    Seen,
    Teacher,
    choose,
    find_threshold,
    fingerprint,
    hold_back,
    measure,
    quiet_from,
)
from app.decide.gate.weights import Facts
from app.decide.platt import fit
from app.models.case import Case
from tests.unit.decide.gate.school import (
    GROUNDER,
    KNOWLEDGE,
    case_of,
    few_lessons,
    few_weights,
    menu_of,
)

WEB = {"instance": "web-1", "service": "nginx"}
DATABASE = {"instance": "db-1", "service": "mysqld"}


def seen(action: str, *ok: str, lesson: int = 0) -> Seen:
    """Return an example for which something is right."""
    mask = np.ones(len(ACTIONS), dtype=np.bool_)
    sight = Sight([lesson + 1], [lesson + 1], [lesson + 1])
    return Seen(sight, mask, action, ok, frozenset(), 0.5, 0, lesson)


def judged(action: str, raw: float, right: str, *ok: str) -> Judged:
    """Return a judgement: what was chosen, how sure, and what is right."""
    return Judged(seen(right, *ok), action, raw)


def never(_what: str, _share: float) -> None:
    """Tell nobody."""


@pytest.mark.parametrize(
    ("slope", "shift"), [(1.0, 0.0), (1.6, 0.4), (0.5, -0.7), (2.5, 0.2)]
)
def test_calibration_recovers_what_is_known(
    slope: float, shift: float
) -> None:
    """Numbers drawn by a slope and a shift give both back."""
    chance = np.random.default_rng(3)
    raw = chance.uniform(0.02, 0.98, 40_000)
    odds = np.log(raw / (1 - raw))
    meant = 1 / (1 + np.exp(-(slope * odds + shift)))
    right = (chance.random(len(raw)) < meant).astype(np.float64)
    assert fit(raw, right) == pytest.approx((slope, shift), abs=0.08)


def test_calibrated_numbers_are_shares() -> None:
    """Of calls that are calibrated to p, a share of p is right."""
    chance = np.random.default_rng(5)
    raw = chance.uniform(0.05, 0.95, 40_000)
    right = (chance.random(len(raw)) < raw**2).astype(np.float64)
    slope, shift = fit(raw, right)
    facts = Facts(
        version="x",
        actions=(),
        topics=(),
        thresholds={},
        slope=slope,
        shift=shift,
    )
    told = np.array([facts.calibrate(one) for one in raw])
    for low in (0.2, 0.4, 0.6):
        some = (told >= low) & (told < low + 0.1)
        assert right[some].mean() == pytest.approx(told[some].mean(), abs=0.06)


@given(st.floats(0, 1), st.floats(0, 1))
def test_calibration_keeps_the_order(one: float, other: float) -> None:
    """What was likelier before is never less likely afterwards."""
    facts = Facts(
        version="x", actions=(), topics=(), thresholds={}, slope=1.6, shift=0.4
    )
    low, high = sorted((one, other))
    assert 0 < facts.calibrate(low) <= facts.calibrate(high) < 1


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.sampled_from(["restart_service", "escalate", "no_action"]),
        ),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_no_unsafe_call_reaches_the_threshold(
    calls: list[tuple[float, str]],
) -> None:
    """Whatever was held back, and never is it below the least."""
    made = [judged("restart_service", raw, right) for raw, right in calls]
    threshold = find_threshold(made)
    assert threshold >= LEAST
    for raw, right in calls:
        assert right == "restart_service" or raw < threshold


def test_an_acceptable_call_is_not_unsafe() -> None:
    """It does not lift the threshold."""
    call = judged("free_memory", 0.9, "collect_diagnostics", "free_memory")
    assert find_threshold([call]) == LEAST
    unsafe = judged("free_memory", 0.9, "escalate")
    assert 0.9 < find_threshold([call, unsafe]) <= 0.92


def test_no_unsafe_call_is_spared_however_many_are_right() -> None:
    """One in fifty thousand is enough, and so is one that was lucky once."""
    right = judged("free_memory", 0.999, "free_memory")
    odd = judged("free_memory", 0.97, "escalate")
    assert 0.97 < find_threshold([right] * 50_000 + [odd]) <= 0.98


def test_a_class_that_is_unsafe_when_sure_is_closed() -> None:
    """No probability reaches a threshold above one."""
    assert find_threshold([judged("kill_process", 1.0, "escalate")]) > 1


def test_the_figures_are_counted() -> None:
    """Each is a share of what its name says."""
    facts = measure(
        [
            judged("restart_service", 0.95, "restart_service"),
            judged("restart_service", 0.70, "escalate"),
            judged("escalate", 0.60, "restart_service", "escalate"),
            judged("escalate", 0.90, "escalate"),
            judged("collect_diagnostics", 0.80, "no_action"),
        ]
    )
    assert 0.70 < facts.thresholds["restart_service"] < 0.95
    assert facts.thresholds["free_memory"] == LEAST
    assert facts.measured["strict"] == pytest.approx(0.4)
    assert facts.measured["accepted"] == pytest.approx(0.6)
    assert facts.measured["unsafe"] == pytest.approx(0.2)
    assert facts.measured["unsafe_unasked"] == 0
    assert facts.measured["unasked_of_acting"] == pytest.approx(0.5)
    assert facts.measured["over_escalation"] == pytest.approx(0.5)


def test_the_likeliest_is_chosen_unless_it_is_vital() -> None:
    """Then the next best is."""
    odds = np.zeros(len(ACTIONS), dtype=np.float32)
    odds[ACTIONS.index("restart_service")] = 0.6
    odds[ACTIONS.index("kill_process")] = 0.3
    odds[ACTIONS.index("escalate")] = 0.1
    assert choose(odds, frozenset(), 0.5)[0] == "restart_service"
    name, raw = choose(odds, frozenset({"restart_service"}), 0.5)
    assert name == "kill_process"
    assert raw == pytest.approx(0.3)
    assert choose(odds, ACTING, 0.5)[0] == "escalate"


@pytest.mark.parametrize(
    ("probability", "expected"),
    [(0.69, "escalate"), (0.71, "no_action"), (0.9, "no_action")],
)
def test_silence_must_be_likely(probability: float, expected: str) -> None:
    """Below it the next best is chosen, though nothing is likelier."""
    odds = np.zeros(len(ACTIONS), dtype=np.float32)
    odds[ACTIONS.index("no_action")] = probability
    odds[ACTIONS.index("escalate")] = (1 - probability) / 2
    assert choose(odds, frozenset(), 0.7)[0] == expected


def test_silence_must_be_the_likelier_the_worse_it_sounds() -> None:
    """What says nothing of how bad it is, is no mere information."""
    case = Case(source="alertmanager", name="X")
    needed = [
        quiet_from(msgspec.structs.replace(case, severity=word))
        for word in ("info", "warning", "unknown", "critical")
    ]
    assert needed == sorted(set(needed))


def test_a_lesson_is_judged_by_who_never_saw_it() -> None:
    """What only its own tellings would teach is not known of it."""
    # Each lesson has a feature of its own: who saw it would be right.
    some = [
        seen(("restart_service", "escalate")[number % 2], lesson=number)
        for number in range(8)
        for _ in range(5)
    ]
    found = hold_back(some, never)
    assert len(found) == len(some)
    # Who never saw the feature has nothing to go by.
    assert all(one.raw == pytest.approx(1 / len(ACTIONS)) for one in found)


def test_teaching_again_gives_the_same_weights() -> None:
    """The same lessons, the same bytes."""
    again = Teacher(GROUNDER, KNOWLEDGE).teach(few_lessons())
    first = few_weights()
    assert again.facts == first.facts
    assert np.array_equal(again.actions.table, first.actions.table)
    assert np.array_equal(again.topics.table, first.topics.table)


def test_an_outcome_is_learned() -> None:
    """A site says of its own alert what is right, and it is so next time."""
    case = case_of(WEB, "ZorpFlux", summary="the quux is blorked")
    outcome = Outcome(case, "no_action", ("escalate",))
    told: list[str] = []
    before = few_weights()
    after = Teacher(GROUNDER, KNOWLEDGE).teach(
        few_lessons(), [outcome] * 4, lambda what, _share: told.append(what)
    )
    assert after.facts.confirmed == 4
    assert after.facts.version != before.facts.version
    assert {"reading", "measuring", "learning"} <= set(told)
    from_lessons, from_site = (
        one.actions.table[:, ACTIONS.index("no_action")].sum()
        for one in (before, after)
    )
    assert from_site > from_lessons


def test_what_is_not_on_the_menu_is_learned_as_handing_over() -> None:
    """A lesson about a pod that no label names teaches to escalate."""
    teacher = Teacher(GROUNDER, KNOWLEDGE)
    case = case_of({"instance": "web-1"})
    assert "restart_pod" not in menu_of(case).names
    found = teacher._see(case, "restart_pod", ("no_action",))
    assert found.action == "escalate"
    assert found.ok == ("collect_diagnostics",)


@pytest.mark.parametrize(
    ("labels", "is_vital"), [(WEB, False), (DATABASE, True)]
)
def test_what_is_vital_is_seen(labels: dict[str, str], is_vital: bool) -> None:
    """A restart of a database is never one of a web server."""
    found = Teacher(GROUNDER, KNOWLEDGE)._see(case_of(labels), "escalate", ())
    assert ("restart_service" in found.vital) is is_vital


def test_the_version_is_of_all_that_was_learned() -> None:
    """A lesson more, or an outcome, and it is another one."""
    lessons = few_lessons()
    other = [
        msgspec.structs.replace(lessons[0], severities=("info",)),
        *lessons[1:],
    ]
    outcome = Outcome(case_of(WEB), "escalate")
    versions = {
        fingerprint(lessons, ()),
        fingerprint(other, ()),
        fingerprint(lessons[1:], ()),
        fingerprint(lessons, (outcome,)),
    }
    assert len(versions) == 4
    assert fingerprint(lessons, ()) in versions
    assert all(math.isfinite(int(version, 16)) for version in versions)
