"""One link of the log: what was written fits, what was changed does not."""

from collections.abc import Iterator

import pytest

from app.models.entry import START
from app.store.chaining import Link, find_link
from app.store.location import Location
from app.store.log import CUT
from app.store.snapshot import snapshot
from tests.unit.store.intruder import WAIT, Intruder, notes, write

COUNT = 5
UNTIL = f"id <= {COUNT - 2}"


@pytest.fixture
def log(location: Location) -> Location:
    """Return a database with some entries."""
    write(location, notes(COUNT))
    return location


@pytest.fixture
def intruder(log: Location) -> Iterator[Intruder]:
    """Return somebody who has come in."""
    made = Intruder(log)
    made.take_guards_off()
    yield made
    made.close()


def look(log: Location, number: int) -> Link:
    """Return one link, which is there."""
    with snapshot(log, WAIT) as connection:
        found = find_link(connection, number)
    assert found is not None
    return found


def test_every_entry_fits_its_neighbours(log: Location) -> None:
    """The first follows on the beginning; after the last there is none."""
    found = [look(log, number) for number in range(1, COUNT + 1)]
    assert all(one.holds for one in found)
    assert all(one.fits_before for one in found)
    assert [one.fits_after for one in found] == [True] * 4 + [None]
    assert found[0].before == START.hex()
    assert [one.before for one in found[1:]] == [
        one.hash for one in found[:-1]
    ]
    assert [one.sealed for one in found] == [one.hash for one in found]


def test_what_is_not_there_is_none(log: Location) -> None:
    """Beyond the end, and before the beginning."""
    with snapshot(log, WAIT) as connection:
        assert find_link(connection, COUNT + 1) is None
        assert find_link(connection, 0) is None
        assert find_link(connection, 2**63 - 1) is None


@pytest.mark.parametrize(
    "change",
    ["summary = 'x'", "at = at + 1", "actor = 'person:eve'", "body = '{}1'"],
)
def test_other_words_have_another_hash(
    log: Location, intruder: Intruder, change: str
) -> None:
    """The entry says so, and the one before it that its next is wrong."""
    intruder.run(f"UPDATE entry SET {change} WHERE id = 3")
    found = look(log, 3)
    assert not found.holds
    assert (found.fits_before, found.fits_after) == (False, True)
    assert found.sealed != found.hash
    before = look(log, 2)
    assert (before.fits_before, before.fits_after) == (True, False)
    assert look(log, 1).holds
    assert look(log, 4).holds


def test_another_hash_fits_on_neither_side(
    log: Location, intruder: Intruder
) -> None:
    """The entry and the one after it tell it; those beyond do not."""
    intruder.run("UPDATE entry SET hash = 'x' WHERE id = 3")
    found = look(log, 3)
    assert (found.fits_before, found.fits_after) == (False, False)
    assert look(log, 2).fits_after is False
    assert look(log, 4).fits_before is False
    assert look(log, 5).holds


def test_behind_a_cut_its_hash_counts(
    log: Location, intruder: Intruder
) -> None:
    """Without the cut nobody can tell, and that is no breach."""
    last = look(log, COUNT - 2)
    intruder.run(f"DELETE FROM entry WHERE {UNTIL}")
    unknown = look(log, COUNT - 1)
    assert (unknown.fits_before, unknown.before) == (None, "")
    assert unknown.holds
    digest = bytes.fromhex(last.hash)
    with intruder.engine.begin() as connection:
        cut = CUT.insert().values(id=COUNT - 2, hash=digest, at=1)
        connection.execute(cut)
    known = look(log, COUNT - 1)
    assert (known.fits_before, known.before) == (True, last.hash)
