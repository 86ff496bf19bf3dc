"""An archive of a PostgreSQL is proved by what is in it."""

import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import IO

import pytest

from app.bootstrap import open_inbox
from app.core.errors import StorageFailed
from app.models.entry import Note
from app.store.backup import back_up, restore
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.log import append
from app.store.migrate import migrate
from tests.postgres import Postgres
from tests.unit.store.history import History

pytestmark = pytest.mark.real
numbers = count(1)
ODD = "a tab\t, a line\n, a return\r, \\N \\n \\\\ \\x41, naïve \N{SNOWMAN}"
Change = Callable[[str, bytes], bytes]


@pytest.fixture
def location(postgres: Postgres, tmp_path: Path) -> Location:
    """Return an empty database on a server."""
    return locate(postgres.make_database(f"archive_{next(numbers)}"), tmp_path)


@pytest.fixture
def history(location: Location) -> Iterator[History]:
    """Return a database with some history in it."""
    migrate(location)
    inbox = open_inbox(location, 2.0)
    assert isinstance(inbox, SqlInbox)
    ledger = Ledger(location, 2.0)
    made = History(inbox, ledger)
    made.fill(5)
    yield made
    ledger.close()
    inbox.close()


def interfere(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Let something happen to each table on its way to the disk."""
    add = tarfile.TarFile.addfile

    def addfile(
        archive: tarfile.TarFile, member: tarfile.TarInfo, source: IO[bytes]
    ) -> None:
        """Add what the change makes of it."""
        content = change(member.name, source.read())
        member.size = len(content)
        add(archive, member, BytesIO(content))

    monkeypatch.setattr(tarfile.TarFile, "addfile", addfile)


def test_a_backup_tells_of_itself_not_of_what_came_later(
    history: History,
    location: Location,
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hash it prints is that of its own last entry."""

    def write_more(name: str, content: bytes) -> bytes:
        """Let more happen while the log is copied."""
        if name == "entry":
            history.clock.advance(60)
            history.fill(1)
        return content

    interfere(monkeypatch, write_more)
    made = back_up(location, tmp_path / "one.backup")
    url = postgres.make_database(f"archive_{next(numbers)}")
    back = restore(tmp_path / "one.backup", locate(url, tmp_path))
    assert (made.last, made.hash) == (back.last, back.hash)
    assert made.entries == back.entries


@pytest.mark.parametrize("table", ["alert", "entry"])
def test_a_copy_that_is_not_what_was_read_is_no_backup(
    history: History,
    location: Location,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
) -> None:
    """What went wrong on the way to the disk is noticed at once."""

    def spoil(name: str, content: bytes) -> bytes:
        """Lose rows of one table, or change a word of the log."""
        if name != table:
            return content
        if name == "alert":
            return content[: content.index(b"\n") + 1]
        return content.replace(b"opened", b"closed", 1)

    interfere(monkeypatch, spoil)
    what = {"alert": "1 of 10 rows", "entry": "entry 1 of"}[table]
    with pytest.raises(StorageFailed, match=what):
        back_up(location, tmp_path / "one.backup")
    assert not list(tmp_path.iterdir())
    assert history.clock.now()


def test_odd_texts_are_read_back_as_they_were(
    history: History, location: Location, tmp_path: Path
) -> None:
    """Texts that COPY must escape keep the chain whole."""
    note = Note(kind="note.added", actor="person:ana", summary=ODD)
    with history.ledger.turn() as turn:
        (entry,) = append(turn, history.clock.now(), [note])
    made = back_up(location, tmp_path / "one.backup")
    assert (made.last, made.hash) == (entry.id, entry.hash.hex())


def test_a_missing_table_is_named(
    history: History, location: Location, postgres: Postgres, tmp_path: Path
) -> None:
    """An archive that lost a table says which, and brings nothing in."""
    back_up(location, tmp_path / "one.backup")
    with (
        tarfile.open(tmp_path / "one.backup") as whole,
        tarfile.open(tmp_path / "less.backup", "w:gz") as less,
    ):
        for member in whole:
            if member.name != "strand":
                less.addfile(member, whole.extractfile(member))
    url = postgres.make_database(f"archive_{next(numbers)}")
    with pytest.raises(StorageFailed, match="no table 'strand'"):
        restore(tmp_path / "less.backup", locate(url, tmp_path))
    restore(tmp_path / "one.backup", locate(url, tmp_path))
    assert history.clock.now()
