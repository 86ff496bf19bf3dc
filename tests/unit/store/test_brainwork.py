"""What brains did is counted out of their decisions."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.models.choice import Decision, Why
from app.models.record import Cost
from app.store.brainwork import MOST_TIMES, Brainwork, find_brainwork
from app.store.decisions import add_decision
from app.store.ledger import Ledger
from app.store.location import Location
from tests.brains import make_case
from tests.records import make_record


class Shelf:
    """A database with decisions."""

    def __init__(self, location: Location) -> None:
        self.ledger = Ledger(location, 2.0)

    def put(self, brain: str, at: int, **more: Any) -> None:
        """Let a brain have decided at a moment."""
        cost = more.pop("cost", Cost(tokens=3, calls=1, milliseconds=20.0))
        decision = Decision(action="no_action", brain=brain, **more)
        record = make_record(1, make_case(), decision, at=at, cost=cost)
        with self.ledger.turn() as turn:
            add_decision(turn, record)

    def find(self, since: int = 0) -> dict[str, Brainwork]:
        """Return what each brain did."""
        with self.ledger.turn() as turn:
            return find_brainwork(turn, since)


@pytest.fixture
def shelf(location: Location) -> Iterator[Shelf]:
    """Return a database without decisions."""
    made = Shelf(location)
    yield made
    made.ledger.close()


def test_without_decisions_no_brain_did_anything(shelf: Shelf) -> None:
    """There is nothing to count."""
    assert shelf.find() == {}


def test_each_brain_is_counted_by_itself(shelf: Shelf) -> None:
    """How often, why not, how long, and when last."""
    for at, took in ((5, 10.0), (6, 30.0), (7, 20.0)):
        shelf.put("reflex", at, cost=Cost(0, 1, took))
    shelf.put("ollama", 8)
    shelf.put("ollama", 9, why=Why.UNAVAILABLE, cost=Cost(1, 1, 9_000.0))
    shelf.put("ollama", 10, why=Why.UNSURE)
    found = shelf.find()
    assert sorted(found) == ["ollama", "reflex"]
    reflex = found["reflex"]
    assert (reflex.decisions, reflex.unavailable) == (3, 0)
    assert (reflex.last_at, reflex.failed_at) == (7, None)
    assert sorted(reflex.times) == [10.0, 20.0, 30.0]
    ollama = found["ollama"]
    assert (ollama.decisions, ollama.unavailable, ollama.unsure) == (3, 1, 1)
    assert (ollama.last_at, ollama.failed_at, ollama.tokens) == (10, 9, 7)


def test_no_time_is_taken_of_what_was_not_asked(shelf: Shelf) -> None:
    """A shared answer took none, and a dead server's says nothing."""
    shelf.put("reflex", 5, cost=Cost())
    shelf.put("reflex", 6, why=Why.UNAVAILABLE)
    shelf.put("reflex", 7, cost=Cost(0, 1, 42.0))
    found = shelf.find()["reflex"]
    assert (found.shared, found.decisions) == (1, 3)
    assert found.times == (42.0,)


def test_what_was_before_does_not_count(shelf: Shelf) -> None:
    """Neither as a decision nor as a time."""
    shelf.put("reflex", 5)
    shelf.put("reflex", 50, cost=Cost(0, 1, 1.0))
    found = shelf.find(since=50)["reflex"]
    assert (found.decisions, found.times) == (1, (1.0,))


def test_the_newest_times_are_enough(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many decisions there are."""
    assert MOST_TIMES >= 100
    monkeypatch.setattr("app.store.brainwork.MOST_TIMES", 2)
    for at in range(1, 5):
        shelf.put("reflex", at, cost=Cost(0, 1, float(at)))
    found = shelf.find()["reflex"]
    assert (found.decisions, found.times) == (4, (4.0, 3.0))
