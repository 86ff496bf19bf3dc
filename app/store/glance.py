"""Glances: has anybody written since, before anything is asked again.

An idle service asks the same questions every second or two, because other
processes write into the same database. SQLite tells for a twentieth of what
a question costs whether any of them did; when nobody did, the answer is the
one that is there.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from threading import Lock
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

T = TypeVar("T")
# Which connection counted, and how far: another one counts by itself.
Stamp = tuple[int, int]


class Seen(msgspec.Struct, Generic[T], frozen=True):
    """What a question found, and when.

    Attributes:
        found: the answer.
        stamp: of the database just before; None: that was not told.
    """

    found: T
    stamp: Stamp | None = None

    def holds(self, stamp: Stamp | None) -> bool:
        """Tell whether nobody has written until a later stamp."""
        return stamp is not None and stamp == self.stamp

    def before(self, due_at: int | None, now: int) -> "Seen[T] | None":
        """Return it until something is due: then time changes the answer."""
        return self if due_at is None or now < due_at else None


def look_again(
    ask: Callable[[], T], stamp: Stamp | None, last: Seen[T] | None
) -> Seen[T]:
    """Return the last answer while nobody has written, else a new one.

    Args:
        ask: asks the question.
        stamp: of the database before that: what is written while it is
            asked is then seen the next time.
        last: the last answer, None to ask in any case.
    """
    if last is not None and last.holds(stamp):
        return last
    return Seen(ask(), stamp)


class Stamps:
    """Says whether a database was written into; any thread."""

    def __init__(self, engine: Engine) -> None:
        """Take what opens connections; one is opened with the first look."""
        self._engine = engine
        self._lock = Lock()
        # SQLite counts for one connection what all others write.
        self._raw: sqlite3.Connection | None = None
        self._opened = 0

    def read(self) -> Stamp | None:
        """Return another one than before once anybody has written.

        None when that cannot be told: then whoever asks must look, and is
        told by that what is wrong.
        """
        if self._engine.dialect.name != "sqlite":
            return None
        with self._lock, suppress(sqlite3.Error, SQLAlchemyError):
            if self._raw is None:
                self._raw = self._open()
                self._opened += 1
            return self._count(self._raw)
        return None

    def read_at_once(self) -> Stamp | None:
        """Return the same, or None where that would mean to wait.

        It costs a tenth of going to another thread: what is open is looked
        at in memory that SQLite shares, and who is locked out does not wait.
        """
        if not self._lock.acquire(blocking=False):
            return None
        try:
            with suppress(sqlite3.Error):
                return None if self._raw is None else self._count(self._raw)
            return None
        finally:
            self._lock.release()

    def _count(self, raw: sqlite3.Connection) -> Stamp:
        """Return what a connection has counted."""
        with closing(raw.execute("PRAGMA data_version")) as rows:
            return self._opened, int(rows.fetchone()[0])

    def close(self) -> None:
        """Give back the connection."""
        with self._lock:
            if self._raw is not None:
                self._raw.close()
                self._raw = None

    def _open(self) -> sqlite3.Connection:
        """Return a connection of our own, which nobody else waits for."""
        lent = self._engine.raw_connection()
        raw: Any = lent.dbapi_connection
        lent.detach()
        found: sqlite3.Connection = raw
        found.execute("PRAGMA busy_timeout = 0").close()
        return found
