"""The model: a softmax over what is on the menu, fitted the same each time."""

import numpy as np
import pytest

from app.decide.gate.features import SIZE
from app.decide.gate.model import Examples, Model, learn, softmax

CLASSES = 3


def examples(count: int) -> Examples:
    """Return examples whose second feature is the class."""
    wanted = np.eye(CLASSES, dtype=np.float32)[
        [number % CLASSES for number in range(count)]
    ]
    return Examples(
        [[0, 10 + number % CLASSES] for number in range(count)],
        wanted,
        np.ones((count, CLASSES), dtype=np.bool_),
        np.ones(count, dtype=np.float32),
    )


def test_probabilities_add_up_to_one_over_the_menu() -> None:
    """What is not on the menu has none, however high its score."""
    scores = np.array([[1.0, 99.0, 2.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    mask = np.array([[True, False, True], [True, True, True]])
    found = softmax(scores, mask)
    assert found[0, 1] == 0
    assert found[0, 2] > found[0, 0] > 0
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert found[1] == pytest.approx([1 / 3] * 3)


def test_huge_scores_do_not_overflow() -> None:
    """The highest one is taken off first."""
    scores = np.array([[1e8, 0.0, -1e8]], dtype=np.float32)
    found = softmax(scores, np.ones((1, 3), dtype=np.bool_))
    assert found[0] == pytest.approx([1.0, 0.0, 0.0])


def test_a_model_learns_what_tells_the_classes_apart() -> None:
    """After some rounds each class has its own feature's weight."""
    model = learn(examples(60), 80, 1)
    for number in range(CLASSES):
        odds = model.probabilities([0, 10 + number], np.ones(CLASSES, bool))
        assert int(odds.argmax()) == number
        assert odds[number] > 0.5


def test_the_same_seed_gives_the_same_weights() -> None:
    """And another seed another order, hence others."""
    many = examples(600)
    first, again, other = (learn(many, 2, seed).table for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_feature_that_was_never_seen_says_nothing() -> None:
    """Its weight stays nothing."""
    table = learn(examples(30), 3, 1).table
    assert table.shape == (SIZE, CLASSES)
    assert not table[500].any()
    assert table[10].any()


def test_what_counts_more_is_learned_more() -> None:
    """Two say the opposite: the one with the greater weight wins."""
    both = Examples(
        [[1], [1]],
        np.array([[1, 0], [0, 1]], dtype=np.float32),
        np.ones((2, 2), dtype=np.bool_),
        np.array([1.0, 5.0], dtype=np.float32),
    )
    odds = learn(both, 40, 1).probabilities([1], np.ones(2, dtype=np.bool_))
    assert odds[1] > odds[0]


def test_a_case_without_features_is_undecided() -> None:
    """Every class of the menu is as likely as another."""
    model = Model(np.ones((SIZE, CLASSES), dtype=np.float32))
    odds = model.probabilities([], np.array([True, True, False]))
    assert odds == pytest.approx([0.5, 0.5, 0.0])
