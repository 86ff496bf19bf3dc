"""An archive of a PostgreSQL is proved by what is in it."""

import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import IO

import psycopg
import pytest

from app.bootstrap import open_inbox
from app.core.errors import StorageFailed
from app.models.entry import Note
from app.store.backup import back_up, restore
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.listings import INCIDENTS, LOG
from app.store.location import Location, locate
from app.store.log import append
from app.store.migrate import migrate
from app.store.reading import Reader, Wish, open_engine
from tests.chaos.load import wait_until
from tests.postgres import Postgres
from tests.service import HOME
from tests.unit.store.history import History

pytestmark = pytest.mark.real
numbers = count(1)
ODD = "a tab\t, a line\n, a return\r, \\N \\n \\\\ \\x41, naïve \N{SNOWMAN}"
Change = Callable[[str, bytes], bytes]
# How a restore is run that is killed.
RESTORE = """
import sys
from pathlib import Path
from app.store.backup import restore
from app.store.location import locate
restore(Path(sys.argv[1]), locate(sys.argv[2], Path()))
"""
WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted"


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


def test_a_restore_that_is_killed_leaves_nothing(
    history: History, location: Location, postgres: Postgres, tmp_path: Path
) -> None:
    """Not even while it makes the index: rows without it are not found."""
    back_up(location, tmp_path / "one.backup")
    url = postgres.make_database(f"archive_{next(numbers)}")
    target = locate(url, tmp_path)
    migrate(target)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE entry_text IN SHARE MODE")
        command = [sys.executable, "-c", RESTORE]
        command += [str(tmp_path / "one.backup"), url]
        with subprocess.Popen(command, cwd=HOME) as killed:
            wait_until(
                lambda: other.execute(WAITS).fetchone() is not None,
                "the restore to come to the index",
            )
            killed.kill()
        assert killed.returncode == -9
    restore(tmp_path / "one.backup", target)
    reader = Reader(open_engine(target, 2.0))
    try:
        told = Wish({"kind": ("incident.opened",), "text": "web"})
        assert len(reader.page(LOG, told).rows) == 5
        assert len(reader.page(INCIDENTS, Wish({"text": "web"})).rows) == 5
    finally:
        reader.close()
    assert history.clock.now()
