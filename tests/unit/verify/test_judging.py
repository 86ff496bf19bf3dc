"""The verdict: long enough seen good, or not, or nobody knows."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.action import Check
from app.models.verdict import Judgement, Reading, Verdict
from app.verify.judging import LEAST_GAP, SECOND, conclude

START = 1_795_227_242_000_000
GOOD, BAD, WORSE, UNKNOWN = (
    Judgement.GOOD, Judgement.BAD, Judgement.WORSE, Judgement.UNKNOWN,
)  # fmt: skip
LETTERS = {"g": GOOD, "b": BAD, "w": WORSE, "u": UNKNOWN}
CHECK = Check(
    name="service_is_active",
    hold_seconds=60,
    within_seconds=120,
    every_seconds=10,
)


def reading(second: float, judgement: Judgement) -> Reading:
    """Return what was measured so long after the job ended."""
    return Reading(
        check="service_is_active",
        at=START + int(second * SECOND),
        value=None if judgement is UNKNOWN else 1.0,
        says=f"it is {judgement.value}",
        judgement=judgement,
    )


def row(letters: str, every: float = 10, first: float = 0) -> list[Reading]:
    """Return readings, one letter each, in even steps."""
    return [
        reading(first + every * index, LETTERS[letter])
        for index, letter in enumerate(letters)
    ]


def verdict(
    readings: Sequence[Reading], second: float, check: Check = CHECK
) -> Verdict | None:
    """Return what follows at a moment after the job's end."""
    now = START + int(second * SECOND)
    return conclude(check, readings, START, now).verdict


@pytest.mark.parametrize(
    ("letters", "second", "expected"),
    [
        ("ggggggg", 60, Verdict.FIXED),
        ("gggggg", 59, None),
        ("bbbggggggg", 90, Verdict.FIXED),
        ("gggbggg", 60, None),
        ("gggbggggggg", 100, Verdict.FIXED),
        ("ggguggg", 60, None),
        ("gggugggggggg", 110, Verdict.FIXED),
        ("bbbbbbbbbbbb", 119, None),
        ("bbbbbbbbbbbbb", 120, Verdict.NOT_FIXED),
        ("uuuuuuuuuuuuu", 120, Verdict.UNKNOWN),
        ("bbbbbbbbbbbbu", 120, Verdict.NOT_FIXED),
        ("bbuuuuuuuuuuu", 120, Verdict.UNKNOWN),
        ("ggggguuuuuuuu", 120, Verdict.UNKNOWN),
        ("gbgbgbgbgbgbb", 120, Verdict.NOT_FIXED),
        # A stretch that began in time may go on to its end.
        ("bbbbbbbbbbbgg", 120, None),
        ("bbbbbbbbbbbggggggg", 170, Verdict.FIXED),
        ("bbbbbbbbbbbggggub", 160, Verdict.NOT_FIXED),
        # One that began too late is none.
        ("bbbbbbbbbbbbbggggggg", 190, Verdict.UNKNOWN),
        ("ww", 10, Verdict.NOT_FIXED),
        ("wbw", 20, None),
        ("wuw", 20, None),
    ],
)
def test_a_row_of_readings_means(
    letters: str, second: float, expected: Verdict | None
) -> None:
    """Good for a minute without a break, that began within two."""
    assert verdict(row(letters), second) is expected


def test_worse_twice_in_a_row_ends_it_at_once() -> None:
    """Whoever could undo it must not wait for the end of the time."""
    found = conclude(CHECK, row("bww"), START, START + 20 * SECOND)
    assert found.is_worse
    assert "worse than before" in found.reason
    late = conclude(CHECK, row("bbbbbbbbbbbbb"), START, START + 120 * SECOND)
    assert not late.is_worse


def test_no_reading_is_unknown() -> None:
    """When time is over; before that it is to be measured."""
    found = conclude(CHECK, [], START, START + SECOND)
    assert (found.verdict, found.look_again_at) == (
        None, START + 11 * SECOND,
    )  # fmt: skip
    assert verdict([], 120) is Verdict.UNKNOWN


def test_readings_that_are_too_far_apart_show_nothing_in_between() -> None:
    """Three times the interval, or half a minute, may lie between two."""
    assert verdict(row("ggg", every=30), 60) is Verdict.FIXED
    assert verdict(row("gg", every=60), 60) is None
    assert verdict(row("gg", every=60), 120) is Verdict.UNKNOWN
    rare = Check(name="promql", hold_seconds=60, every_seconds=20)
    assert verdict(row("gg", every=60), 60, rare) is Verdict.FIXED


def test_what_was_measured_before_the_job_ended_says_nothing() -> None:
    """Nor does what is dated later than now."""
    early = row("ggggggg", first=-61)
    assert verdict(early, 5) is None
    later = row("ggggggg", first=10)
    assert verdict(later, 60) is None
    assert verdict(later, 70) is Verdict.FIXED


def test_a_clock_that_goes_backwards_ends_a_stretch() -> None:
    """How long it really was nobody knows."""
    jumping = [*row("gggg", first=20), *row("gggg", first=5)]
    assert verdict(jumping, 90) is None
    found = [*jumping, *row("ggg", first=45)]
    assert verdict(found, 90) is Verdict.FIXED


