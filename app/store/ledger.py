"""The ledger: the one way to write about incidents and into the log.

A turn is one transaction that no other writer of incidents shares, in any
process: what it appends to the action log is read in the order in which it
was committed, and the chain has one end.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from app.core.errors import StorageFailed
from app.store.failures import is_about_rows, tell
from app.store.location import Location, watch_network

__all__ = ["Connection", "Ledger"]
# The turn of whoever writes about incidents; the inbox has its own.
TURN = 0x4C6F67


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
        self._engine = _open_engine(location, wait_seconds)

    @property
    def is_sqlite(self) -> bool:
        """Tell which of the two databases it is."""
        return self._is_file

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """Lend a transaction; it is on disk when the block has ended.

        What the database refuses over the rows themselves is a bug of ours
        and is raised as it is: there is no use in waiting.

        Raises:
            StorageFailed: the database did not take it; nothing of the
                turn is stored.
        """
        try:
            with self._pass(), self._engine.connect() as connection:
                self._begin(connection)
                yield connection
                self._commit(connection)
        except DBAPIError as error:
            if is_about_rows(error.orig) and not error.connection_invalidated:
                raise
            raise StorageFailed(f"cannot write: {tell(error.orig)}") from error

    @contextmanager
    def _pass(self) -> Iterator[None]:
        """Wait for the other writer of this process, or raise."""
        if not self._gate.acquire(timeout=self._wait_seconds):
            raise StorageFailed("another writer holds it too long")
        try:
            yield
        finally:
            self._gate.release()

    def close(self) -> None:
        """Give back the connection."""
        self._engine.dispose()

    def _begin(self, connection: Connection) -> None:
        """Start a transaction as the only writer."""
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


def _open_engine(location: Location, wait_seconds: float) -> Engine:
    """Return an engine with one connection, on which commit means disk."""
    if location.file is None:
        options: dict[str, Any] = {
            "application_name": "smokejumper-ledger",
            **watch_network(wait_seconds),
            "options": f"-c lock_timeout={int(wait_seconds * 1000)}ms"
            " -c idle_in_transaction_session_timeout=15000"
            " -c synchronous_commit=on",
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
    # What a broken run left in the log is written out and synced, or fails.
    cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    cursor.close()
