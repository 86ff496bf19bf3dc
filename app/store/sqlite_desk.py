"""The inbox's statements for SQLite, few and large.

Each step of a statement gives the interpreter lock away and takes it back,
which costs more than the step: so rows go in by the dozen, and a batch of
which all is new in one statement that is its own transaction.

Durable means WAL with synchronous=FULL: NORMAL loses acknowledged rows in a
power cut (docs/performance.md).
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from app.core.errors import RowRefused, StorageFailed
from app.store.again import Told
from app.store.checkpoints import Checkpoints
from app.store.columns import ALERT_COLUMNS, DELIVERY_COLUMNS, Row
from app.store.failures import tell
from app.store.plan import END, Identity, Seen, Thread, start_of_identity
from app.store.wal import KEPT

CHUNK = 64
# Rows of both tables in one statement, told by their kind: they go into a
# view of this connection, and its triggers pass them on.
WIDTH = max(len(DELIVERY_COLUMNS), len(ALERT_COLUMNS))
ARRIVAL_COLUMNS = ("kind", *(f"v{i}" for i in range(WIDTH)))
DELIVERY, ALERT = 1, 2
# No trigger wants these: they round a batch up, so that it takes few
# statements to have one for each size.
FILLER: Row = (0,) * len(ARRIVAL_COLUMNS)
STEP = 16
MOST_ROWS = 1_024
ROW_ERRORS = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    OverflowError,
)


def _trigger(kind: int, table: str, columns: tuple[str, ...]) -> str:
    """Return what sends the arrivals of one kind to their table."""
    values = ",".join(f"NEW.v{i}" for i in range(len(columns)))
    return (
        f"CREATE TEMP TRIGGER arrival_{table} INSTEAD OF INSERT ON arrival"
        f" WHEN NEW.kind = {kind} BEGIN"
        f" INSERT INTO {table} ({','.join(columns)}) VALUES ({values}); END"
    )


ARRIVAL = (
    "PRAGMA temp_store = MEMORY",
    "CREATE TEMP VIEW arrival AS SELECT "
    + ",".join(f"0 AS {name}" for name in ARRIVAL_COLUMNS),
    _trigger(DELIVERY, "delivery", DELIVERY_COLUMNS),
    _trigger(ALERT, "alert", ALERT_COLUMNS),
)
T = TypeVar("T")


class SqliteDesk:
    """One connection, used by one thread at a time."""

    has_insert_alone = True

    def __init__(
        self, file: Path, busy_seconds: float, gate: "Lock | None" = None
    ) -> None:
        """Take the file, and how long to wait for another writer.

        Args:
            file: the database.
            busy_seconds: the wait for a writer of another process.
            gate: what the writers of this process pass one by one: SQLite
                itself looks again only after up to a tenth of a second.
        """
        self._gate = gate or Lock()
        self._is_inside = False
        self._file = file
        self._checkpoints = Checkpoints(file)
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._is_suspect = False

    def begin(self) -> None:
        """Start a transaction as the only writer, or raise StorageFailed."""
        self._enter()
        with _translated():
            if self._connection is None:
                self._connection = self._open()
            self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Return once it is on disk, or raise StorageFailed."""
        try:
            self._run("COMMIT")
        except StorageFailed:
            self._is_suspect = True
            raise
        self._checkpoints.settle()
        self._leave()

    def rollback(self) -> None:
        """Undo the transaction; after a failed write the file is opened anew.

        A failed fsync is never repeated on the same file: the pages would
        count as written although they are not. Opening anew copies what the
        write-ahead log holds and syncs it, or fails.
        """
        if self._connection is not None and (
            self._connection.in_transaction or self._is_suspect
        ):
            self.close()
        self._leave()

    def find_alerts(
        self, wanted: Collection[Identity]
    ) -> dict[Identity, Seen]:
        """Return the stored alerts of these identities."""
        found = {}
        for some in _chunks(list(wanted)):
            sql = (
                "SELECT identity, id, delivery_id, status FROM alert"
                f" WHERE identity IN ({_marks(some)})"
            )
            for identity, *seen in self._rows(sql, some):
                found[identity] = Seen(*seen)
        return found

    def find_latest(
        self, wanted: Collection[Thread], before: int
    ) -> dict[Thread, Seen]:
        """Return the newest alert of each fingerprint, by its delivery."""
        found = {}
        for thread in wanted:
            fingerprint, source = thread
            start = start_of_identity(fingerprint)
            rows = self._rows(
                "SELECT id, delivery_id, status FROM alert"
                " WHERE identity BETWEEN ? AND ? AND fingerprint = ?"
                " AND source = ? AND status <> 'updated' AND delivery_id < ?"
                " ORDER BY delivery_id DESC, id DESC LIMIT 1",
                (start, start + END, fingerprint, source, before),
            )
            for row in rows:
                found[thread] = Seen(*row)
        return found

    def find_told(self, delivery_id: int) -> list[Row]:
        """Return the alerts that a delivery spoke of, in order."""
        return self._rows(
            "SELECT fingerprint, source, occurrence, id, delivery_id, status"
            " FROM alert"
            " WHERE id IN (SELECT value FROM json_each("
            "(SELECT alerts FROM delivery WHERE id = ?))) ORDER BY id",
            (delivery_id,),
        )

    def find_times(self, ids: Collection[int]) -> dict[int, Told]:
        """Return when alerts came, and when they say that they ended."""
        found = {}
        for some in _chunks(list(ids)):
            sql = (
                "SELECT id, received_at, last_seen_at, ends_at FROM alert"
                f" WHERE id IN ({_marks(some)})"
            )
            for number, *times in self._rows(sql, some):
                found[number] = Told(*times)
        return found

    def find_keys(self, ids: Collection[int]) -> dict[int, bytes]:
        """Return the hashes of deliveries."""
        found: dict[int, bytes] = {}
        for some in _chunks(list(ids)):
            sql = f"SELECT id, key FROM delivery WHERE id IN ({_marks(some)})"
            found.update(self._rows(sql, some))
        return found

    def find_silent(self, keys: Collection[bytes]) -> dict[bytes, int]:
        """Return the ids of deliveries that brought nothing new."""
        found: dict[bytes, int] = {}
        for some in _chunks(list(keys)):
            sql = (
                "SELECT key, id FROM delivery"
                f" WHERE accepted = 0 AND key IN ({_marks(some)})"
            )
            found.update(self._rows(sql, some))
        return found

    def next_ids(self) -> tuple[int, int]:
        """Return the next free delivery id and alert id."""
        ((delivery, alert),) = self._rows(
            "SELECT (SELECT coalesce(max(id), 0) + 1 FROM delivery),"
            " (SELECT coalesce(max(id), 0) + 1 FROM alert)"
        )
        return delivery, alert

    def insert(self, deliveries: Sequence[Row], alerts: Sequence[Row]) -> None:
        """Add rows in the order of app/store/columns.py."""
        for some in _chunks(deliveries):
            sql = _insert("delivery", DELIVERY_COLUMNS, len(some))
            self._run(sql, _flat(some))
        for some in _chunks(alerts):
            sql = _insert("alert", ALERT_COLUMNS, len(some))
            self._run(sql, _flat(some))

    def insert_alone(
        self, deliveries: Sequence[Row], alerts: Sequence[Row], /
    ) -> bool:
        """Add rows as a transaction of their own, durable on return.

        False when nothing was added: one of them is there already, or they
        are too many for one statement.
        """
        size = len(deliveries) + len(alerts)
        if self._connection is None or size > MOST_ROWS:
            return False
        rows = [
            *((DELIVERY, *row) for row in deliveries),
            *((ALERT, *row) for row in alerts),
            *[FILLER] * (-size % STEP),
        ]
        sql = _insert("arrival", ARRIVAL_COLUMNS, len(rows))
        self._enter()
        try:
            self._run(sql, _flat(rows))
            self._checkpoints.settle()
        except RowRefused:
            return False
        except StorageFailed:
            self._is_suspect = True
            raise
        finally:
            self._leave()
        return True

    def count(self, table: str, seen: Sequence[tuple[int, int]]) -> None:
        """Count repeats of a table's rows: (moment, id) each."""
        for moment, row_id in seen:
            self._run(
                f"UPDATE {table} SET repeats = repeats + 1,"
                " last_seen_at = max(last_seen_at, ?) WHERE id = ?",
                (moment, row_id),
            )

    def probe(self, now: int) -> int:
        """Write a moment, read it back and return it."""
        self._run(
            "INSERT INTO probe (id, written_at) VALUES (1, ?)"
            " ON CONFLICT (id) DO UPDATE SET written_at = ?",
            (now, now),
        )
        ((written_at,),) = self._rows("SELECT written_at FROM probe")
        return int(written_at)

    def find_unparsed(
        self, after: int, limit: int, where: Mapping[str, object]
    ) -> list[Row]:
        """Return id, source, received_at, peer, headers, body."""
        return self._rows(
            "SELECT id, source, received_at, peer, headers, body"
            " FROM delivery WHERE outcome = 'unparsed' AND id > ?"
            " AND (? IS NULL OR source = ?) AND (? IS NULL OR id = ?)"
            " ORDER BY id LIMIT ?",
            (
                after,
                *[where.get("source")] * 2,
                *[where.get("id")] * 2,
                limit,
            ),
        )

    def settle(self, delivery_id: int, values: Mapping[str, Any]) -> None:
        """Update a delivery; ``accepted`` is added to what was."""
        columns = ", ".join(
            f"{name} = {name} + ?" if name == "accepted" else f"{name} = ?"
            for name in values
        )
        sql = f"UPDATE delivery SET {columns} WHERE id = ?"
        self._run(sql, (*values.values(), delivery_id))

    def close(self) -> None:
        """Give back the connection; what is open is rolled back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _enter(self) -> None:
        """Wait for the other writer of this process, or raise."""
        if not self._gate.acquire(timeout=self._busy_seconds):
            raise StorageFailed("SQLite: another writer holds it too long")
        self._is_inside = True

    def _leave(self) -> None:
        """Let the other writer of this process in."""
        if self._is_inside:
            self._is_inside = False
            self._gate.release()

    def _open(self) -> sqlite3.Connection:
        """Return a connection on which a commit means: on the disk."""
        connection = sqlite3.connect(
            f"{self._file.as_uri()}?mode=rw",
            uri=True,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=4 * CHUNK,
        )
        try:
            for statement in ARRIVAL:
                connection.execute(statement)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 1000")
            connection.execute(f"PRAGMA journal_size_limit = {KEPT}")
            # What a broken run left in the log is written out and synced.
            state = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            is_busy, in_log, written = state.fetchone()
            if is_busy and in_log != written and self._is_suspect:
                # A reader holds it up: try again with the next batch.
                raise sqlite3.OperationalError("the log is held by a reader")
            self._is_suspect = False
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Run a statement of the open transaction."""
        with _translated():
            self._open_connection().execute(sql, values)

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a question in the open transaction."""
        with _translated():
            return self._open_connection().execute(sql, values).fetchall()

    def _open_connection(self) -> sqlite3.Connection:
        """Return the connection of the open transaction."""
        if self._connection is None:
            raise StorageFailed("no transaction is open")
        return self._connection


@contextmanager
def _translated() -> Iterator[None]:
    """Turn SQLite's errors into ours, keeping the cause."""
    try:
        yield
    except ROW_ERRORS as error:
        raise RowRefused(f"SQLite: {tell(error)}") from error
    except sqlite3.Error as error:
        raise StorageFailed(f"SQLite: {tell(error)}") from error


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield rows in pieces that one statement takes."""
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def _marks(values: Sequence[Any]) -> str:
    """Return a question mark for each value."""
    return ",".join("?" * len(values))


def _flat(rows: Sequence[Row]) -> list[Any]:
    """Return the values of many rows in one list."""
    return list(chain.from_iterable(rows))


@lru_cache(maxsize=4 * CHUNK)
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    """Return the statement that adds so many rows."""
    row = f"({','.join('?' * len(columns))})"
    values = ",".join([row] * rows)
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {values}"
