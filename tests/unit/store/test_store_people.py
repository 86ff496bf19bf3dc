"""People, weighing, siblings, the ledger, a snapshot: one rule each."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.core.errors import StorageFailed
from app.models.word import Kind
from app.store import people
from app.store.dossier import find_dossier
from app.store.incidents import (
    MOST_OF_ONE,
    find_episodes_by_id,
    save_episodes,
)
from app.store.incidents import save_incidents as save
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.marks import get_mark, put_mark
from app.store.room import measure_room
from app.store.siblings import count_siblings, find_siblings
from app.store.snapshot import snapshot
from app.store.weighing import find_frequent, find_unheard, weigh_firing
from tests.schema import make_sqlite
from tests.unit.store.shelf import (
    make_episode,
    make_incident,
    make_word,
    open_memory,
)


@pytest.fixture
def store() -> Iterator[Connection]:
    """Return a connection to empty tables in memory."""
    engine = open_memory()
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Location:
    """Return a SQLite file of today's schema."""
    return make_sqlite(tmp_path / "store.db")


def test_words_are_kept_as_they_were_said(store: Connection) -> None:
    """With their details; beyond an id, in order, so many at most."""
    details = {"owner": "ärger", "episodes": [1, 2], "into": None}
    said = [make_word(n, n % 2, details=details) for n in range(1, 7)]
    assert people.next_word(store) == 1
    people.add_words(store, [])
    people.add_words(store, said)
    assert people.next_word(store) == 7
    assert people.find_words(store, [1], 1, 9) == [said[2], said[4]]
    assert people.find_words(store, [0, 1], 2, 3) == said[2:5]
    assert people.find_words(store, [], 0, 9) == []


@pytest.mark.parametrize(
    ("incident", "key", "number"),
    [(1, "k", 2), (2, "k", 3), (1, "K", None), (3, "k", None), (1, "", None)],
)
def test_a_word_is_found_by_its_key(
    store: Connection, incident: int, key: str, number: int | None
) -> None:
    """Of its own incident; no key is no key."""
    said = [
        make_word(1, 1),
        make_word(2, 1, key="k"),
        make_word(3, 2, key="k"),
    ]
    people.add_words(store, said)
    found = people.find_by_key(store, incident, key)
    assert (found.id if found else None) == number


def test_the_last_word_of_a_kind_is_the_one_kept_last(
    store: Connection,
) -> None:
    """By its number, not by the moment that it speaks of."""
    said = [
        make_word(1, 1, kind="owner", at=9),
        make_word(2, 1, kind="owner", at=5),
        make_word(3, 1, kind="note"),
        make_word(4, 2, kind="owner"),
    ]
    people.add_words(store, said)
    assert people.find_last(store, 1, [Kind.OWNER]) == said[1]
    assert people.find_last(store, 1, [Kind.OWNER, Kind.NOTE]) == said[2]
    assert people.find_last(store, 1, [Kind.MERGE]) is None


def test_the_words_on_acknowledging_are_those_of_the_latest_moment(
    store: Connection,
) -> None:
    """Several when they are of one moment; a later note is none of them."""
    said = [
        make_word(1, 1, kind="acknowledge", at=5),
        make_word(2, 2, kind="unacknowledge", at=7),
        make_word(3, 1, kind="acknowledge", at=7),
        make_word(4, 1, kind="note", at=9),
        make_word(5, 3, kind="acknowledge", at=9),
    ]
    people.add_words(store, said)
    found = people.find_on_acknowledging(store, [1, 2])
    assert sorted(word.id for word in found) == [2, 3]
    assert people.find_on_acknowledging(store, [4]) == []


def test_a_family_is_all_that_was_merged_however_deep(
    store: Connection,
) -> None:
    """Layer by layer; also where two were merged into each other."""
    into = {1: 0, 2: 1, 3: 2, 4: 1, 5: 0, 6: 7, 7: 6}
    save(store, [make_incident(n, merged_into=m) for n, m in into.items()], [])
    assert people.find_family(store, 1) == [1, 2, 4, 3]
    assert people.find_family(store, 2) == [2, 3]
    assert people.find_family(store, 5) == [5]
    assert people.find_family(store, 6) == [6, 7]
    # Nothing was merged into nothing.
    assert people.find_family(store, 0) == [0]
    assert people.find_merged(store, 0) == []


