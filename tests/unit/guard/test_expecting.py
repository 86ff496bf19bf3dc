"""What will be counted is said before, so that it is one question."""

import pytest

from app.guard.guard import Guard
from app.models.proposer import UNDO
from app.models.ruling import Outcome
from tests.unit.guard.stage import Books, make_motion, make_policy

USUAL = "trust: {otherwise: auto}\nrules: []\n"


@pytest.mark.parametrize(
    "changes", [{}, {"team": ""}, {"target": ""}, {"proposer": UNDO}]
)
def test_nothing_is_counted_that_was_not_expected(
    changes: dict[str, str],
) -> None:
    """By the steps; only the conditions of rules count more than that."""
    books = Books()
    Guard(make_policy(USUAL)).rule(make_motion(**changes), books)
    assert books.scopes
    assert set(books.scopes) == set(books.expected)
    assert len(books.expected) == len(set(books.expected))


def test_nothing_is_counted_while_the_target_is_busy() -> None:
    """Whoever waits is ruled on again and again."""
    busy = make_motion()
    books = Books(jobs={busy.target: 7})
    ruling = Guard(make_policy(USUAL)).rule(busy, books)
    assert ruling.outcome is Outcome.WAIT
    assert (books.scopes, books.expected) == ([], [])
