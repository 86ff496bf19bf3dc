"""The statistics: intervals, paired tests, calibration. No domain in it."""

import math
from collections import defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

Z = 1.959964  # of 95 %
BINS = 10
ROUNDS = 2_000
SEED = 20_261_121


class Rate(msgspec.Struct, frozen=True):
    """So many of so many, with Wilson's interval of 95 %."""

    k: int
    n: int
    rate: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        """Return it for a table: 12/80 15.0 % [8.8, 24.4]."""
        if self.rate is None or self.low is None or self.high is None:
            return f"{self.k}/{self.n}"
        low, high = 100 * self.low, 100 * self.high
        return (
            f"{self.k}/{self.n} {100 * self.rate:.1f} % [{low:.1f},"
            f" {high:.1f}]"
        )


def rate(k: int, n: int) -> Rate:
    """Return a share with its interval; of nothing there is none."""
    if not n:
        return Rate(k, n, None, None, None)
    share = k / n
    width = 1 + Z * Z / n
    middle = (share + Z * Z / (2 * n)) / width
    spread = share * (1 - share) / n + Z * Z / (4 * n * n)
    half = Z * math.sqrt(spread) / width
    return Rate(k, n, share, max(0.0, middle - half), min(1.0, middle + half))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return how likely such a split is by chance: exact, two-sided.

    Args:
        only_first: how many the first alone has right.
        only_second: how many the second alone has right.
    """
    total = only_first + only_second
    least = min(only_first, only_second)
    if not total:
        return 1.0
    tail = sum(math.comb(total, i) for i in range(least + 1)) / 2**total
    return min(1.0, 2.0 * float(tail))


class Span(msgspec.Struct, frozen=True):
    """A difference with the interval of 95 % that resampling gives."""

    value: float
    low: float
    high: float


def bootstrap(first: Sequence[float], second: Sequence[float]) -> Span:
    """Return by how much the second is greater, pair by pair.

    The same figures give the same interval: the seed is fixed.
    """
    if len(first) != len(second) or not first:
        raise ValueError("pairs are compared, and there must be some")
    gaps = np.array(second, dtype=float) - np.array(first, dtype=float)
    chance = np.random.default_rng(SEED)
    picks = chance.integers(0, len(gaps), size=(ROUNDS, len(gaps)))
    low, high = np.percentile(gaps[picks].mean(axis=1), (2.5, 97.5))
    return Span(float(gaps.mean()), float(low), float(high))


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the least value that so large a share does not exceed."""
    if not values:
        return None
    place = max(0, math.ceil(share * len(values)) - 1)
    return sorted(values)[place]


class Sure(msgspec.Struct, frozen=True):
    """One answer: how sure it was, and whether it was right."""

    confidence: float
    is_right: bool


class Bin(msgspec.Struct, frozen=True):
    """One row of a reliability table."""

    low: float
    high: float
    n: int
    confidence: float
    right: float


class Coverage(msgspec.Struct, frozen=True):
    """How many answers reach a confidence, and how many of them are right."""

    least: float
    covered: Rate
    right: Rate


def reliability(answers: Sequence[Sure]) -> list[Bin]:
    """Return how sure and how right the answers of each tenth are."""
    groups: dict[int, list[Sure]] = defaultdict(list)
    for one in answers:
        groups[min(BINS - 1, int(one.confidence * BINS))].append(one)
    return [
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            n=len(some),
            confidence=sum(one.confidence for one in some) / len(some),
            right=sum(one.is_right for one in some) / len(some),
        )
        for number, some in sorted(groups.items())
    ]


def calibration_error(answers: Sequence[Sure]) -> float | None:
    """Return the expected calibration error over ten bins."""
    if not answers:
        return None
    gaps = (
        row.n * abs(row.confidence - row.right) for row in reliability(answers)
    )
    return sum(gaps) / len(answers)


def selective(answers: Sequence[Sure], share: float) -> float | None:
    """Return how right the most confident part is.

    Answers of one confidence at the cut share it evenly.
    """
    if not answers:
        return None
    need = max(1, math.ceil(share * len(answers) - 1e-9))
    groups: dict[float, list[bool]] = defaultdict(list)
    for one in answers:
        groups[one.confidence].append(one.is_right)
    right, left = 0.0, need
    for confidence in sorted(groups, reverse=True):
        some = groups[confidence]
        taken = min(left, len(some))
        right += sum(some) * taken / len(some)
        left -= taken
    return right / need


def coverage(
    answers: Sequence[Sure], leasts: Sequence[float]
) -> list[Coverage]:
    """Return for each threshold how much is left, and how right it is."""
    found = []
    for least in leasts:
        kept = [one for one in answers if one.confidence >= least]
        right = sum(one.is_right for one in kept)
        found.append(
            Coverage(
                least, rate(len(kept), len(answers)), rate(right, len(kept))
            )
        )
    return found
