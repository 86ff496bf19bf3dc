"""What is too large or odd for a row holds up nobody, on both databases."""

import random
import string
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.errors import StorageFailed
from app.engine import keeper as module
from app.fold.folding import Folder
from app.models.tables import EntryRow, EpisodeRow, IncidentRow
from app.store.ledger import Connection
from app.store.location import Location
from tests.unit.fold.test_keeper import Watched, hosts, wait_for
from tests.unit.fold.turns import Bench, Said

chosen = random.Random(7)
LETTERS = string.ascii_letters + string.digits
RANDOM = "".join(chosen.choices(LETTERS, k=4_000))
HAN = "".join(chr(chosen.randrange(0x4E00, 0x9FA0)) for _ in range(8_000))
ASTRAL = "".join(chr(chosen.randrange(0x20000, 0x2A000)) for _ in range(600))
POISON = {
    "instance": Said(labels={"instance": RANDOM}, starts=1),
    "wide instance": Said(labels={"instance": HAN[:1_500]}, starts=1),
    "scope": Said(labels={"host": "a", "region": RANDOM}, starts=1),
    "name": Said(name=HAN, labels={"host": "a"}, starts=1),
    "no target": Said(fingerprint=ASTRAL, labels={}, starts=1),
    "update": Said(
        status="updated", name=HAN, annotations={"update_message": RANDOM}
    ),
}


@pytest.fixture
def bench(location: Location) -> Iterator[Bench]:
    """Return folding on an empty database of each kind."""
    made = Bench(location)
    yield made
    made.ledger.close()


@pytest.mark.parametrize("name", POISON)
def test_long_texts_hold_up_nobody(
    location: Location, bench: Bench, name: str
) -> None:
    """An alert of letters without end is folded like the good ones."""
    poison = POISON[name]
    good = hosts(20)
    bench.say(*good[:10], poison, *good[10:])
    expected = 20 if poison.status == "updated" else 21
    watched = Watched(location, bench)
    with watched.runs():
        wait_for(lambda: watched.count("folded_alerts") == 21)
    assert watched.count("fold_skipped_alerts") == 0
    assert len(bench.incidents()) == expected
    for row in (*bench.rows(IncidentRow), *bench.rows(EntryRow)):
        for value in (row.target, row.problem):
            assert len(value.encode()) <= 1_500
            assert len(value) <= 500


def test_long_names_are_told_apart(bench: Bench) -> None:
    """Two that differ in their last letter are two incidents."""
    for end in "ab":
        bench.told(
            Said(
                fingerprint=end,
                labels={"instance": RANDOM + end},
                starts=1,
            )
        )
    first, second = bench.incidents()
    assert first.target != second.target
    assert first.target_name != second.target_name


def statement(sql: str) -> Callable[[Connection], Any]:
    """Return work that runs a statement."""
    return lambda connection: connection.execute(text(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO mark (name, position) VALUES ('odd', NULL)",
        "INSERT INTO mark (name, position) VALUES ('a', 1), ('a', 2)",
    ],
)
def test_a_row_that_is_refused_is_a_bug(bench: Bench, sql: str) -> None:
    """It is raised as it is: waiting would not help."""
    with pytest.raises(DBAPIError), bench.ledger.turn() as connection:
        connection.execute(text(sql))
    assert bench.turn().alerts == 0


def test_an_index_row_that_is_too_large_is_a_bug(
    location: Location, bench: Bench
) -> None:
    """PostgreSQL calls it an operational error; it is no such thing."""
    if location.file is not None:
        pytest.skip("SQLite's indexes take rows of any size")
    sql = text("INSERT INTO mark (name, position) VALUES (:name, 1)")
    with pytest.raises(DBAPIError), bench.ledger.turn() as connection:
        connection.execute(sql, {"name": RANDOM})


def test_a_missing_table_is_no_bug_of_an_alert(bench: Bench) -> None:
    """The store as a whole is not as it should be: that is waited for."""
    with pytest.raises(StorageFailed), bench.ledger.turn() as connection:
        connection.execute(text("SELECT 1 FROM nowhere"))


class Beside(Folder):
    """Folds, but what a turn looks at besides crashes."""

    def fold(self, connection: Connection, limit: int = 200) -> Any:
        """Crash as a sweep with a bug would."""
        raise ZeroDivisionError(f"{connection} {limit}")


def test_a_bug_besides_folding_puts_nobody_off(
    location: Location, bench: Bench
) -> None:
    """Alerts are folded on; no innocent incident is put off for it."""
    bench.told(*hosts(2, "old"))
    with bench.ledger.turn() as connection:
        connection.execute(text("UPDATE incident SET due_at = 1"))
    folder = Beside(bench.folder.rules, bench.clock)
    watched = Watched(location, bench, folder)
    with watched.runs() as keeper:
        bench.say(*hosts(3, "first"))
        keeper.wake()
        wait_for(lambda: len(bench.incidents()) == 5)
        bench.say(*hosts(3, "second"))
        keeper.wake()
        wait_for(lambda: len(bench.incidents()) == 8)
        wait_for(lambda: watched.gauge("fold_waiting_alerts") == 0)
    assert "incident.not_settled" not in bench.kinds()
    assert watched.gauge("fold_is_behind") == 1
    assert keeper._rest == module.FIRST_REST


def test_the_rest_grows_to_a_minute(location: Location, bench: Bench) -> None:
    """Each time that it crashes again it is left alone for longer."""
    folder = Beside(bench.folder.rules, bench.clock)
    keeper = Watched(location, bench, folder).keeper
    rests = []
    for _ in range(8):
        keeper._turn()
        rests.append(keeper._rest)
        bench.clock.advance(keeper._rest)
    keeper.stop()
    assert rests == [2, 4, 8, 16, 32, 60, 60, 60]


def test_what_waits_is_told(location: Location, bench: Bench) -> None:
    """How many alerts, and when the last turn was written."""
    bench.say(*hosts(250))
    watched = Watched(location, bench)
    assert watched.keeper._try_turn()
    assert watched.gauge("fold_waiting_alerts") == 50
    watched.keeper._try_turn()
    assert watched.gauge("fold_waiting_alerts") == 0
    now = bench.clock.now() / 1e6
    assert watched.gauge("fold_last_turn_seconds") == now
    watched.keeper.stop()


def test_turns_that_fail_are_behind(
    location: Location, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when nobody knows how much waits."""

    def fail(*_: object, **__: object) -> None:
        """Fail as a disk does."""
        raise StorageFailed("the disk is gone")

    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    watched = Watched(location, bench)
    watched.keeper._try_turn()
    assert watched.gauge("fold_is_behind") == 0
    monkeypatch.setattr(bench.folder, "fold", fail)
    watched.keeper._try_turn()
    assert watched.gauge("fold_is_behind") == 1
    watched.keeper.stop()


def test_an_update_of_something_unknown_is_told(bench: Bench) -> None:
    """It names no date and no alert of its event came: the log keeps it."""
    told = {"update_message": "I look at it", "update_user": "Ana"}
    bench.told(
        Said(status="updated", source="zabbix", annotations=told),
    )
    assert bench.rows(EpisodeRow) == []
    (entry,) = bench.rows(EntryRow)
    assert entry.kind == "alert.not_folded"
    assert "nothing is known that it is about" in entry.summary
    assert "I look at it" in entry.summary
    assert '"alert":1' in entry.body
    assert '"text":"I look at it"' in entry.body
