"""What a checkpoint copied is on the disk, or copied again."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.store import checkpoints
from app.store.checkpoints import Checkpoints

ROWS = 300


class Pair:
    """A writer, and a reader that holds a checkpoint up."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.writer = sqlite3.connect(file, isolation_level=None)
        self.writer.execute("PRAGMA journal_mode = WAL")
        self.writer.execute("PRAGMA synchronous = FULL")
        self.writer.execute("PRAGMA wal_autocheckpoint = 0")
        self.writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)")
        self.copy()
        self.reader = sqlite3.connect(file, isolation_level=None)

    def write(self) -> None:
        """Write rows that take pages of their own."""
        self.writer.execute("BEGIN IMMEDIATE")
        rows = [(os.urandom(3_000),) for _ in range(ROWS)]
        self.writer.executemany("INSERT INTO t (b) VALUES (?)", rows)
        self.writer.execute("COMMIT")

    def hold(self) -> None:
        """Begin to read what is there now."""
        self.reader.execute("BEGIN")
        self.reader.execute("SELECT count(*) FROM t").fetchone()

    def copy(self) -> tuple[int, int]:
        """Copy what can be; return how much there was, and was done."""
        asked = self.writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        _, frames, copied = asked.fetchone()
        return frames, copied

    def in_file(self, folder: Path) -> int:
        """Return how many rows the database has without its log."""
        bare = folder / "bare.db"
        bare.write_bytes(self.file.read_bytes())
        with closing(sqlite3.connect(bare)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == (
                "ok",
            )
            (count,) = database.execute("SELECT count(*) FROM t").fetchone()
        return int(count)

    def close(self) -> None:
        """Close both."""
        self.reader.close()
        self.writer.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Return a pair on a new database."""
    made = Pair(tmp_path / "a.db")
    yield made
    made.close()


def copy_in_part(pair: Pair) -> bytes:
    """Copy some pages of the log; return the database from before."""
    pair.write()
    pair.hold()
    pair.write()
    before = pair.file.read_bytes()
    frames, copied = pair.copy()
    assert 0 < copied < frames
    return before


def count_syncs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return where the files that are synced from now on are noted."""
    noted: list[Path] = []
    sync = os.fsync

    def note(number: int) -> None:
        """Note it, and do it."""
        noted.append(Path(f"/proc/self/fd/{number}").readlink())
        sync(number)

    monkeypatch.setattr("os.fsync", note)
    return noted


def test_what_was_copied_in_part_is_synced_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database itself; what came to the end was synced by SQLite."""
    noted = count_syncs(monkeypatch)
    settling = Checkpoints(pair.file)
    settling.settle()
    assert noted == []
    copy_in_part(pair)
    settling.settle()
    settling.settle()
    assert noted == [pair.file]
    pair.reader.execute("COMMIT")
    frames, copied = pair.copy()
    assert frames == copied
    settling.settle()
    assert noted == [pair.file]


def test_in_the_next_round_of_the_log_it_is_synced_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many pages of another round are other pages."""
    noted = count_syncs(monkeypatch)
    settling = Checkpoints(pair.file)
    for rounds in (1, 2, 3):
        copy_in_part(pair)
        settling.settle()
        assert len(noted) == rounds
        pair.reader.execute("COMMIT")
        pair.copy()


@pytest.mark.parametrize("settles", [True, False])
def test_what_a_failed_sync_dropped_is_copied_again(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settles: bool
) -> None:
    """Without settling it is lost: this is what the kernel may do."""

    def fail(number: int) -> None:
        """Say what a broken disk says."""
        raise OSError(5, f"Input/output error of {number}")

    before = copy_in_part(pair)
    monkeypatch.setattr("os.fsync", fail)
    if settles:
        Checkpoints(pair.file).settle()
    # What was not synced is as if it had never been written.
    with pair.file.open("r+b") as file:
        file.write(before)
        file.truncate(len(before))
    pair.reader.execute("COMMIT")
    frames, copied = pair.copy()
    assert frames == copied
    if settles:
        assert pair.in_file(tmp_path) == 2 * ROWS
    else:
        with pytest.raises((sqlite3.DatabaseError, AssertionError)):
            assert pair.in_file(tmp_path) == 2 * ROWS


def test_without_a_file_nothing_is_done(tmp_path: Path) -> None:
    """Nothing is made, nothing fails."""
    Checkpoints(tmp_path / "none.db").settle()
    assert list(tmp_path.iterdir()) == []


def test_an_index_of_another_form_is_left_alone(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read is not judged, nor changed."""
    noted = count_syncs(monkeypatch)
    monkeypatch.setattr(checkpoints, "VERSION", 4_000_000)
    copy_in_part(pair)
    Checkpoints(pair.file).settle()
    assert noted == []
