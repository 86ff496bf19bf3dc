"""Random histories: whatever their seeds bring, no law is broken."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.simulation.history import play

SEEDS = 300
AT_ONCE = 25
# So many are for every newcomer; CI plays the rest, too.
FIRST = 50


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep what the engine itself logs to itself: it is very much."""
    before = structlog.get_config()
    level = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=level)
    yield
    structlog.configure(**before)


def firsts() -> Iterator[Any]:
    """Yield the first seed of each test."""
    for first in range(0, SEEDS, AT_ONCE):
        marks = [pytest.mark.long] if first >= FIRST else []
        yield pytest.param(first, marks=marks)


@pytest.mark.parametrize("first", list(firsts()))
def test_no_history_breaks_a_law(first: int) -> None:
    """Play some seeds; scripts/simulate.py plays one of them again."""
    starts = 0
    for seed in range(first, first + AT_ONCE):
        try:
            sim = play(seed)
        except AssertionError as broken:
            pytest.fail(f"python -m scripts.simulate --seed {seed}\n{broken}")
        starts += sim.stage.audit.count_starts()
    assert starts > AT_ONCE / 4


def test_a_seed_says_all_that_follows() -> None:
    """The same seed makes the same history, another one another."""
    once, again, other = play(7), play(7), play(8)
    assert once.trace == again.trace
    assert once.digest != other.digest
