"""F21: the time of many is over at once, and one of two nodes dies at it."""

from pathlib import Path

import pytest

from bench.acting.field import Field, Plan
from bench.storm import WAITING, let_wait, make_due, prove_ended
from tests.chaos.load import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.real]
MANY = 300


def test_many_whose_time_is_over_at_once_are_handed_over_once(
    tmp_path: Path, scale: int
) -> None:
    """Two nodes share them, and one of them is killed half-way."""
    count = MANY * scale
    plan = Plan(is_postgres=True, nodes=2, trust="approve")
    with Field(tmp_path, plan) as field:
        let_wait(field, count)
        make_due(field)
        wait_until(
            lambda: field.count("mission", WAITING) < count / 2,
            "half of them",
            120,
        )
        field.nodes[0].kill()
        wait_until(
            lambda: not field.count("mission", WAITING), "all of them", 240
        )
        prove_ended(field, count)
