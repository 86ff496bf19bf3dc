"""Dice: the same seed throws the same, on every machine."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Dice:
    """Throws for the telling of lessons."""

    def __init__(self, seed: int) -> None:
        """Take the seed."""
        self._chance = np.random.default_rng(seed)

    def pick(self, some: Sequence[T]) -> T:
        """Return one of some things."""
        return some[self.below(len(some))]

    def below(self, end: int) -> int:
        """Return a number from 0 up to, without, the end."""
        return int(self._chance.integers(end))

    def hits(self, share: float) -> bool:
        """Return true in so many of a hundred throws, as a share of one."""
        return bool(self._chance.random() < share)

    def shuffled(self, some: Sequence[T]) -> list[T]:
        """Return some things in another order."""
        return [some[i] for i in self._chance.permutation(len(some))]
