"""The ledger: a turn that begins late keeps nobody waiting while it reads."""

import sqlite3
from collections.abc import Iterator
from threading import Lock

import pytest

from app.core.errors import StorageFailed
from app.store.incidents import find_incidents, save_incidents
from app.store.ledger import Ledger, Overtaken
from app.store.location import Location
from app.store.marks import get_mark, put_mark
from tests.unit.store.shelf import make_incident

WAIT_SECONDS = 5.0


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return the writer of a database of each kind."""
    made = Ledger(location, WAIT_SECONDS)
    yield made
    made.close()


def read_mark(ledger: Ledger, name: str) -> int:
    """Return what is on disk."""
    with ledger.turn() as turn:
        return get_mark(turn, name)


def write_and_fail(ledger: Ledger) -> None:
    """Write in a late turn that does not end well."""
    with ledger.turn(is_late=True) as turn:
        put_mark(turn, "a", 2)
        save_incidents(turn, [make_incident(2)], [])
        raise KeyError


def be_overtaken(mine: Ledger, other: Ledger) -> None:
    """Read in a late turn, and write when another one has written."""
    with mine.turn(is_late=True) as turn:
        assert get_mark(turn, "a") == 0
        with other.turn() as theirs:
            put_mark(theirs, "a", 5)
        put_mark(turn, "a", 1)


def test_a_late_turn_is_one_transaction(ledger: Ledger) -> None:
    """What it wrote is there when it has ended, and all undone if it fails."""
    with ledger.turn(is_late=True) as turn:
        assert get_mark(turn, "a") == 0
        put_mark(turn, "a", 1)
        save_incidents(turn, [make_incident(1)], [])
    with pytest.raises(KeyError):
        write_and_fail(ledger)
    with ledger.turn() as turn:
        assert get_mark(turn, "a") == 1
        assert list(find_incidents(turn, [1, 2])) == [1]


def test_a_late_turn_keeps_nobody_waiting_while_it_reads(
    location: Location,
) -> None:
    """The gate is open until it writes, and again when it has ended."""
    if location.file is None:
        pytest.skip("PostgreSQL has no gate: its inbox does not wait")
    gate = Lock()
    ledger = Ledger(location, WAIT_SECONDS, gate)
    other = sqlite3.connect(location.file, timeout=0)
    with ledger.turn(is_late=True) as turn:
        assert get_mark(turn, "a") == 0
        assert not gate.locked()
        with other:
            other.execute("INSERT INTO mark VALUES ('inbox', 7)")
        assert get_mark(turn, "inbox") == 7
        put_mark(turn, "a", 1)
        assert gate.locked()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE mark SET position = 8")
    assert not gate.locked()
    other.close()
    assert read_mark(ledger, "a") == 1
    ledger.close()


def test_a_late_turn_that_only_reads_never_waits(location: Location) -> None:
    """Not even when somebody else writes all the time."""
    if location.file is None:
        pytest.skip("PostgreSQL has no gate: its inbox does not wait")
    gate = Lock()
    ledger = Ledger(location, 0.01, gate)
    with gate:
        with ledger.turn(is_late=True) as turn:
            assert get_mark(turn, "a") == 0
        with (
            pytest.raises(StorageFailed, match="another writer"),
            ledger.turn(is_late=True) as turn,
        ):
            put_mark(turn, "a", 1)
    assert read_mark(ledger, "a") == 0
    ledger.close()


def test_what_another_process_overtook_is_not_written(
    location: Location,
) -> None:
    """What a late turn read is old then; done again, it sees what is new."""
    if location.file is None:
        pytest.skip("on PostgreSQL each turn begins at once")
    mine, other = Ledger(location, 1.0), Ledger(location, 1.0)
    with pytest.raises(Overtaken):
        be_overtaken(mine, other)
    with mine.turn(is_late=True) as turn:
        position = get_mark(turn, "a")
        with other.turn() as theirs:
            assert get_mark(theirs, "a") == 5
        put_mark(turn, "a", position + 1)
    assert read_mark(other, "a") == 6
    mine.close()
    other.close()


@pytest.mark.parametrize("is_late", [True, False])
def test_a_turn_that_wrote_nothing_counts_for_nothing(
    location: Location, is_late: bool
) -> None:
    """Nobody has to read again because of it, and nothing goes to disk."""
    if location.file is None:
        pytest.skip("on PostgreSQL no turn is counted")
    ledger = Ledger(location, 1.0)
    watcher = sqlite3.connect(location.file)
    before = _version(watcher)
    with ledger.turn(is_late=is_late) as turn:
        assert get_mark(turn, "a") == 0
    assert _version(watcher) == before
    with ledger.turn(is_late=is_late) as turn:
        put_mark(turn, "a", 1)
    assert _version(watcher) != before
    watcher.close()
    ledger.close()


def _version(connection: sqlite3.Connection) -> int:
    """Return a number that moves when another connection has written."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)


def test_a_stamp_tells_whether_somebody_else_wrote(
    location: Location,
) -> None:
    """Not what the ledger wrote itself, nor what is not committed."""
    ledger, other = Ledger(location, WAIT_SECONDS), Ledger(location, 1.0)
    if location.file is None:
        assert ledger.stamp() is None
        return
    first = ledger.stamp()
    with ledger.turn() as turn:
        put_mark(turn, "a", 1)
    assert ledger.stamp() == first
    with other.turn() as turn:
        put_mark(turn, "a", 2)
        assert ledger.stamp() == first
    second = ledger.stamp()
    assert second != first
    assert ledger.stamp() == second
    for one in (ledger, other):
        one.close()
