"""What tells whether people still need to be told."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.models.entry import Note
from app.store.heirs import find_heir, find_heirs
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.log import append
from app.store.needs import find_actions, find_approvals, find_begun
from tests.unit.store.missions import NOW, add_incident


@pytest.fixture
def turn(location: Location) -> Iterator[Connection]:
    """Lend a turn on a database of each kind."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as connection:
        yield connection
    ledger.close()


def merge(turn: Connection, number: int, into: int) -> None:
    """Let an incident live on in another one."""
    query = "UPDATE incident SET merged_into = :into WHERE id = :number"
    turn.execute(text(query), {"into": into, "number": number})


def test_heirs_of_many_are_found_at_once(turn: Connection) -> None:
    """However long the way is; a circle, and what is gone, have none."""
    for number in range(1, 8):
        add_incident(turn, number)
    for number, into in ((1, 2), (2, 3), (5, 6), (6, 5), (7, 99)):
        merge(turn, number, into)
    heirs = find_heirs(turn, [1, 2, 3, 4, 5, 7, 8])
    assert {number: one.id for number, one in heirs.items()} == {
        1: 3,
        2: 3,
        3: 3,
        4: 4,
    }
    assert find_heirs(turn, []) == {}
    found = find_heir(turn, 1)
    assert found is not None
    assert found.id == 3
    assert find_heir(turn, 8) is None


def test_it_is_known_when_something_began_anew(turn: Connection) -> None:
    """The last time that it was over, or began again."""
    for at, kind, number in (
        (NOW, "incident.opened", 1),
        (NOW + 1, "incident.resolved", 1),
        (NOW + 2, "incident.reopened", 1),
        (NOW + 3, "incident.acknowledged", 1),
        (NOW + 4, "incident.resolved", 2),
        (NOW + 5, "incident.resolved", 3),
        (NOW + 6, "incident.opened", 4),
    ):
        note = Note(kind=kind, incident=number, actor="t", summary="s")
        append(turn, at, [note])
    assert find_begun(turn, [1, 2, 4]) == {1: NOW + 2, 2: NOW + 4}
    assert find_begun(turn, []) == {}


def test_nothing_is_asked_about_nothing(turn: Connection) -> None:
    """No decisions, no questions."""
    assert find_actions(turn, [1]) == find_actions(turn, []) == {}
    assert find_approvals(turn, [1]) == find_approvals(turn, []) == {}
