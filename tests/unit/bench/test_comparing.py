"""What became worse, and what is aimed at."""

import pytest

from bench.book.comparing import compare
from bench.book.figure import Aim
from tests.unit.bench.making import PACE, figure, found, kept, line


@pytest.mark.parametrize(
    ("words", "value", "is_met"),
    [
        ("<= 50", 50.0, True),
        ("<= 50", 50.1, False),
        (">= 0.45", 0.45, True),
        (">= 0.45", 0.44, False),
        (">= 3000", 2_999.0, False),
    ],
)
def test_an_aim_is_met_up_to_its_bound(
    words: str, value: float, is_met: bool
) -> None:
    """No more, or no less."""
    assert Aim.read(words).is_met(value) is is_met


@pytest.mark.parametrize("words", ["50", "< 50", "about 50", "<= much"])
def test_an_aim_that_cannot_be_read_is_refused(words: str) -> None:
    """And not taken for one that is always met."""
    with pytest.raises(ValueError, match=r"an aim begins|could not convert"):
        Aim.read(words)


@pytest.mark.parametrize(
    ("better", "now", "is_worse"),
    [
        ("less", 124.0, False),
        ("less", 126.0, True),
        ("less", 50.0, False),
        ("more", 81.0, False),
        ("more", 79.0, True),
        ("more", 200.0, False),
    ],
)
def test_worse_is_what_is_worse_by_more_than_its_noise(
    better: str, now: float, is_worse: bool
) -> None:
    """In its own direction; a quarter more here."""
    one = figure(better=better, noise=0.25)
    assert line(one, now, was=100.0).is_worse is is_worse


def test_a_noisy_figure_has_more_room() -> None:
    """Each has a tolerance of its own."""
    assert line(figure(noise=0.1), 150.0, was=100.0).is_worse
    assert not line(figure(noise=1.0), 150.0, was=100.0).is_worse


def test_a_slower_machine_does_not_make_cpu_time_worse() -> None:
    """The same work took twice as long beside it; of others that is true."""
    cpu = figure(unit="ms CPU")
    slow = line(cpu, 200.0, was=100.0, pace=2 * PACE)
    assert slow.change == pytest.approx(0.0)
    assert not slow.is_worse
    assert line(cpu, 200.0, was=100.0).is_worse
    assert line(figure(unit="ms"), 200.0, was=100.0, pace=2 * PACE).is_worse


def test_a_ratio_is_compared_and_aimed_at_as_a_ratio() -> None:
    """However many requests a machine takes."""
    one = figure(by="ratio", better="more", aim=">= 0.45", noise=0.1)
    same = compare(one, found(100.0, ratio=0.5), PACE, kept(900.0, ratio=0.5))
    assert same.is_met is True
    assert not same.is_worse
    less = compare(one, found(900.0, ratio=0.4), PACE, kept(100.0, ratio=0.5))
    assert less.is_met is False
    assert less.is_worse


def test_what_was_not_measured_is_neither_met_nor_worse() -> None:
    """And nor is what has no earlier result."""
    one = figure(aim="<= 1")
    gone = compare(one, None, PACE, kept(1.0), "needs wrk")
    assert (gone.is_met, gone.is_worse, gone.why) == (None, False, "needs wrk")
    first = compare(one, found(2.0), PACE, None)
    assert (first.is_met, first.is_worse) == (False, False)
