"""The keeper: each alert is folded once, and nothing holds it up."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from app.core.errors import StorageFailed, TooLate
from app.engine import keeper as module
from app.engine.foldmeters import Meters
from app.engine.keeper import Bug, Keeper
from app.engine.line import Work
from app.fold import folding
from app.fold.folding import Folder, Turn
from app.models.tables import (
    AlertRow,
    EntryRow,
    EpisodeRow,
    IncidentRow,
)
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.marks import get_mark, put_mark
from tests.unit.fold.turns import Bench, Said

PATIENCE = 60.0


@pytest.fixture
def bench(location: Location) -> Iterator[Bench]:
    """Return folding on an empty database of each kind."""
    made = Bench(location)
    yield made
    made.ledger.close()


class Watched:
    """A keeper that runs, and what it tells Prometheus."""

    def __init__(
        self, location: Location, bench: Bench, folder: Folder | None = None
    ) -> None:
        self.registry = CollectorRegistry()
        self.keeper = Keeper(
            Ledger(location, 0.2),
            folder or bench.folder,
            bench.clock,
            Meters(self.registry),
        )

    def count(self, name: str) -> float:
        """Return a counter."""
        found = self.registry.get_sample_value(f"smokejumper_{name}_total")
        return found or 0.0

    def gauge(self, name: str) -> float | None:
        """Return a gauge."""
        return self.registry.get_sample_value(f"smokejumper_{name}")

    @contextmanager
    def runs(self) -> Iterator[Keeper]:
        """Let it run."""
        self.keeper.start()
        try:
            yield self.keeper
        finally:
            self.keeper.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when something has come true, or fail."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def hosts(count: int, name: str = "host") -> list[Said]:
    """Return an alert about each of so many hosts."""
    return [
        Said(
            fingerprint=f"{name}-{number}",
            labels={"host": f"{name}-{number}"},
            starts=number,
        )
        for number in range(count)
    ]


class Stumbling(Folder):
    """Folds, but crashes over alerts of one name, as a bug of ours would."""

    def apply(self, connection: Connection, woven: Any, more: Any) -> Any:
        """Fold unless a bad alert is among them."""
        if any(one.name == "bad" for one in woven.strands.values()):
            raise ZeroDivisionError
        return super().apply(connection, woven, more)


class Overtaken(Folder):
    """Folds, but another process writes while it reads, the first time."""

    others: Sequence[Ledger] = ()

    def apply(self, connection: Connection, woven: Any, more: Any) -> Any:
        """Fold after somebody else's turn."""
        if woven.strands:
            others, self.others = self.others, ()
            for other in others:
                with other.turn() as turn:
                    put_mark(turn, "theirs", 1)
        return super().apply(connection, woven, more)


def test_a_turn_that_is_overtaken_is_done_again(
    location: Location, bench: Bench
) -> None:
    """Another process wrote while it read; each alert is folded once."""
    if location.file is None:
        pytest.skip("on PostgreSQL each turn begins at once")
    folder = Overtaken(bench.folder.rules, bench.clock)
    folder.others = [Ledger(location, 2.0)]
    watched = Watched(location, bench, folder)
    with watched.runs() as keeper:
        # The first turn looks for what is stale, and begins with writing.
        wait_for(lambda: watched.gauge("fold_last_turn_seconds") != 0)
        bench.say(*hosts(5))
        keeper.wake()
        wait_for(lambda: watched.count("folded_alerts") == 5)
    assert list(folder.others) == []
    assert watched.count("fold_failures") == 0
    assert watched.count("fold_skipped_alerts") == 0
    assert len(bench.incidents()) == 5
    assert len(bench.rows(EpisodeRow)) == 5


def test_an_alert_that_crashes_is_passed_by(
    location: Location, bench: Bench
) -> None:
    """The others around it are folded; the log says which one was not."""
    good = hosts(60)
    bad = Said(name="bad", fingerprint="bad", labels={"host": "bad"}, starts=1)
    bench.say(*good[:30], bad, *good[30:])
    folder = Stumbling(bench.folder.rules, bench.clock)
    watched = Watched(location, bench, folder)
    with watched.runs():
        wait_for(lambda: len(bench.incidents()) == 60)
    (entry,) = [
        row for row in bench.rows(EntryRow) if row.kind == "alert.not_folded"
    ]
    assert '"alert":31' in entry.body
    assert "ZeroDivisionError" in entry.summary
    assert watched.count("fold_skipped_alerts") == 1
    with bench.ledger.turn() as connection:
        bench.store(connection, hosts(3, "later"))
    # Its strand was not kept, so what follows of it can be folded again.
    assert bench.turn().alerts == 3


