"""The action log: append-only, chained, and every change of it is named."""

import tracemalloc
from collections.abc import Iterator

import pytest

from app.models.chain import Anchor
from app.models.entry import Note
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.log import CUT, ENTRY, append, find_end, speaks_against, verify
from app.store.snapshot import snapshot
from tests.unit.store.intruder import WAIT, Intruder, notes, prove, write

COUNT = 9
COPY = "target, problem, severity, status, actor, action, summary, body, hash"
INSERT = f"INSERT INTO entry SELECT %s, at, kind, incident_id, {COPY}"
TAMPERINGS = [
    ("UPDATE entry SET summary = 'x' WHERE id = 4", 4, "was edited"),
    ("UPDATE entry SET at = at + 1 WHERE id = 1", 1, "was edited"),
    ("UPDATE entry SET body = '{\"a\":1}' WHERE id = 9", 9, "edited"),
    ("UPDATE entry SET hash = 'x' WHERE id = 4", 4, "edited"),
    ("DELETE FROM entry WHERE id = 5", 5, "is missing"),
    ("DELETE FROM entry WHERE id = 1", 1, "is missing"),
    ("DELETE FROM entry WHERE id = 9", 9, "the end was cut off"),
    ("DELETE FROM entry WHERE id > 3", 4, "the end was cut off"),
    ("DELETE FROM entry", 1, "the end was cut off, 9 were written"),
    (f"{INSERT % 10} FROM entry WHERE id = 9", 10, "edited, moved or ins"),
    (f"{INSERT % 12} FROM entry WHERE id = 9", 10, "is missing"),
    (f"{INSERT % 0} FROM entry WHERE id = 9", 0, "before the beginning"),
    (f"{INSERT % -7} FROM entry WHERE id = 9", -7, "before the beginning"),
    ("UPDATE entry SET id = 20 WHERE id = 3", 3, "is missing"),
    ("UPDATE mark SET position = 12 WHERE name = 'log'", 10, "cut off"),
    ("UPDATE mark SET position = 7 WHERE name = 'log'", 8, "not written by"),
    ("DELETE FROM mark WHERE name = 'log'", 1, "not written by us"),
]


@pytest.fixture
def log(location: Location) -> Location:
    """Return a database with some entries, written in two turns."""
    write(location, notes(4))
    write(location, notes(COUNT - 4), at=2)
    return location


@pytest.fixture
def intruder(log: Location) -> Iterator[Intruder]:
    """Return somebody who has come in."""
    made = Intruder(log)
    yield made
    made.close()


def test_what_was_appended_is_whole(log: Location) -> None:
    """The finding has the count, the end, and its hash."""
    finding = prove(log)
    assert finding.breach is None
    assert (finding.entries, finding.last) == (COUNT, COUNT)
    with snapshot(log, WAIT) as connection:
        assert find_end(connection).hash.hex() == finding.hash


def test_an_empty_log_is_whole(location: Location) -> None:
    """Nothing was written, nothing is missing."""
    finding = prove(location)
    assert (finding.entries, finding.last, finding.breach) == (0, 0, None)


@pytest.mark.parametrize(("statement", "entry", "what"), TAMPERINGS)
def test_every_change_is_named(
    log: Location, intruder: Intruder, statement: str, entry: int, what: str
) -> None:
    """With the triggers gone: the first bad row, and what is wrong."""
    intruder.take_guards_off()
    intruder.run(statement)
    breach = prove(log).breach
    assert breach is not None
    assert breach.entry == entry
    assert what in breach.what


def test_swapped_contents_and_ids_are_named(
    log: Location, intruder: Intruder
) -> None:
    """Two entries change places: the first of them is bad."""
    intruder.take_guards_off()
    intruder.run(
        "UPDATE entry SET id = 100 WHERE id = 3",
        "UPDATE entry SET id = 3 WHERE id = 6",
        "UPDATE entry SET id = 6 WHERE id = 100",
    )
    breach = prove(log).breach
    assert breach is not None
    assert breach.entry == 3
    assert "moved" in breach.what


def test_a_tail_that_is_gone_with_its_mark_needs_an_anchor(
    log: Location, intruder: Intruder
) -> None:
    """What is kept outside of the database knows that there was more."""
    whole = prove(log)
    intruder.take_guards_off()
    intruder.run(
        "DELETE FROM entry WHERE id > 6",
        "UPDATE mark SET position = 6 WHERE name = 'log'",
    )
    assert prove(log).breach is None
    breach = prove(log, Anchor(whole.last, whole.hash)).breach
    assert breach is not None
    assert (breach.entry, "cut off" in breach.what) == (7, True)


