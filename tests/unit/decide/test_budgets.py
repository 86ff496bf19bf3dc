"""Budgets say which one is used up, and whether that passes."""

import pytest

from app.decide.budgets import DAY, MINUTE, Budget, Budgets, bounds_of
from app.decide.reins import DecideSettings
from app.store.decisions import Spent

SETTINGS = DecideSettings(
    calls_per_incident=3, calls_per_minute=10, tokens_per_day=1_000
)


@pytest.mark.parametrize(
    ("spent", "under_way", "budget"),
    [
        (Spent(2, 9, 999), 0, None),
        (Spent(3, 0, 0), 0, Budget.INCIDENT),
        (Spent(0, 10, 0), 0, Budget.MINUTE),
        (Spent(0, 8, 0), 2, Budget.MINUTE),
        (Spent(0, 0, 1_000), 0, Budget.DAY),
        (Spent(3, 10, 1_000), 0, Budget.INCIDENT),
    ],
)
def test_a_bound_is_reached(
    spent: Spent, under_way: int, budget: Budget | None
) -> None:
    """One less is allowed, and what lasts longest is told."""
    refusal = Budgets(SETTINGS).refuse(spent, under_way)
    assert (refusal and refusal.budget) == budget
    if refusal is not None:
        assert refusal.passes == (budget is Budget.MINUTE)
        assert "decide." in refusal.says


def test_no_bound_of_tokens() -> None:
    """0 stands for as many as there are."""
    settings = DecideSettings(tokens_per_day=0)
    assert Budgets(settings).refuse(Spent(tokens=10**9)) is None


def test_a_day_begins_at_midnight() -> None:
    """Of UTC, whatever the time is."""
    now = 20_000 * DAY + 5 * MINUTE
    assert bounds_of(now) == {"minute": now - MINUTE, "day": 20_000 * DAY}