def test_a_corrupt_incident_does_not_hold_up_alerts(
    location: Location, bench: Bench
) -> None:
    """It is due and cannot be settled: it is put off, and the log says so."""
    bench.told(*hosts(1, "old"))
    with bench.ledger.turn() as connection:
        connection.execute(
            text(
                "UPDATE incident SET state = 'odd', severity = 'odd',"
                " due_at = 1"
            )
        )
        connection.execute(text("UPDATE episode SET severity = 'odd'"))
    bench.say(*hosts(5))
    watched = Watched(location, bench)
    with watched.runs():
        wait_for(lambda: len(bench.incidents()) == 6)
        wait_for(lambda: "incident.not_settled" in bench.kinds())
    assert "alert.not_folded" not in bench.kinds()
    assert bench.rows(IncidentRow)[0].due_at > bench.clock.now()


def test_two_keepers_fold_each_alert_once(
    location: Location, bench: Bench
) -> None:
    """Each with a connection of its own, as two processes have."""
    watched = [Watched(location, bench) for _ in range(2)]
    with watched[0].runs() as one, watched[1].runs() as other:
        for part in range(10):
            bench.say(*hosts(30, f"part{part}"))
            one.wake()
            other.wake()
        wait_for(lambda: len(bench.rows(EpisodeRow)) == 300)
    assert sum(one.count("folded_alerts") for one in watched) == 300
    incidents = bench.incidents()
    assert len(incidents) == 300
    assert {one.episodes for one in incidents} == {1}
    assert bench.kinds() == ["incident.opened"] * 300


