"""A backup is whole, is proved, and comes back as it was."""

import os
import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select
from sqlmodel import SQLModel

from app.core.errors import StorageFailed
from app.models.alert import Status
from app.store.backup import back_up, restore
from app.store.inbox import SqlInbox
from app.store.incidents import ALERT
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.log import HEAD, verify
from app.store.marks import get_mark, put_mark
from app.store.migrate import migrate
from tests.unit.store.history import History

numbers = count(1)


@pytest.fixture
def history(inbox: SqlInbox, location: Location) -> Iterator[History]:
    """Return a database with some history in it."""
    ledger = Ledger(location, 2.0)
    made = History(inbox, ledger)
    made.fill(5)
    made.say("db-01", Status.FIRING, made.clock.now())
    made.fold()
    yield made
    ledger.close()


@pytest.fixture
def elsewhere(
    location: Location, request: pytest.FixtureRequest, tmp_path: Path
) -> Location:
    """Return an empty place of the same kind of database."""
    if location.file is not None:
        return locate(f"sqlite:///{tmp_path}/restored/copy.db", tmp_path)
    server = request.getfixturevalue("postgres")
    url = server.make_database(f"restored_{next(numbers)}")
    return locate(url, tmp_path)


def everything(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of all tables but the probe's."""
    found = {}
    with ledger.turn() as turn:
        for name, table in SQLModel.metadata.tables.items():
            if name != "probe":
                found[name] = rows_of(turn, table)
    return found


def rows_of(turn: object, table: Table) -> list[tuple[object, ...]]:
    """Return the rows of a table in the order of its key.

    How far the words were indexed is left out: that is done anew.
    """
    query = select(table).order_by(*table.primary_key)
    rows = [tuple(row) for row in turn.execute(query)]  # type: ignore[attr-defined]
    return [row for row in rows if not str(row[0]).startswith("searched:")]


def test_what_is_restored_is_what_was(
    history: History, location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    """Every row of every table comes back, and the log's chain is whole."""
    before = everything(history.ledger)
    made = back_up(location, tmp_path / "one.backup")
    history.fill(2)
    back = restore(tmp_path / "one.backup", elsewhere)
    assert (back.entries, back.last, back.hash) == (
        made.entries,
        made.last,
        made.hash,
    )
    ledger = Ledger(elsewhere, 2.0)
    try:
        assert everything(ledger) == before
        with ledger.turn() as turn:
            assert verify(turn).breach is None
    finally:
        ledger.close()


def test_the_restored_database_goes_on(
    history: History, location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    """What comes in after a restore is folded on top of what was."""
    back_up(location, tmp_path / "one.backup")
    restore(tmp_path / "one.backup", elsewhere)
    ledger = Ledger(elsewhere, 2.0)
    try:
        with ledger.turn() as turn:
            history.folder.fold(turn)
            assert verify(turn).breach is None
            newest = turn.execute(select(func.max(ALERT.c.id))).scalar_one()
            assert get_mark(turn, "searched:alert") == newest
    finally:
        ledger.close()


def test_a_name_may_be_relative(
    history: History,
    location: Location,
    elsewhere: Location,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A backup is written to, and read from, where the command is run."""
    monkeypatch.chdir(tmp_path)
    made = back_up(location, Path("one.backup"))
    assert restore(Path("one.backup"), elsewhere).hash == made.hash
    assert history.clock.now()


def test_a_backup_never_overwrites(
    history: History, location: Location, tmp_path: Path
) -> None:
    """A file that is there already stays as it is."""
    target = tmp_path / "one.backup"
    target.write_text("mine")
    with pytest.raises(StorageFailed, match="is there already"):
        back_up(location, target)
    assert target.read_text() == "mine"
    assert history.clock.now()


def test_a_restore_never_overwrites(
    history: History, location: Location, tmp_path: Path
) -> None:
    """A place that holds anything is left alone."""
    back_up(location, tmp_path / "one.backup")
    before = everything(history.ledger)
    with pytest.raises(StorageFailed, match=r"there already|holds rows"):
        restore(tmp_path / "one.backup", location)
    assert everything(history.ledger) == before


def test_a_damaged_backup_is_refused(
    history: History, location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    """A backup that lost its end is not restored, and leaves nothing."""
    file = tmp_path / "one.backup"
    back_up(location, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StorageFailed):
        restore(file, elsewhere)
    if elsewhere.file is not None:
        assert not elsewhere.file.exists()
    assert history.clock.now()


def test_a_foreign_file_is_refused(
    elsewhere: Location, tmp_path: Path
) -> None:
    """What is no backup of ours says so."""
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8" * 1_000)
    with pytest.raises(StorageFailed):
        restore(tmp_path / "holiday.jpg", elsewhere)
    with pytest.raises(StorageFailed, match="is no file"):
        restore(tmp_path / "nothing", elsewhere)


def test_a_full_disk_leaves_no_half_backup(
    history: History, location: Location, tmp_path: Path
) -> None:
    """A backup that cannot be written leaves no file behind."""
    target = tmp_path / "no such folder" / "one.backup"
    with pytest.raises(StorageFailed):
        back_up(location, target)
    assert not target.parent.exists()
    migrate(location)
    assert history.clock.now()


@pytest.mark.usefixtures("history")
def test_nobody_else_reads_a_backup_even_while_it_is_made(
    location: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is private from its first byte, not only in the end."""
    target = tmp_path / "one.backup"
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    before = os.umask(0)
    try:
        back_up(location, target)
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_broken_log_is_no_backup(
    history: History, location: Location, tmp_path: Path
) -> None:
    """What does not prove itself leaves no file that looks like one."""
    with history.ledger.turn() as turn:
        put_mark(turn, HEAD, 1_000)
    with pytest.raises(StorageFailed, match="of the action log in it"):
        back_up(location, tmp_path / "one.backup")
    assert not list(tmp_path.glob("one.backup*"))
