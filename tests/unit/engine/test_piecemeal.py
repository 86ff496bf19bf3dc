"""The same for many: what one of them raises is undone for it alone."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.core.errors import StorageFailed, TooLate
from app.engine.piecemeal import FEW, do_each
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.marks import get_mark, put_mark

MANY = range(1, 2 * FEW + 2)


class Straight:
    """Does some work in a turn, at once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def turn(self, work: Callable[[Connection], Any]) -> Any:
        """Do it."""
        with self._ledger.turn() as connection:
            return work(connection)

    def marked(self) -> set[int]:
        """Return for which of many it was done."""
        with self._ledger.turn() as connection:
            return {n for n in MANY if get_mark(connection, f"m{n}")}


@pytest.fixture
def ways(location: Location) -> Iterator[Straight]:
    """Lend a database of each kind."""
    ledger = Ledger(location, 2.0)
    yield Straight(ledger)
    ledger.close()


def do(ways: Any, against: Callable[[Connection, int], object]) -> None:
    """Mark each of many, and let one of them fail after that."""

    def work(connection: Connection, number: int) -> None:
        """Mark one."""
        put_mark(connection, f"m{number}", number)
        if number == 7:
            against(connection, number)

    asyncio.run(do_each(ways, MANY, work))


def crash(connection: Connection, number: int) -> None:
    """Have a bug."""
    del connection
    raise KeyError(number)


def come_late(connection: Connection, number: int) -> None:
    """Find that somebody else has it."""
    del connection
    raise TooLate(f"{number} is taken")


def clash(connection: Connection, number: int) -> None:
    """Write what the database refuses, after which it takes no more."""
    query = text("INSERT INTO mark (name, position) VALUES (:name, NULL)")
    connection.execute(query, {"name": f"x{number}"})


@pytest.mark.parametrize("against", [crash, come_late, clash])
def test_all_others_are_done(
    ways: Straight, against: Callable[[Connection, int], object]
) -> None:
    """Those before it and after it, in its turn and in the others."""
    do(ways, against)
    assert ways.marked() == {*MANY} - {7}


def test_a_store_that_fails_is_told(ways: Straight) -> None:
    """Nothing of that turn is stored; it is done again by the caller."""

    def fail(connection: Connection, number: int) -> None:
        """Find no store."""
        del connection, number
        raise StorageFailed("no room")

    with pytest.raises(StorageFailed):
        do(ways, fail)
    assert ways.marked() == set()
