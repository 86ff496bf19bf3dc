"""The model: one weight a feature and class; it adds them up."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.decide.gate.features import SIZE

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Masks = NDArray[np.bool_]
Row = Sequence[int]
RATE = 0.02
FADE = 1e-5
BATCH = 256


class Examples(msgspec.Struct):
    """What is learned from.

    Attributes:
        rows: the features of each example.
        wanted: how right each class is for it; each row adds up to one.
        masks: which classes are on its menu.
        weights: how much it counts.
    """

    rows: list[Row]
    wanted: Floats
    masks: Masks
    weights: Floats

    def pick(self, numbers: Ints) -> "Examples":
        """Return some of the examples."""
        return Examples(
            [self.rows[i] for i in numbers],
            self.wanted[numbers],
            self.masks[numbers],
            self.weights[numbers],
        )


class Model:
    """Scores classes by their features."""

    def __init__(self, table: Floats) -> None:
        """Take the weights: one row a feature, one column a class."""
        self.table = table

    def probabilities(self, row: Row, mask: Masks) -> Floats:
        """Return the probability of each class that is on the menu."""
        scores = self.table[list(row)].sum(axis=0) / np.sqrt(max(1, len(row)))
        found: Floats = softmax(scores[None, :], mask[None, :])[0]
        return found


def learn(examples: Examples, rounds: int, seed: int) -> Model:
    """Return a model fitted by Adam; the same seed gives the same weights."""
    chance = np.random.default_rng(seed)
    table = np.zeros((SIZE, examples.wanted.shape[1]), dtype=np.float32)
    first = np.zeros_like(table)
    second = np.zeros_like(table)
    step = 0
    for round_number in range(rounds):
        order = chance.permutation(len(examples.rows))
        rate = RATE * (1 - round_number / rounds)
        for start in range(0, len(order), BATCH):
            step += 1
            batch = examples.pick(order[start : start + BATCH])
            slope = _slope(table, batch)
            first += 0.1 * (slope - first)
            second += 0.01 * (slope * slope - second)
            by = np.sqrt(second / (1 - 0.99**step)) + 1e-6
            table -= rate * (first / (1 - 0.9**step)) / by
    return Model(table)


def _slope(table: Floats, batch: Examples) -> Floats:
    """Return how the loss of a batch changes with each weight."""
    lengths = np.array([len(row) for row in batch.rows])
    flat = np.concatenate([np.asarray(row) for row in batch.rows])
    owner = np.repeat(np.arange(len(lengths)), lengths)
    scale = 1 / np.sqrt(np.maximum(lengths, 1))
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    scores = np.add.reduceat(table[flat], starts, axis=0) * scale[:, None]
    miss = softmax(scores, batch.masks) - batch.wanted
    miss *= (batch.weights * scale / len(lengths))[:, None]
    slope: Floats = FADE * table
    np.add.at(slope, flat, miss[owner].astype(np.float32))
    return slope


def softmax(scores: Floats, mask: Masks) -> Floats:
    """Return probabilities; what is not on the menu has none."""
    scores = np.where(mask, scores, np.float32(-1e9))
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Floats = odds / odds.sum(axis=1, keepdims=True)
    return found