def test_the_merged_are_told_by_their_last_change(store: Connection) -> None:
    """The latest first; of one moment the higher number."""
    when = {2: 5, 3: 9, 4: 5}
    rows = [
        make_incident(n, merged_into=1, changed_at=at)
        for n, at in when.items()
    ]
    save(store, rows, [])
    assert people.find_merged(store, 1) == [3, 4, 2]


def test_a_moved_episode_remembers_where_it_was(store: Connection) -> None:
    """Those named, or all of one incident; no other moves."""
    rows = [make_episode(n, (n + 1) // 2) for n in (1, 2, 3, 4)]
    save_episodes(store, rows, [])
    people.move_some(store, [1, 3], 9, "split")
    people.move_all(store, 2, 8, "merged")
    people.pin(store, 9)
    found = find_episodes_by_id(store, [1, 2, 3, 4])
    assert {
        n: (one.incident_id, one.home, one.because, one.pin)
        for n, one in found.items()
    } == {
        1: (9, 1, "split", 9),
        2: (1, 0, "", 0),
        3: (9, 2, "split", 9),
        4: (8, 2, "merged", 0),
    }
    assert people.list_episodes(store, 9, 1) == [1]


def test_the_oldest_episode_is_the_one_that_began_first(
    store: Connection,
) -> None:
    """By the source's clock; of one moment the lower number."""
    begins = {1: 7, 2: 5, 3: 5}
    rows = [make_episode(n, 1, begins_at=at) for n, at in begins.items()]
    save_episodes(store, rows, [])
    oldest = people.find_oldest(store, 1)
    assert oldest is not None
    assert oldest.id == 2
    assert people.find_oldest(store, 2) is None


def test_what_fires_is_counted_by_severity(store: Connection) -> None:
    """An incident without any is in the answer, with nothing."""
    rows = [
        make_episode(1, 1),
        make_episode(2, 1),
        make_episode(3, 1, severity="info"),
        make_episode(4, 1, until=2_000, ended="resolved"),
        make_episode(5, 2, until=2_000, ended="stale"),
        make_episode(6, 3),
    ]
    save_episodes(store, rows, [])
    assert weigh_firing(store, [1, 2]) == {
        1: {"critical": 2, "info": 1},
        2: {},
    }
    assert find_unheard(store, [1, 2, 3]) == {2}


@pytest.mark.parametrize(
    ("changes", "problems", "found"),
    [
        (6, ["disk"], []),
        (5, ["disk"], []),
        (4, ["disk"], [[1, 2]]),
        (1, ["disk"], [[1, 2]]),
        (1, ["cpu", "disk"], [[4, 5], [1, 2]]),
        (4, ["ram"], []),
        (3, ["ram"], [[9, 10]]),
        (2, ["cpu"], [[3, 4, 5]]),
        (1, ["other"], []),
        (1, [], []),
    ],
)
def test_what_may_be_flapping_has_enough_episodes(
    store: Connection,
    changes: int,
    problems: list[str],
    found: list[list[int]],
) -> None:
    """An episode is two changes, unless it goes on together with others.

    The newest of each problem are told, of a few episodes and of many.
    """
    disk = [make_episode(n, 1, until=n) for n in (1, 2)]
    cpu = [make_episode(n, 1, until=n, problem="cpu") for n in (3, 4, 5)]
    rest = [make_episode(n, 2, until=n) for n in (6, 7, 8)]
    ram = [make_episode(9, 1, until=9, problem="ram")]
    ram.append(make_episode(10, 1, problem="ram"))
    save_episodes(store, [*disk, *cpu, *rest, *ram], [])
    for count in (7, MOST_OF_ONE + 1):
        told = find_frequent(store, {1: count}, problems, changes)
        ids = [sorted(one.id for one in some) for some in told.get(1, [])]
        assert ids == found


@pytest.mark.parametrize(
    ("incident", "episode", "is_sibling"),
    [
        ({}, {"target": "b", "begins_at": 900}, True),
        ({}, {"target": "b", "begins_at": 1_100}, True),
        ({}, {"target": "b", "begins_at": 899}, False),
        ({}, {"target": "b", "begins_at": 1_101}, False),
        ({}, {"target": "b", "problem": "cpu"}, False),
        ({}, {}, False),
        ({}, {"pin": 2}, True),
        ({"merged_into": 9}, {"target": "b"}, False),
        ({"state": "resolved"}, {"target": "b", "until": 1_001}, True),
    ],
)
def test_a_sibling_has_the_problem_at_the_time_elsewhere(
    store: Connection,
    incident: dict[str, int],
    episode: dict[str, int],
    is_sibling: bool,
) -> None:
    """Both ends of the time count; a person's split is elsewhere, too."""
    mine = make_incident(1)
    save(store, [mine, make_incident(2, **incident)], [])
    rows = [make_episode(1, 1), make_episode(2, 2, **episode)]
    save_episodes(store, [*rows, make_episode(3, 2, **episode)], [])
    assert find_siblings(store, mine, 100, 9) == [2] * is_sibling
    assert count_siblings(store, mine, 100, 9) == is_sibling
    dossier = find_dossier(store, 1, 100)
    assert dossier is not None
    assert list(dossier.siblings) == [2] * is_sibling
    assert find_dossier(store, 3, 100) is None


def _mark_and_fail(turn: Connection) -> None:
    """Write something, then fail for a reason of ours."""
    put_mark(turn, "a", 1)
    raise KeyError


def _mark_and_write_twice(turn: Connection) -> None:
    """Write something, then what the schema refuses."""
    put_mark(turn, "b", 2)
    save(turn, [make_incident(1), make_incident(1)], [])


def test_a_turn_that_fails_leaves_nothing(file: Location) -> None:
    """Neither an error of ours nor of a row; the next turn is a new one."""
    with closing(Ledger(file, 1.0)) as ledger:
        with pytest.raises(KeyError), ledger.turn() as turn:
            _mark_and_fail(turn)
        with pytest.raises(IntegrityError), ledger.turn() as turn:
            _mark_and_write_twice(turn)
        with ledger.turn() as turn:
            assert (get_mark(turn, "a"), get_mark(turn, "b")) == (0, 0)
            put_mark(turn, "c", 3)
    with snapshot(file, 1.0) as connection:
        assert get_mark(connection, "c") == 3


def test_a_turn_that_another_writer_has_is_refused(file: Location) -> None:
    """As storage that failed; and is taken when that one is done."""
    assert file.file is not None
    with (
        closing(Ledger(file, 0.0)) as ledger,
        closing(sqlite3.connect(file.file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailed, match="locked"), ledger.turn():
            pytest.fail("two writers at once")
        other.execute("ROLLBACK")
        with ledger.turn() as turn:
            put_mark(turn, "a", 1)


def test_a_file_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    """Neither by who writes nor by who reads."""
    place = locate("sqlite:///gone.db", tmp_path)
    with (
        closing(Ledger(place, 1.0)) as ledger,
        pytest.raises(StorageFailed, match="cannot write"),
        ledger.turn(),
    ):
        pytest.fail("there is no file")
    with (
        pytest.raises(StorageFailed, match="cannot read"),
        snapshot(place, 1.0),
    ):
        pytest.fail("there is no file")
    assert not list(tmp_path.iterdir())


def test_a_snapshot_sees_one_state_and_writes_nothing(
    file: Location,
) -> None:
    """What is committed meanwhile is for the next one."""
    with closing(Ledger(file, 1.0)) as ledger:
        with snapshot(file, 1.0) as connection:
            assert get_mark(connection, "a") == 0
            with ledger.turn() as turn:
                put_mark(turn, "a", 1)
            assert get_mark(connection, "a") == 0
        with snapshot(file, 1.0) as connection:
            assert get_mark(connection, "a") == 1
        with (
            pytest.raises(StorageFailed, match="readonly"),
            snapshot(file, 1.0) as connection,
        ):
            put_mark(connection, "a", 2)


def test_what_is_deleted_takes_no_room_at_once(file: Location) -> None:
    """The file stays as large as it was."""
    assert file.file is not None
    with closing(Ledger(file, 1.0)) as ledger:
        rows = [make_word(n, 1, text="x" * 9_000) for n in range(1, 60)]
        with ledger.turn() as turn:
            empty = measure_room(turn)
            people.add_words(turn, rows)
        with ledger.turn() as turn:
            full = measure_room(turn)
            turn.exec_driver_sql("DELETE FROM word")
        with ledger.turn() as turn:
            after = measure_room(turn)
    assert full.used - empty.used > 59 * 9_000
    assert after.used < full.used - 59 * 8_000
    assert after.total == full.total >= full.used
