"""Any change of the log, drawn at random, is found at the first bad row."""

import shutil
import sqlite3
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.models.chain import Anchor
from app.models.entry import COLUMNS, START, seal
from app.store.location import Location, locate
from app.store.migrate import migrate
from tests.unit.store.intruder import Intruder, notes, prove, write

COUNT = 12
HELD = ", ".join(f"{name}, typeof({name})" for name in COLUMNS)
QUIET = settings(
    max_examples=150,
    deadline=None,
)
ids = st.integers(1, COUNT)
values = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.binary(max_size=5),
    st.floats(allow_nan=False),
    st.sampled_from(["aG9zdA==", b"host::web-01", "1", 1, "open", b"open"]),
)
edits = st.tuples(st.just("edit"), ids, st.sampled_from(COLUMNS), values)
garbles = st.tuples(st.just("garble"), ids, st.sampled_from(COLUMNS[2:3]))
deletions = st.tuples(st.just("delete"), ids, ids)
swaps = st.tuples(st.just("swap"), ids, ids)
copies = st.tuples(st.just("copy"), ids, st.integers(-3, COUNT + 3))
changes = st.one_of(edits, garbles, deletions, swaps, copies)


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with a log, whose triggers are gone."""
    folder = tmp_path_factory.mktemp("log")
    place = locate(f"sqlite:///{folder}/log.db", folder)
    migrate(place)
    for number in range(COUNT):
        write(place, notes(1, body={"turn": number}), at=number)
    intruder = Intruder(place)
    intruder.take_guards_off()
    intruder.close()
    assert place.file is not None
    return place.file


@pytest.fixture
def copy(unguarded: Path, tmp_path: Path) -> Path:
    """Return where a copy of it may lie."""
    del unguarded
    return tmp_path / "copy.db"


def fresh(unguarded: Path, copy: Path) -> Location:
    """Copy the database there anew."""
    shutil.copyfile(unguarded, copy)
    return locate(f"sqlite:///{copy}", copy.parent)


def held(file: Path) -> list[tuple[Any, ...]]:
    """Return the log byte for byte, with the types of its values."""
    with closing(sqlite3.connect(file)) as connection:
        connection.text_factory = bytes
        query = f"SELECT {HELD} FROM entry ORDER BY id"
        return connection.execute(query).fetchall()


def change(connection: sqlite3.Connection, what: tuple[Any, ...]) -> None:
    """Do one change, as somebody who is not bound by anything."""
    kind, first, second, *rest = what
    run = connection.execute
    if kind == "edit":
        run(f"UPDATE entry SET {second} = ? WHERE id = ?", (*rest, first))
    elif kind == "garble":
        text = f"UPDATE entry SET {second} = CAST(x'ff41' AS TEXT)"
        run(f"{text} WHERE id = ?", (first,))
    elif kind == "delete":
        run("DELETE FROM entry WHERE id BETWEEN ? AND ?", (first, second))
    elif kind == "swap":
        for old, new in ((first, 10**6), (second, first), (10**6, second)):
            run("UPDATE entry SET id = ? WHERE id = ?", (new, old))
    else:
        columns = ", ".join(COLUMNS[1:])
        run(
            f"INSERT INTO entry (id, {columns})"
            f" SELECT ?, {columns} FROM entry WHERE id = ?",
            (second, first),
        )


def first_difference(
    was: list[tuple[Any, ...]], now: list[tuple[Any, ...]]
) -> int | None:
    """Return the id of the first row that is not as it was, or None."""
    for before, after in zip_longest(was, now):
        if before != after:
            here = before[0] if before else len(was) + 1
            return min(here, after[0] if after else here)
    return None


@QUIET
@given(some=st.lists(changes, min_size=1, max_size=4))
def test_the_first_bad_row_is_named(
    unguarded: Path, copy: Path, some: list[tuple[Any, ...]]
) -> None:
    """Edits, deletions, swaps and insertions, several at once."""
    place = fresh(unguarded, copy)
    with closing(sqlite3.connect(copy)) as connection:
        for one in some:
            try:
                change(connection, one)
            except sqlite3.IntegrityError:
                # The id is taken, or is no number: SQLite itself says no.
                continue
        connection.commit()
    expected = first_difference(held(unguarded), held(copy))
    breach = prove(place).breach
    assert (breach and breach.entry) == expected


@QUIET
@given(left=st.integers(0, COUNT), mark=st.integers(0, COUNT + 5))
def test_a_cut_tail_is_named_by_the_mark_or_the_anchor(
    unguarded: Path, copy: Path, left: int, mark: int
) -> None:
    """Whatever the mark was set to, the anchor knows."""
    place = fresh(unguarded, copy)
    whole = prove(place)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("DELETE FROM entry WHERE id > ?", (left,))
        connection.execute("UPDATE mark SET position = ?", (mark,))
        connection.commit()
    breach = prove(place).breach
    assert (breach and breach.entry) == (
        None if mark == left else min(mark, left) + 1
    )
    breach = prove(place, Anchor(whole.last, whole.hash)).breach
    if left < COUNT:
        assert breach is not None
        assert breach.entry == left + 1


@QUIET
@given(start=ids, anchored=ids, summary=st.text("ab", max_size=3))
def test_a_suffix_with_new_hashes_is_named_by_an_anchor_within(
    unguarded: Path, copy: Path, start: int, anchored: int, summary: str
) -> None:
    """All hashes fit; only what was kept elsewhere does not."""
    place = fresh(unguarded, copy)
    kept = Anchor(anchored, held(unguarded)[anchored - 1][-2].hex())
    columns = ", ".join(COLUMNS)
    with closing(sqlite3.connect(copy)) as connection:
        rows = connection.execute(f"SELECT {columns} FROM entry ORDER BY id")
        before = START
        for row in rows.fetchall():
            fields = list(row[:-1])
            if row[0] == start:
                assume(fields[-2] != summary)
                fields[-2] = summary
            before = seal(before, tuple(fields))
            connection.execute(
                "UPDATE entry SET summary = ?, hash = ? WHERE id = ?",
                (fields[-2], before, row[0]),
            )
        connection.commit()
    assert prove(place).breach is None
    breach = prove(place, kept).breach
    assert (breach and breach.entry) == (
        anchored if anchored >= start else None
    )
