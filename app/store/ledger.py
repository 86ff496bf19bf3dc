"""The ledger: the one way to write about incidents and into the log.

A turn is one transaction that no other writer of incidents shares, in any
process: what it appends to the action log is read in the order in which it
was committed, and the chain has one end.

On SQLite whoever writes keeps the inbox waiting. So a turn may begin late:
it reads first, and is the only writer from its first statement that writes.
A mark counts the turns that wrote: when another process had one in between,
what was read is old, and all is to be done again.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from app.core.errors import StorageFailed
from app.store.checkpoints import Checkpoints
from app.store.failures import is_about_rows, tell
from app.store.location import IN_TURNS, Location, watch_network
from app.store.marks import get_mark, put_mark
from app.store.wal import KEPT

__all__ = ["Connection", "Ledger", "Overtaken"]
# The turn of whoever writes about incidents; the inbox has its own.
TURN = 0x4C6F67
# How many turns wrote something, counted where turns may begin late.
TURNS = "turns"


class Overtaken(Exception):
    """Another process wrote while a turn only read; nothing is stored."""


@contextmanager
def part(connection: Connection) -> Iterator[None]:
    """Lend a part of a turn, which is undone alone when it raises.

    Raises:
        StorageFailed: the database did not take it; nothing of the
            whole turn would hold.
    """
    try:
        with connection.begin_nested():
            yield
    except DBAPIError as error:
        if is_about_rows(error.orig) and not error.connection_invalidated:
            raise
        raise StorageFailed(f"cannot write: {tell(error.orig)}") from error


class Ledger:
    """Lends the writing connection, one turn at a time.

    Used by one thread at a time: that of the keeper, or of a command.
    """

    def __init__(
        self,
        location: Location,
        wait_seconds: float,
        gate: "Lock | None" = None,
    ) -> None:
        """Take where the database is; it connects with the first turn.

        Args:
            location: where the database is.
            wait_seconds: the wait for another writer.
            gate: what the writers of this process pass one by one.
        """
        self._gate = gate or Lock()
        self._wait_seconds = wait_seconds
        self._is_file = location.file is not None
        self._checkpoints = location.file and Checkpoints(location.file)
        self._engine = _open_engine(location, wait_seconds)
        self._is_inside = False
        # The turns that had written when a late one began to read.
        self._seen: int | None = None
        if self._is_file:
            event.listen(self._engine, "before_cursor_execute", self._look_at)

    @property
    def is_sqlite(self) -> bool:
        """Tell which of the two databases it is."""
        return self._is_file

    def stamp(self) -> int | None:
        """Return another number than before once somebody else has written.

        None when that cannot be told: then a turn tells.
        """
        if not self._is_file:
            return None
        with suppress(DBAPIError), self._engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA data_version")
            return int(found.scalar_one())
        return None

    @contextmanager
    def turn(self, *, is_late: bool = False) -> Iterator[Connection]:
        """Lend a transaction; it is on disk when the block has ended.

        What the database refuses over the rows themselves is a bug of ours
        and is raised as it is: there is no use in waiting.

        Args:
            is_late: on SQLite, let others write until this turn does. Only
                for what can be done again, and minds no new alert.

        Raises:
            StorageFailed: the database did not take it; nothing of the
                turn is stored.
            Overtaken: a late turn is to be done again.
        """
        try:
            with ExitStack() as stack:
                stack.callback(self._leave)
                connection = stack.enter_context(self._engine.connect())
                if is_late and self._is_file:
                    self._seen = get_mark(connection, TURNS)
                else:
                    self._begin(connection)
                before = _count_changes(connection)
                yield connection
                self._seen = None
                if _count_changes(connection) != before:
                    put_mark(
                        connection, TURNS, get_mark(connection, TURNS) + 1
                    )
                self._commit(connection)
        except DBAPIError as error:
            if is_about_rows(error.orig) and not error.connection_invalidated:
                raise
            raise StorageFailed(f"cannot write: {tell(error.orig)}") from error

    def _look_at(
        self, connection: Connection, _cursor: Any, statement: str, *_: Any
    ) -> None:
        """Begin a late turn with its first statement that writes."""
        seen = self._seen
        if seen is None or statement.startswith("SELECT"):
            return
        self._seen = None
        self._begin(connection)
        if get_mark(connection, TURNS) != seen:
            raise Overtaken

    def _enter(self) -> None:
        """Wait for the other writer of this process, or raise."""
        if not self._gate.acquire(timeout=self._wait_seconds):
            raise StorageFailed("another writer holds it too long")
        self._is_inside = True

    def _leave(self) -> None:
        """Let the other writer of this process pass."""
        self._seen = None
        if self._is_inside:
            self._is_inside = False
            self._gate.release()

    def close(self) -> None:
        """Give back the connection."""
        self._engine.dispose()

    def _begin(self, connection: Connection) -> None:
        """Start a transaction as the only writer."""
        self._enter()
        if self._is_file:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            lock = text("SELECT pg_advisory_xact_lock(:turn)")
            connection.execute(lock, {"turn": TURN})

    def _commit(self, connection: Connection) -> None:
        """Commit; after a failure the connection is not used again.

        A failed fsync is never repeated on the same file: see
        docs/decisions/005.
        """
        try:
            connection.commit()
        except DBAPIError:
            connection.invalidate()
            self._engine.dispose()
            raise
        # Who only read is not the only one who may write now.
        if self._checkpoints and self._is_inside:
            self._checkpoints.settle()


def _count_changes(connection: Connection) -> int:
    """Return how many rows SQLite has changed on a connection."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        return driver.total_changes
    return 0


def _open_engine(location: Location, wait_seconds: float) -> Engine:
    """Return an engine with one connection, on which commit means disk."""
    if location.file is None:
        options: dict[str, Any] = {
            "application_name": "smokejumper-ledger",
            **watch_network(
                wait_seconds,
                location.options,
                f"lock_timeout={int(wait_seconds * 1000)}ms",
                # A node that stands still in a turn keeps all others waiting,
                # and they are to take over what it had within 15 s.
                "idle_in_transaction_session_timeout=8000",
                "synchronous_commit=on",
                IN_TURNS,
            ),
        }
        return create_engine(
            location.url,
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=options,
        )
    uri = f"{location.file.as_uri()}?mode=rw"

    def open_file() -> sqlite3.Connection:
        """Return a connection; a file that is not there is not made."""
        return sqlite3.connect(
            uri,
            uri=True,
            timeout=wait_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )

    engine = create_engine(
        location.url,
        creator=open_file,
        poolclass=StaticPool,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _make_durable)
    return engine


def _make_durable(
    connection: DBAPIConnection, _record: ConnectionPoolEntry
) -> None:
    """Make a commit mean: on the disk."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute(f"PRAGMA journal_size_limit = {KEPT}")
    # What a broken run left in the log is written out and synced, or fails.
    cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    cursor.close()