@pytest.mark.parametrize("last", ["append", "put_mark"])
def test_a_turn_that_is_cut_off_leaves_nothing(
    bench: Bench, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was folded and how far it was are one transaction."""

    def cut(*_: object) -> None:
        """End the turn as a crash would."""
        raise StorageFailed("the disk is gone")

    bench.say(*hosts(3))
    monkeypatch.setattr(folding, last, cut)
    with pytest.raises(StorageFailed):
        bench.turn()
    for table in (EpisodeRow, IncidentRow, EntryRow):
        assert bench.rows(table) == []
    monkeypatch.undo()
    assert bench.turn().alerts == 3
    assert len(bench.incidents()) == 3
    assert bench.turn().alerts == 0


def test_a_locked_database_loses_nothing(
    location: Location, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn fails, is tried again, and folds all of it."""
    if location.file is None:
        pytest.skip("PostgreSQL has no lock on the whole database")
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.05)
    bench.say(*hosts(5))
    bench.ledger.close()
    watched = Watched(location, bench)
    lock = sqlite3.connect(location.file, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with watched.runs():
        wait_for(lambda: watched.count("fold_failures") >= 2)
        lock.execute("ROLLBACK")
        wait_for(lambda: watched.count("folded_alerts") == 5)
    lock.close()
    assert len(bench.incidents()) == 5


def test_a_full_disk_loses_nothing(
    location: Location, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite finds no room for a page; with room again the turn is done."""
    if location.file is None:
        pytest.skip("a full disk under PostgreSQL is tested in tests/chaos")
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.05)
    bench.say(*hosts(150))
    watched = Watched(location, bench)
    ledger = watched.keeper._ledger
    with ledger.turn() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with watched.runs() as keeper:
        wait_for(lambda: watched.count("fold_failures") >= 1)
        assert bench.rows(EpisodeRow) == []
        assert len(bench.rows(AlertRow)) == 150
        room = keeper.ask(_give_room)
        room.result(PATIENCE)
        wait_for(lambda: watched.count("folded_alerts") == 150)
    assert len(bench.incidents()) == 150


def _give_room(connection: Connection) -> None:
    """Let the database grow again."""
    connection.exec_driver_sql("PRAGMA max_page_count = 1000000")


def test_it_gives_way_to_the_door(location: Location, bench: Bench) -> None:
    """While senders wait it pauses between two turns, and still goes on."""
    asked = threading.Event()

    def is_busy() -> bool:
        """Say that somebody waits."""
        asked.set()
        return True

    bench.say(*hosts(450))
    watched = Watched(location, bench)
    watched.keeper.give_way(is_busy)
    with watched.runs():
        wait_for(lambda: watched.count("folded_alerts") == 450)
    assert asked.is_set()


def test_people_are_answered_between_turns(
    location: Location, bench: Bench
) -> None:
    """A bug in what one asks for is told to him alone."""
    watched = Watched(location, bench)
    with watched.runs() as keeper:
        bad = keeper.ask(lambda _: 1 // 0)
        good = keeper.ask(bench.folder.fold)
        assert isinstance(good.result(PATIENCE), Turn)
        with pytest.raises(Bug):
            bad.result(PATIENCE)


def put(name: str, error: Exception | None = None) -> Work[str]:
    """Return work that writes a mark, and may fail afterwards."""

    def work(connection: Connection) -> str:
        """Write it."""
        put_mark(connection, name, 1)
        if error is not None:
            raise error
        return name

    return work


def ask_together(keeper: Keeper, *works: Work[str]) -> list[Future[str]]:
    """Ask for some work that all waits when the keeper looks."""
    is_free = threading.Event()
    first = keeper.ask(lambda _: is_free.wait(PATIENCE))
    wait_for(first.running)
    asked = [keeper.ask(work) for work in works]
    is_free.set()
    first.result(PATIENCE)
    return asked


def test_what_is_urgent_passes_all_that_waits(
    location: Location, bench: Bench
) -> None:
    """Also what was called up together already, and its turn is its own."""
    watched = Watched(location, bench)
    done: list[str] = []

    def noted(name: str) -> Work[str]:
        """Return work that notes that it was done."""

        def work(_connection: Connection) -> str:
            """Note it; meanwhile somebody stops everything."""
            done.append(name)
            if name == "a":
                keeper.ask(noted("stop"), is_urgent=True)
            return name

        return work

    with watched.runs() as keeper:
        asked = ask_together(keeper, *map(noted, "abcd"))
        assert [one.result(PATIENCE) for one in asked] == [*"abcd"]
    assert done == ["a", "stop", "b", "c", "d"]


def find_marks(bench: Bench, names: str) -> str:
    """Return those of some marks that are there."""
    with bench.ledger.turn() as turn:
        return "".join(name for name in names if get_mark(turn, name))


def test_what_waits_together_shares_a_turn_and_fails_alone(
    location: Location, bench: Bench
) -> None:
    """What one of them wrote before it failed is undone, and nothing else."""
    watched = Watched(location, bench)
    turns: list[None] = []
    watched.keeper.listen(lambda: turns.append(None))
    with watched.runs() as keeper:
        a, b, c, d = ask_together(
            keeper,
            put("a"),
            put("b", ZeroDivisionError()),
            put("c", TooLate("no")),
            put("d"),
        )
        assert (a.result(PATIENCE), d.result(PATIENCE)) == ("a", "d")
        with pytest.raises(Bug, match="ZeroDivisionError"):
            b.result(PATIENCE)
        with pytest.raises(TooLate):
            c.result(PATIENCE)
    assert find_marks(bench, "abcd") == "ad"
    # The one that held the keeper up, and one for all four.
    assert len(turns) == 2


def test_a_turn_that_is_not_stored_is_answered_to_nobody(
    location: Location, bench: Bench
) -> None:
    """When the database fails one of them, all who share its turn know."""
    watched = Watched(location, bench)
    with watched.runs() as keeper:
        asked = ask_together(
            keeper, put("a"), put("b", StorageFailed("full")), put("c")
        )
        for future in asked:
            with pytest.raises(StorageFailed):
                future.result(PATIENCE)
        assert keeper.ask(put("d")).result(PATIENCE) == "d"
    assert find_marks(bench, "abcd") == "d"
