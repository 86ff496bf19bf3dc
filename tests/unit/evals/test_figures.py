"""The statistics, against values that tables and other hands give."""

import math
from itertools import pairwise
from random import Random

import pytest

from scripts.evals.figures import (
    Sure,
    bootstrap,
    calibration_error,
    coverage,
    mcnemar,
    percentile,
    rate,
    reliability,
    selective,
)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # By hand, from Wilson's formula with z = 1.959964.
        (0, 10, 0.0, 0.27753),
        (10, 10, 0.72247, 1.0),
        (5, 10, 0.23659, 0.76341),
        (1, 1, 0.20654, 1.0),
        (81, 263, 0.25529, 0.36621),
    ],
)
def test_wilson(k: int, n: int, low: float, high: float) -> None:
    """The interval is Wilson's: never below nothing or above all."""
    found = rate(k, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_wilson_holds_what_it_promises() -> None:
    """About 95 of 100 intervals hold the truth."""
    chance = Random(3)
    held = 0
    for _ in range(2_000):
        k = sum(chance.random() < 0.1 for _ in range(80))
        found = rate(k, 80)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 <= found.high
    assert 0.93 < held / 2_000 < 0.98


def test_nothing_has_no_rate() -> None:
    """Of no rows nothing is said, also not in a table."""
    found = rate(0, 0)
    assert (found.rate, str(found)) == (None, "0/0")


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 5, 0.0625),
        (0, 6, 0.03125),
        (1, 9, 22 / 1024),
        (9, 1, 22 / 1024),
    ],
)
def test_mcnemar_is_the_binomial_test(
    first: int, second: int, p: float
) -> None:
    """Twice the tail of a fair coin, whichever side is ahead."""
    assert mcnemar(first, second) == pytest.approx(p)


def test_mcnemar_never_exceeds_one() -> None:
    """Also at an even split, where both tails share the middle."""
    assert all(mcnemar(k, k) == 1.0 for k in range(20))


def test_bootstrap_sees_a_difference_and_its_sign() -> None:
    """B is better by a fifth; the interval is around it, not around 0."""
    first = [1.0] * 40 + [0.0] * 60
    second = [1.0] * 60 + [0.0] * 40
    found = bootstrap(first, second)
    assert found.value == pytest.approx(0.2)
    assert 0.1 < found.low < 0.2 < found.high < 0.3
    other = bootstrap(second, first)
    assert other.value == pytest.approx(-0.2)
    assert found == bootstrap(first, second)


def test_bootstrap_compares_pairs() -> None:
    """Equal rows have no difference; half of a pair is an error."""
    found = bootstrap([0.0, 1.0], [0.0, 1.0])
    assert (found.low, found.value, found.high) == (0, 0, 0)
    for first in ([1.0], []):
        with pytest.raises(ValueError, match="pairs"):
            bootstrap(first, [])


def answers(*groups: tuple[float, int, int]) -> list[Sure]:
    """Return answers: confidence, how many, how many of them right."""
    return [
        Sure(confidence, number < right)
        for confidence, count, right in groups
        for number in range(count)
    ]


def test_calibration_error_by_hand() -> None:
    """Ten sure by 0.95 with 8 right, ten by 0.55 with 6 right."""
    some = answers((0.95, 10, 8), (0.55, 10, 6))
    wanted = (10 * 0.15 + 10 * 0.05) / 20
    assert calibration_error(some) == pytest.approx(wanted)
    assert calibration_error(answers((1.0, 4, 4), (0.0, 4, 0))) == 0
    assert calibration_error([]) is None


def test_reliability_puts_each_answer_into_one_row() -> None:
    """One and nearly one share the last row; empty rows are not shown."""
    rows = reliability(answers((1.0, 2, 2), (0.99, 1, 0), (0.05, 3, 1)))
    assert [(row.low, row.n) for row in rows] == [(0.0, 3), (0.9, 3)]
    assert rows[1].right == pytest.approx(2 / 3)


def test_selective_takes_the_most_confident() -> None:
    """Equal confidences at the cut share it evenly."""
    some = answers((0.9, 4, 4), (0.5, 4, 2))
    assert selective(some, 0.5) == 1.0
    assert selective(some, 0.75) == pytest.approx(5 / 6)
    assert selective(some, 1.0) == pytest.approx(6 / 8)
    assert selective([], 1.0) is None


def test_coverage_falls_as_the_threshold_rises() -> None:
    """What is left at a threshold, and how right it is."""
    some = answers((0.9, 5, 5), (0.6, 5, 3))
    found = coverage(some, (0.5, 0.7, 0.95))
    assert [(c.covered.k, c.right.k) for c in found] == [
        (10, 8),
        (5, 5),
        (0, 0),
    ]
    assert all(a.covered.k >= b.covered.k for a, b in pairwise(found))


def test_percentiles() -> None:
    """The least value that so many do not exceed."""
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.95) == 95
    assert percentile(values, 1.0) == 100
    assert percentile([7.0], 0.01) == 7
    assert percentile([], 0.5) is None
    assert not math.isnan(percentile(values, 0.999) or math.nan)
