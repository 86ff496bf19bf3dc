"""Checkpoints of SQLite: what was copied is on the disk, or copied again.

A checkpoint copies pages out of the write-ahead log into the database. One
that does not reach the end of the log, since somebody still reads what is
older, does so without a sync, and SQLite notes these pages as done. When the
sync of a later checkpoint failed, the kernel might drop them all, and SQLite
would copy only the newer ones again: once the log began anew, the others
would be lost for good (docs/decisions/005).

So the one who writes settles each such checkpoint before the next one can
come: the database is synced, and where that fails the note is taken back, so
that the next checkpoint copies the whole log again. The log itself was synced
with each commit. How far SQLite came stands in the index of the log, a file
whose form is part of SQLite's documentation.
"""

import os
import struct
from pathlib import Path

from app.core.log import get_log

# The version of the index; how many frames the log has; the salt, by which
# one round of the log differs from the next; how many of them were copied.
INDEX = struct.Struct("=I12xI12x8s56xI")
COPIED_AT = INDEX.size - 4
VERSION = 3_007_000
OURS = Path("/proc/self/fd")
log = get_log("store")
# What was opened to take a note back is never closed again: to close a file
# would give back the locks that SQLite holds on it in this process.
_kept: dict[tuple[int, int], int] = {}


class Checkpoints:
    """Settles the checkpoints of one database; used by who writes to it."""

    def __init__(self, file: Path) -> None:
        """Take the database; nothing is opened."""
        self._database = _Borrowed(file)
        self._path = file.with_name(f"{file.name}-shm")
        self._index = _Borrowed(self._path)
        self._settled: tuple[bytes, int] | None = None

    def settle(self) -> None:
        """Sync what was copied in part; no other writer may be at work."""
        found = self._look()
        if found is None:
            return
        frames, salt, copied = found
        if (salt, copied) == self._settled:
            return
        # A checkpoint that came to the end has been synced by SQLite.
        if 0 < copied < frames and not self._sync():
            _forget(self._path)
            copied = 0
        self._settled = salt, copied

    def _look(self) -> tuple[int, bytes, int] | None:
        """Return frames, salt and how many were copied, where that is told."""
        index = self._index.find()
        try:
            raw = b"" if index is None else os.pread(index, INDEX.size, 0)
        except OSError:
            return None
        if len(raw) < INDEX.size:
            return None
        version, frames, salt, copied = INDEX.unpack(raw)
        return (frames, salt, copied) if version == VERSION else None

    def _sync(self) -> bool:
        """Sync the database; tell whether that worked."""
        file = self._database.find()
        if file is None:
            return False
        try:
            os.fsync(file)
        except OSError as error:
            log.error(
                "checkpoint.not_synced",
                error=str(error),
                remedy="look at the disk; all of it is copied again",
            )
            return False
        return True


class _Borrowed:
    """A file that SQLite has open in this process, to be used, not closed."""

    def __init__(self, path: Path) -> None:
        """Take which file it is."""
        self._path = path
        self._fd = -1
        self._is: tuple[int, int] | None = None

    def find(self) -> int | None:
        """Return its number, None when it is not open or cannot be found."""
        if self._is is None or _identity(self._fd) != self._is:
            self._fd, self._is = self._search()
        return None if self._is is None else self._fd

    def _search(self) -> tuple[int, tuple[int, int] | None]:
        """Look through all that this process has open."""
        try:
            state = self._path.stat()
            numbers = [int(one.name) for one in OURS.iterdir()]
        except OSError:
            # Not Linux, or the file is not there: nothing can be said.
            return -1, None
        wanted = state.st_dev, state.st_ino
        found = (one for one in numbers if _identity(one) == wanted)
        number = next(found, -1)
        return number, wanted if number >= 0 else None


def _identity(number: int) -> tuple[int, int] | None:
    """Return which file an open one is, None when it is open no more."""
    try:
        state = os.fstat(number)
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _forget(index: Path) -> None:
    """Let SQLite copy the whole log again; less than was done is no harm."""
    try:
        state = index.stat()
        name = state.st_dev, state.st_ino
        if name not in _kept:
            _kept[name] = os.open(index, os.O_RDWR | os.O_CLOEXEC)
        os.pwrite(_kept[name], bytes(4), COPIED_AT)
    except OSError as error:
        # It must not look like a commit that failed: that one is on disk.
        log.error(
            "checkpoint.not_forgotten",
            error=str(error),
            remedy="end the service by kill -9 and start it again: SQLite"
            " then copies the whole log",
        )
