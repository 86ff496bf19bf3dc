"""What holds for a time becomes an alert, and ends the same way."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.watch import rules as module
from app.watch.rules import MOST_GAP, Began, Claim, Ended, Rules
from tests.unit.watch.making import NOW, make_claim

SECOND = 1_000_000
NAME = "HostHighMemory"


def step(
    rules: Rules,
    second: float,
    *claims: Claim,
    known: Sequence[str] = (NAME,),
) -> list[Began | Ended]:
    """Look once more, so many seconds after the beginning."""
    now = NOW + int(second * SECOND)
    return rules.step(now, 50.0 + second, claims, known)


def test_it_begins_when_it_held() -> None:
    """It is an alert after its time, from when it was first too much."""
    rules = Rules()
    over = make_claim(begins=True, seconds=10)
    assert step(rules, 0, over) == []
    assert step(rules, 9, over) == []
    (began,) = step(rules, 10, over)
    assert isinstance(began, Began)
    assert (began.starts_at, began.seconds) == (NOW, 10.0)
    assert rules.is_firing(over.key)
    assert step(rules, 11, over) == []


def test_a_break_begins_anew() -> None:
    """What was not too much once has not held."""
    rules = Rules()
    over, under = make_claim(begins=True), make_claim(begins=False)
    step(rules, 0, over)
    step(rules, 5, under)
    assert step(rules, 11, over) == []
    (began,) = step(rules, 21, over)
    assert isinstance(began, Began)
    assert began.starts_at == NOW + 11 * SECOND


def test_it_ends_when_it_has_been_over() -> None:
    """Between the limits it goes on; below both it ends after its time."""
    rules = Rules()
    over = make_claim(begins=True, seconds=0, clear=5)
    between = make_claim(begins=False, lasts=True, clear=5)
    under = make_claim(begins=False, clear=5)
    assert len(step(rules, 0, over)) == 1
    assert step(rules, 100, between) == []
    assert step(rules, 101, under) == []
    # It flaps: that is no end, and no second beginning.
    assert step(rules, 103, over) == []
    assert step(rules, 104, under) == []
    assert step(rules, 108, under) == []
    (ended,) = step(rules, 109, under)
    assert ended == Ended(over.key, NOW + 104 * SECOND)
    assert not rules.is_firing(over.key)


def test_what_could_not_be_seen_stays_as_it_is() -> None:
    """No disk was seen: nothing ends; one is gone: that one ends."""
    rules = Rules()
    over = make_claim(begins=True, seconds=0, clear=0, mountpoint="/var")
    step(rules, 0, over)
    assert step(rules, 20, known=()) == []
    (ended,) = step(rules, 25, known=(NAME,))
    assert isinstance(ended, Ended)


def test_pending_does_not_outlive_a_gap() -> None:
    """Nobody looked for a minute: that it held is not known."""
    rules = Rules()
    over = make_claim(begins=True, seconds=10)
    step(rules, 0, over)
    assert step(rules, MOST_GAP + 1, over) == []
    assert len(step(rules, MOST_GAP + 11, over)) == 1


def test_labels_tell_things_apart() -> None:
    """Two disks are two alerts, and end on their own."""
    rules = Rules()
    one = make_claim(begins=True, seconds=0, clear=0, mountpoint="/var")
    two = make_claim(begins=True, seconds=0, clear=0, mountpoint="/tmp")
    assert len(step(rules, 0, one, two)) == 2
    (ended,) = step(rules, 1, one)
    assert isinstance(ended, Ended)
    assert ended.key == two.key
    assert rules.is_firing(one.key)


def test_there_are_so_many_alerts_and_no_more() -> None:
    """What is left out is counted, and comes when there is room."""
    rules = Rules(most=1)
    one = make_claim(begins=True, seconds=0, clear=0, mountpoint="/var")
    two = make_claim(begins=True, seconds=0, clear=0, mountpoint="/tmp")
    assert len(step(rules, 0, one, two)) == 1
    assert rules.left_out == 1
    step(rules, 1, two)
    (began,) = step(rules, 2, two)
    assert isinstance(began, Began)
    assert began.key == two.key
    assert rules.left_out == 0


def test_what_begins_again_begins_after_its_end() -> None:
    """The clock was set back: it would be old news, and over, elsewhere."""
    rules, hour = Rules(), 3_600 * SECOND
    over = make_claim(begins=True, seconds=0, clear=0)
    under = make_claim(begins=False, clear=0)
    other = make_claim(begins=True, seconds=0, clear=0, kind="io")
    rules.step(NOW, 1.0, [over], [NAME])
    (ended,) = rules.step(NOW + SECOND, 2.0, [under], [NAME])
    assert isinstance(ended, Ended)
    began, another = rules.step(NOW - hour, 3.0, [over, other], [NAME])
    assert isinstance(began, Began)
    assert isinstance(another, Began)
    assert began.starts_at > ended.ends_at
    assert another.starts_at == NOW - hour
    (again,) = rules.step(NOW - hour + SECOND, 4.0, [under, other], [NAME])
    assert isinstance(again, Ended)
    assert again.ends_at >= began.starts_at
    (last,) = rules.step(NOW + hour, 5.0, [over, other], [NAME])
    assert isinstance(last, Began)
    assert last.starts_at == NOW + hour


def test_of_so_many_ends_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of long ago make room."""
    monkeypatch.setattr(module, "MOST_ENDS", 3)
    rules = Rules()
    for number in range(10):
        one = make_claim(begins=True, seconds=0, clear=0, process=str(number))
        rules.step(NOW + number, 1.0 + number, [one], ())
        under = make_claim(
            begins=False, seconds=0, clear=0, process=str(number)
        )
        rules.step(NOW + number, 1.5 + number, [under], ())
    assert len(rules._ends) == 3


def test_an_end_is_never_before_its_beginning() -> None:
    """The clock was set back meanwhile."""
    rules = Rules()
    over = make_claim(begins=True, seconds=0, clear=0)
    rules.step(NOW, 1.0, [over], ())
    (ended,) = rules.step(NOW - 60 * SECOND, 2.0, [], (NAME,))
    assert ended == Ended(over.key, NOW)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 5))
def test_beginnings_and_ends_take_turns(
    looks: list[bool], seconds: int
) -> None:
    """Whatever is seen, an alert begins, ends, begins again."""
    rules = Rules()
    told: list[type] = []
    for second, begins in enumerate(looks):
        claim = make_claim(begins=begins, seconds=seconds, clear=seconds)
        told += [type(one) for one in step(rules, second, claim)]
    assert told == [Began, Ended] * (len(told) // 2) + [Began] * (
        len(told) % 2
    )
    longest = max(map(len, "".join("x "[not b] for b in looks).split(" ")))
    assert bool(told) == (longest > seconds)


@pytest.mark.parametrize("lasts", [True, False])
def test_only_what_begins_becomes_an_alert(*, lasts: bool) -> None:
    """What merely lasts has never begun."""
    rules = Rules()
    claim = make_claim(begins=False, lasts=lasts, seconds=0)
    assert step(rules, 0, claim) == step(rules, 60, claim) == []
