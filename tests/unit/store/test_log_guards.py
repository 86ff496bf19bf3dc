"""The database itself refuses whatever is not an entry at the end."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.models.entry import COLUMNS
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.store.intruder import WAIT, Intruder, notes, prove, write
from tests.unit.store.test_log import cut_off

REST = ", ".join(COLUMNS[1:])
FROM_9 = f"SELECT {{}}, {REST} FROM entry WHERE id = 9"
INTO = f"INSERT INTO entry (id, {REST}) {FROM_9}"
HASH_9 = "(SELECT hash FROM entry WHERE id = 9)"
REFUSED = [
    *(f"UPDATE entry SET {name} = {name}" for name in COLUMNS),
    "UPDATE entry SET id = id + 100 WHERE id = 9",
    "DELETE FROM entry",
    "DELETE FROM entry WHERE id = 9",
    "DELETE FROM entry WHERE id = 4",
    *(INTO.format(number) for number in (-1, 0, 3, 4, 9, 11, 2**62)),
    "UPDATE cut SET hash = hash",
    "UPDATE cut SET id = 8",
    "DELETE FROM cut",
    f"INSERT INTO cut (id, hash, at) VALUES (9, {HASH_9}, 1), (8, 'x', 1)",
    "INSERT INTO cut (id, hash, at) VALUES (9, 'x', 1)",
    "INSERT INTO cut (id, hash, at) VALUES (10, 'x', 1)",
    f"INSERT INTO cut (id, hash, at) VALUES (100, {HASH_9}, 1)",
    f"{INTO.format(9)} ON CONFLICT (id) DO UPDATE SET summary = 'x'",
]
SQLITE_REFUSED = [
    INTO.format("NULL"),
    f"INSERT INTO entry ({REST}) SELECT {REST} FROM entry WHERE id = 9",
    *(
        f"INSERT OR {how} INTO entry (id, {REST}) {FROM_9.format(number)}"
        for how in ("REPLACE", "ROLLBACK", "FAIL", "ABORT", "IGNORE")
        for number in (4, 9, 11)
    ),
    f"REPLACE INTO entry (id, {REST}) {FROM_9.format(4)}",
    "UPDATE OR REPLACE entry SET id = 5 WHERE id = 4",
    "UPDATE OR IGNORE entry SET summary = 'x' WHERE id = 4",
    f"INSERT INTO cut (id, hash, at) VALUES (NULL, {HASH_9}, 1)",
    f"REPLACE INTO cut (id, hash, at) VALUES (3, {HASH_9}, 1)",
    "UPDATE OR REPLACE cut SET id = 9",
]
ANEW = f"INSERT INTO entry (id, {REST}) SELECT 10, {REST} FROM gone"
POSTGRES_REFUSED = [
    "TRUNCATE entry",
    "TRUNCATE cut CASCADE",
    "TRUNCATE delivery, entry, alert",
    f"WITH gone AS (DELETE FROM entry RETURNING {REST}) {ANEW}",
    "MERGE INTO entry USING mark ON true WHEN MATCHED THEN DELETE",
    f"{INTO.format(9)} ON CONFLICT DO NOTHING",
    INTO.format("NULL"),
]
# What a session brings along must not decide what the triggers ask.
SHADOWS = (
    "CREATE TEMPORARY TABLE cut (id bigint, hash text, at bigint)",
    "INSERT INTO cut VALUES (1000, 'x', 1)",
)


@pytest.fixture
def log(location: Location) -> Location:
    """Return a log of nine entries that begins behind a cut at 3."""
    write(location, notes(8))
    ledger = Ledger(location, WAIT)
    with ledger.turn() as turn:
        cut_off(turn, 3)
    ledger.close()
    return location


@pytest.fixture
def intruder(log: Location) -> Iterator[Intruder]:
    """Return somebody who may write SQL."""
    made = Intruder(log)
    yield made
    made.close()


def refusal(intruder: Intruder, *statements: str) -> str:
    """Return why the database does not take it; empty when it does."""
    try:
        intruder.run(*statements)
    except DBAPIError as error:
        return str(error.orig)
    return ""


def check(intruder: Intruder, log: Location, *statements: str) -> None:
    """Expect that statements are refused and leave all as it was."""
    before = intruder.rows(), intruder.rows("cut")
    assert refusal(intruder, *statements), statements
    # What belongs to a session ends with it.
    intruder.close()
    assert (intruder.rows(), intruder.rows("cut")) == before
    assert prove(log).breach is None


def test_whatever_changes_the_log_is_refused(
    log: Location, intruder: Intruder
) -> None:
    """Both databases, entries and cuts; nothing has changed afterwards."""
    own = SQLITE_REFUSED if intruder.is_sqlite else POSTGRES_REFUSED
    for statement in (*REFUSED, *own):
        check(intruder, log, statement)


def test_the_refusal_says_why(log: Location, intruder: Intruder) -> None:
    """In the words of the product."""
    del log
    why = refusal(intruder, "DELETE FROM entry WHERE id = 9")
    assert "the action log is append-only" in why


def test_replacing_is_refused_with_recursive_triggers_too(
    log: Location, intruder: Intruder
) -> None:
    """SQLite runs the triggers of a REPLACE's delete only when told so."""
    if not intruder.is_sqlite:
        pytest.skip("only SQLite replaces")
    for setting in ("ON", "OFF"):
        for statement in SQLITE_REFUSED:
            switch = f"PRAGMA recursive_triggers = {setting}"
            check(intruder, log, switch, statement)


def test_a_table_of_the_session_does_not_fool_the_triggers(
    log: Location, intruder: Intruder
) -> None:
    """A temporary table named cut allows nothing."""
    check(intruder, log, *SHADOWS, "DELETE FROM entry WHERE id = 9")


def test_a_search_path_does_not_fool_the_triggers(
    log: Location, intruder: Intruder
) -> None:
    """Nor does a schema with tables of the same names."""
    if intruder.is_sqlite:
        pytest.skip("only PostgreSQL has schemas")
    intruder.run(
        "CREATE SCHEMA evil",
        "CREATE TABLE evil.cut AS SELECT 1000::bigint AS id",
    )
    path = "SET LOCAL search_path = evil, public"
    check(intruder, log, path, "DELETE FROM public.entry WHERE id = 9")


def test_a_cut_needs_the_hash_of_its_entry_but_in_an_empty_log(
    location: Location,
) -> None:
    """A restored backup has its cuts before its entries."""
    intruder = Intruder(location)
    digest = "x'00'" if intruder.is_sqlite else "'x'"
    intruder.run(
        f"INSERT INTO cut (id, hash, at) VALUES (5, {digest}, 1)",
        "INSERT INTO mark (name, position) VALUES ('log', 5)",
    )
    assert len(intruder.rows("cut")) == 1
    write(location, notes(1))
    with intruder.engine.connect() as connection:
        query = text("SELECT id FROM entry")
        assert connection.execute(query).scalars().all() == [6]
    intruder.close()
