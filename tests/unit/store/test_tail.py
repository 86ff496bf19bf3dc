"""The end of the action log, with several writers at once."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, insert, select

from app.core.errors import StorageFailed
from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.log import append
from app.store.reading import open_engine
from app.store.tail import CUT, ENTRY, Ends, Tail

WRITERS = 4
TURNS = 60


@pytest.fixture
def tail(location: Location) -> Iterator[Tail]:
    """Return the reading end of a database."""
    made = Tail(open_engine(location, 5.0))
    yield made
    made.close()


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return the writing end of the same database."""
    made = Ledger(location, 5.0)
    yield made
    made.close()


def notes(count: int) -> list[Note]:
    """Return some notes."""
    return [
        Note(kind="test.written", actor="test", summary=str(number))
        for number in range(count)
    ]


def write(location: Location, seed: int) -> int:
    """Write turns of several entries, slowly; return how many entries."""
    # Small pauses between append and commit are what makes turns overlap.
    chance = random.Random(seed)
    ledger = Ledger(location, 30.0)
    written = 0
    for _ in range(TURNS):
        count = chance.randint(0, 4)
        with ledger.turn() as connection:
            append(connection, 1, notes(count))
            if chance.random() < 0.3:
                time.sleep(chance.random() * 0.01)
            if chance.random() < 0.1:
                connection.rollback()
                count = 0
        written += count
    ledger.close()
    return written


def follow(tail: Tail, is_over: threading.Event) -> list[int]:
    """Return the ids as a reader of the tail gets to see them."""
    seen: list[int] = []
    while True:
        was_over = is_over.is_set()
        found = tail.after(seen[-1] if seen else 0, 7)
        seen += [told.entry.id for told in found]
        if was_over and not found:
            return seen


def test_no_entry_is_skipped(location: Location, tail: Tail) -> None:
    """Four writers with connections of their own, one reader beside them."""
    is_over = threading.Event()
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reading = pool.submit(follow, tail, is_over)
        writing = [pool.submit(write, location, n) for n in range(WRITERS)]
        try:
            total = sum(future.result() for future in writing)
        finally:
            is_over.set()
        seen = reading.result()
    assert total > WRITERS * TURNS
    assert seen == list(range(1, total + 1))


def test_a_late_commit_is_waited_for(
    location: Location, ledger: Ledger, tail: Tail
) -> None:
    """Nobody gets a later id while an earlier one is not committed."""
    is_begun = threading.Event()
    other = Ledger(location, 30.0)

    def pass_by() -> None:
        """Write while the first writer has not committed."""
        is_begun.set()
        with other.turn() as connection:
            append(connection, 2, notes(1))

    with ThreadPoolExecutor(1) as pool:
        with ledger.turn() as connection:
            append(connection, 1, notes(2))
            passing = pool.submit(pass_by)
            is_begun.wait(10)
            assert tail.after(0, 10) == []
            assert not passing.done()
        passing.result()
    other.close()
    entries = [told.entry for told in tail.after(0, 10)]
    assert [(entry.id, entry.at) for entry in entries] == [
        (1, 1),
        (2, 1),
        (3, 2),
    ]


def test_the_ends_of_a_log(ledger: Ledger, tail: Tail) -> None:
    """Empty, written, cut off by age, and cut off to the last entry."""
    assert tail.ends() == Ends(0, 0)
    with ledger.turn() as connection:
        append(connection, 1, notes(5))
    assert tail.ends() == Ends(0, 5)
    for cut in (3, 5):
        with ledger.turn() as connection:
            digest = select(ENTRY.c.hash).where(ENTRY.c.id == cut)
            seal = connection.execute(digest).scalar_one()
            row = {"id": cut, "hash": seal, "at": 2}
            connection.execute(insert(CUT).values(row))
            connection.execute(delete(ENTRY).where(ENTRY.c.id <= cut))
        assert tail.ends() == Ends(cut, 5)
    assert tail.after(0, 10) == []


def test_a_database_that_is_not_there(location: Location) -> None:
    """It fails as the store does, with our own error."""
    missing = Location(location.url.set(database="/nowhere/x"), None)
    if location.file is not None:
        missing = Location(location.url, location.file / "nowhere")
    lost = Tail(open_engine(missing, 2.0))
    with pytest.raises(StorageFailed):
        lost.ends()
    lost.close()