def test_a_hold_of_nothing_needs_one_good_reading() -> None:
    """Then the first one that is good decides."""
    once = Check(name="http_probe", hold_seconds=0)
    assert verdict(row("g"), 0, once) is Verdict.FIXED
    assert verdict(row("u"), 0, once) is None


def test_it_is_looked_at_when_a_stretch_ends() -> None:
    """A hold needs a reading at its end, not up to an interval later."""
    now = START + 55 * SECOND
    found = conclude(CHECK, row("gggggg"), START, now)
    assert found.look_again_at == START + 60 * SECOND
    assert "good for 55 s, of 60 s" in found.reason


def test_the_reason_says_what_was_measured_last() -> None:
    """People read it beside the verdict."""
    late = START + 120 * SECOND
    found = conclude(CHECK, row("bbbbbbbbbbbbb"), START, late)
    assert found.reason == "it was not good within 120 s: it is bad"
    found = conclude(CHECK, row("uuuuuuuuuuuuu"), START, late)
    assert found.reason == "nobody knows within 120 s: it is unknown"


STEPS = st.lists(
    st.tuples(st.integers(-40, 70), st.sampled_from(list(LETTERS.values()))),
    max_size=40,
)
CHECKS = st.builds(
    Check,
    name=st.just("promql"),
    hold_seconds=st.integers(0, 90),
    within_seconds=st.integers(1, 200),
    every_seconds=st.integers(1, 30),
)


def walk(steps: list[tuple[int, Judgement]]) -> list[Reading]:
    """Return readings of a clock that may also go backwards."""
    second = 0
    found = []
    for step, judgement in steps:
        second += step
        found.append(reading(second, judgement))
    return found


def has_stretch(readings: Sequence[Reading], check: Check, now: int) -> bool:
    """Tell, by looking at every pair, whether any stretch was long enough."""
    gap = max(3 * check.every_seconds * SECOND, LEAST_GAP)
    hold = check.hold_seconds * SECOND
    told = [one for one in readings if START <= one.at <= now]
    for first in range(len(told)):
        for last in range(first, len(told)):
            part = told[first : last + 1]
            pairs = pairwise(part)
            if (
                all(one.judgement is GOOD for one in part)
                and all(0 <= b.at - a.at <= gap for a, b in pairs)
                and part[-1].at - part[0].at >= hold
            ):
                return True
    return False


@given(STEPS, CHECKS, st.integers(0, 600))
def test_fixed_is_never_said_without_a_good_stretch(
    steps: list[tuple[int, Judgement]], check: Check, second: int
) -> None:
    """Whatever was measured, in whatever order the clock says."""
    readings = walk(steps)
    if verdict(readings, second, check) is Verdict.FIXED:
        assert has_stretch(readings, check, START + second * SECOND)


@given(STEPS, CHECKS, st.integers(0, 600))
def test_what_is_unknown_never_fixes_anything(
    steps: list[tuple[int, Judgement]], check: Check, second: int
) -> None:
    """Only good readings do."""
    readings = walk([(s, UNKNOWN if j is GOOD else j) for s, j in steps])
    assert verdict(readings, second, check) is not Verdict.FIXED


@given(STEPS, STEPS, CHECKS, st.integers(0, 300), st.integers(0, 300))
def test_a_verdict_that_readings_gave_stays(
    steps: list[tuple[int, Judgement]],
    more: list[tuple[int, Judgement]],
    check: Check,
    second: int,
    later: int,
) -> None:
    """Fixed and worse stay so; nothing that was over becomes fixed."""
    forward = [(abs(step), judgement) for step, judgement in steps]
    readings = [
        one for one in walk(forward) if one.at <= START + second * SECOND
    ]
    first = conclude(check, readings, START, START + second * SECOND)
    further = [
        reading(second + sum(abs(s) for s, _ in more[: i + 1]), judgement)
        for i, (_, judgement) in enumerate(more)
    ]
    now = START + (second + later) * SECOND
    then = conclude(check, [*readings, *further], START, now)
    if first.verdict is Verdict.FIXED or first.is_worse:
        assert (then.verdict, then.is_worse) == (
            first.verdict, first.is_worse,
        )  # fmt: skip
    elif first.verdict is not None:
        assert then.verdict is not Verdict.FIXED
        assert then.verdict is not None


@given(STEPS, CHECKS, st.integers(0, 600))
def test_it_is_open_or_it_is_over(
    steps: list[tuple[int, Judgement]], check: Check, second: int
) -> None:
    """Without a verdict it is looked at again, later than now, and soon."""
    now = START + second * SECOND
    found = conclude(check, walk(steps), START, now)
    assert (found.verdict is None) is (found.look_again_at is not None)
    if found.look_again_at is not None:
        assert 0 < found.look_again_at - now <= check.every_seconds * SECOND
    assert found.reason


@given(STEPS, CHECKS)
def test_it_ends(steps: list[tuple[int, Judgement]], check: Check) -> None:
    """After its time, its hold and one gap there always is a verdict."""
    readings = walk(steps)
    end = check.within_seconds + check.hold_seconds
    gap = max(3 * check.every_seconds, 30)
    assert verdict(readings, end + gap + 1, check) is not None
