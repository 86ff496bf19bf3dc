"""Incidents: where they stand, and when they flap."""

from itertools import permutations, product

import pytest

from app.models.alert import Severity
from app.models.incident import (
    MOVES,
    Change,
    Flapping,
    Health,
    State,
    flapping_until,
    judge,
)

NOW = 1_000
RULE = Flapping(changes=3, within=100, calm=500)


def health(firing: int = 1, **more: int | None) -> Health:
    """Return the health of an incident."""
    return Health(firing=firing, worst=Severity.ERROR, mute="muted", **more)


@pytest.mark.parametrize(
    ("given", "state", "due_at"),
    [
        (health(), State.OPEN, None),
        (health(0), State.RESOLVED, None),
        (health(held_until=1_100), State.WAITING, 1_100),
        (health(held_until=1_000), State.OPEN, None),
        (health(0, held_until=1_100), State.RESOLVED, None),
        (health(muted_until=1_200), State.SUPPRESSED, 1_200),
        (health(0, muted_until=1_200), State.RESOLVED, None),
        (health(flapping_until=1_300), State.SUPPRESSED, 1_300),
        (health(0, flapping_until=1_300), State.SUPPRESSED, 1_300),
        (health(0, flapping_until=900), State.RESOLVED, None),
        (
            health(held_until=1_050, flapping_until=1_300, muted_until=1_200),
            *(State.SUPPRESSED, 1_200),
        ),
    ],
)
def test_where_it_stands(
    given: Health, state: State, due_at: int | None
) -> None:
    """The first rule that fits wins, and says when to look again."""
    found = judge(given, NOW)
    assert (found.state, found.due_at) == (state, due_at)


def test_it_is_never_due_at_once() -> None:
    """Whatever the deadlines are: a turn must not call for itself."""
    moments = (None, -1, 0, NOW - 1, NOW, NOW + 1)
    for muted, held, flap in product(moments, repeat=3):
        more = {"muted_until": muted, "held_until": held}
        for firing in (0, 1):
            given = health(firing, flapping_until=flap, **more)
            found = judge(given, NOW)
            assert found.due_at is None or found.due_at > NOW


def test_every_state_has_its_moves() -> None:
    """No state is an end, and none moves to itself."""
    assert set(MOVES) == set(State)
    assert all(moves for moves in MOVES.values())
    assert all(state not in moves for state, moves in MOVES.items())


def test_flapping_is_told_in_any_order() -> None:
    """Three changes in time; calm counts from when we saw the last."""
    changes = [Change(at, at + 7) for at in (10, 60, 110, 900)]
    for order in permutations(changes):
        assert flapping_until(list(order), RULE) == 110 + 7 + 500


@pytest.mark.parametrize("moments", [(), (1, 2), (0, 60, 101)])
def test_few_or_slow_changes_are_no_flapping(
    moments: tuple[int, ...],
) -> None:
    """Fewer than the rule, or not within its time."""
    changes = [Change(at, at) for at in moments]
    assert flapping_until(changes, RULE) is None