def test_a_log_written_anew_needs_an_anchor(
    log: Location, intruder: Intruder
) -> None:
    """Whoever computes all hashes again is given away by an old one."""
    whole = prove(log)
    kept = Anchor(whole.last, whole.hash)
    intruder.take_guards_off()
    intruder.run("DELETE FROM entry WHERE id > 5", "DELETE FROM mark")
    intruder.run("INSERT INTO mark (name, position) VALUES ('log', 5)")
    early = prove(log)
    write(log, notes(6, summary="a lie"))
    assert prove(log, Anchor(early.last, early.hash)).breach is None
    finding = prove(log, kept)
    assert finding.breach is not None
    assert finding.breach.entry == COUNT
    assert "anew" in finding.breach.what


def test_going_on_after_a_breach_does_not_hide_it(
    log: Location, intruder: Intruder
) -> None:
    """The next entry says that the end was not where we left it."""
    intruder.take_guards_off()
    intruder.run("DELETE FROM entry WHERE id > 6")
    write(log, notes(20))
    breach = prove(log).breach
    assert breach is not None
    assert breach.entry == 7
    assert "entries 7 to 9 are missing" in breach.what


def test_an_entry_of_a_stranger_is_told_for_ever(
    log: Location, intruder: Intruder
) -> None:
    """Also when it was chained as it should be."""
    ledger = Ledger(log, WAIT)
    with ledger.turn() as turn:
        append(turn, 5, notes(1))
        turn.exec_driver_sql(f"UPDATE mark SET position = {COUNT}")
    ledger.close()
    write(log, notes(2))
    breach = prove(log).breach
    assert breach is not None
    assert breach.entry == COUNT + 1 + 1
    assert "entries 10 to 10 were not written by us" in breach.what
    assert len(intruder.rows()) == COUNT + 4


def test_a_walk_sees_one_state_while_others_write(log: Location) -> None:
    """What comes meanwhile belongs to the next walk."""
    with snapshot(log, WAIT) as connection:
        find_end(connection)
        write(log, notes(30))
        finding = verify(connection)
    assert (finding.entries, finding.breach) == (COUNT, None)
    assert prove(log).entries == COUNT + 30


def test_a_walk_needs_no_more_memory_for_more_entries(
    location: Location,
) -> None:
    """Rows are read some at a time: 24 MB of them in less than 8."""
    for _ in range(12):
        write(location, notes(1_000, body={"evidence": "x" * 2_000}))
    tracemalloc.start()
    finding = prove(location)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (finding.entries, finding.breach) == (12_000, None)
    assert peak < 8_000_000


def cut_off(turn: Connection, through: int, *, told: bool = True) -> None:
    """Cut the log as retention does; the rows stay for now."""
    query = ENTRY.select().where(ENTRY.c.id == through)
    digest = bytes(turn.execute(query).one().hash)
    body = {"through": through, "hash": digest.hex()}
    note = Note(kind="log.cut", actor="rule:x", summary="cut", body=body)
    append(turn, 9, [note] if told else notes(1))
    row = {"id": through, "hash": digest, "at": 9}
    turn.execute(CUT.insert().values(row))


def test_the_chain_stays_verifiable_behind_cuts(log: Location) -> None:
    """Also while what was cut off is being removed, oldest first."""
    ledger = Ledger(log, WAIT)
    for first, through in ((0, 3), (3, 7)):
        with ledger.turn() as turn:
            cut_off(turn, through)
        for upto in range(first + 1, through + 1):
            with ledger.turn() as turn:
                turn.execute(ENTRY.delete().where(ENTRY.c.id <= upto))
            finding = prove(log)
            assert finding.breach is None
            assert finding.last == COUNT + (1 if through == 3 else 2)
    with ledger.turn() as turn:
        assert not speaks_against(turn, Anchor(2, "00" * 32))
        assert speaks_against(turn, Anchor(8, "00" * 32))
        assert speaks_against(turn, Anchor(99, "00" * 32))
    ledger.close()


def test_a_cut_that_no_entry_tells_of_is_a_breach(log: Location) -> None:
    """Who writes a cut to remove the beginning is given away."""
    ledger = Ledger(log, WAIT)
    with ledger.turn() as turn:
        cut_off(turn, 5, told=False)
        turn.execute(ENTRY.delete().where(ENTRY.c.id <= 5))
    ledger.close()
    breach = prove(log).breach
    assert breach is not None
    assert breach.entry == 5
    assert "no entry tells of a cut" in breach.what


def test_the_last_entry_before_a_cut_is_the_one_of_the_cut(
    log: Location, intruder: Intruder
) -> None:
    """Entries that wait for their removal are still compared."""
    ledger = Ledger(log, WAIT)
    with ledger.turn() as turn:
        cut_off(turn, 5)
        turn.execute(ENTRY.delete().where(ENTRY.c.id <= 2))
    ledger.close()
    assert prove(log).breach is None
    intruder.take_guards_off()
    intruder.run("UPDATE cut SET hash = (SELECT hash FROM entry WHERE id=4)")
    breach = prove(log).breach
    assert breach is not None
    assert "at which the log was cut off" in breach.what
    assert breach.entry == 5
