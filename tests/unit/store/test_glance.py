"""A question is asked again when somebody may have written."""

import asyncio
import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.store.glance import Seen
from app.store.location import locate
from app.store.reading import Reader, open_engine


class Asker:
    """A reader of a small database, and somebody else who writes there."""

    def __init__(self, file: Path, *, is_async: bool) -> None:
        self.file = file
        self.is_async = is_async
        with closing(sqlite3.connect(file)) as made:
            made.execute("PRAGMA journal_mode = WAL")
            made.execute("CREATE TABLE word (text)")
            made.commit()
        self.other = sqlite3.connect(file)
        place = locate(f"sqlite:///{file}", file.parent)
        self.reader = Reader(open_engine(place, 2.0))
        self.asked = 0
        self.seen: Seen[int] | None = None

    def count(self, connection: Connection) -> int:
        """Return how many words there are."""
        self.asked += 1
        found = connection.execute(text("SELECT count(*) FROM word"))
        return int(found.scalar() or 0)

    def look(self) -> int:
        """Return what a glance finds."""
        look = self.glimpse if self.is_async else self.reader.glance
        self.seen = look(self.count, self.seen)
        return self.seen.found

    def glimpse(self, *asked: Any) -> Seen[int]:
        """Return what an event loop finds."""
        return asyncio.run(self.reader.glimpse(*asked))

    def write(self) -> None:
        """Add a word from elsewhere."""
        self.other.execute("INSERT INTO word VALUES ('x')")
        self.other.commit()


@pytest.fixture(params=[False, True], ids=["thread", "loop"])
def asker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Asker]:
    """Return who asks, on a thread or on an event loop."""
    made = Asker(tmp_path / "words.db", is_async=request.param)
    yield made
    made.reader.close()
    made.other.close()


def test_while_nobody_writes_nothing_is_asked(asker: Asker) -> None:
    """The answer is the one that is there, however often."""
    assert asker.look() == 0
    gc.collect()
    assert [asker.look() for _ in range(20)] == [0] * 20
    assert asker.asked == 1


def test_what_others_write_is_seen_with_the_next_look(asker: Asker) -> None:
    """Each time, and once."""
    asker.look()
    for number in range(1, 6):
        asker.write()
        assert asker.look() == number
        assert asker.look() == number
        assert asker.asked == 1 + number


def test_what_is_written_while_it_is_asked_is_not_missed(
    asker: Asker,
) -> None:
    """The stamp is older than the answer."""

    def count_and_write(connection: Connection) -> int:
        """Let somebody write behind the question's back."""
        found = asker.count(connection)
        asker.write()
        return found

    asker.seen = asker.reader.glance(count_and_write, None)
    assert asker.seen.found == 0
    assert asker.look() == 1


def test_what_is_not_committed_is_not_there(asker: Asker) -> None:
    """Neither for the question nor for whether it is asked."""
    asker.look()
    asker.other.execute("INSERT INTO word VALUES ('x')")
    assert asker.look() == 0
    asker.other.commit()
    assert asker.look() == 1


def test_without_a_last_answer_it_is_asked(asker: Asker) -> None:
    """Whoever has a reason of his own looks."""
    asker.look()
    asker.seen = None
    asker.look()
    assert asker.asked == 2


def test_an_event_loop_does_not_wait_to_know(asker: Asker) -> None:
    """Whoever would have to wait is told that it may have changed."""
    asker.look()
    assert asker.seen is not None
    assert asker.reader.still_holds(asker.seen)
    with asker.reader._stamps._lock:
        assert not asker.reader.still_holds(asker.seen)
    assert asker.reader.still_holds(asker.seen)
    asker.reader.close()
    assert not asker.reader.still_holds(asker.seen)


def test_a_reader_that_was_closed_asks_again(asker: Asker) -> None:
    """What another connection counts is no stamp of this one for long."""
    asker.look()
    asker.reader.close()
    asker.write()
    assert asker.look() == 1


def test_its_connection_takes_none_from_the_readers(asker: Asker) -> None:
    """Four may read at once beside it."""
    asker.look()
    with (
        asker.reader.snapshot() as one,
        asker.reader.snapshot() as two,
        asker.reader.snapshot() as three,
        asker.reader.snapshot() as four,
    ):
        found = [asker.count(each) for each in (one, two, three, four)]
        assert found == [0] * 4
        assert asker.seen is asker.reader.glance(asker.count, asker.seen)
