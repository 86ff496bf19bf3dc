"""The inbox's statements for PostgreSQL.

Nodes take turns by an advisory lock: a batch lasts a few milliseconds, ids
rise in the order of commits, and two nodes that get the same alert cannot
both call it new.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.core.errors import RowRefused, StorageFailed
from app.store.again import Told
from app.store.columns import ALERT_COLUMNS, DELIVERY_COLUMNS, Row
from app.store.failures import tell
from app.store.location import IN_TURNS, watch_network
from app.store.plan import END, Identity, Seen, Thread, start_of_identity

TURN = 0x536D6F6B65  # "Smoke": the lock that writers of the inbox queue for


class PostgresDesk:
    """One connection, used by one thread at a time."""

    # Nodes take turns, so what is known is looked up in one's own turn.
    has_insert_alone = False

    def __init__(self, conninfo: str, wait_seconds: float) -> None:
        """Take the address, and how long a statement may wait."""
        self._conninfo = conninfo
        self._wait = wait_seconds
        self._connection: psycopg.Connection[Row] | None = None

    def begin(self) -> None:
        """Start a transaction as the only writer, or raise StorageFailed.

        A session that was ended while nobody needed it, as by a restart of
        the server, is replaced: nothing was begun on it.
        """
        kept = self._connection
        try:
            self._take_turn()
        except StorageFailed:
            if kept is None or not kept.closed:
                raise
            self.close()
            self._take_turn()

    def _take_turn(self) -> None:
        """Wait until nobody else writes, or raise StorageFailed."""
        with _translated():
            if self._connection is None:
                self._connection = self._open()
            self._connection.execute(
                "SELECT pg_advisory_xact_lock(%s)", (TURN,)
            )

    def commit(self) -> None:
        """Return once it is on disk, or raise StorageFailed."""
        with _translated():
            self._open_connection().commit()

    def rollback(self) -> None:
        """Undo the transaction; a broken connection is given up."""
        if self._connection is None:
            return
        try:
            self._connection.rollback()
        except psycopg.Error:
            self.close()

    def find_alerts(
        self, wanted: Collection[Identity]
    ) -> dict[Identity, Seen]:
        """Return the stored alerts of these identities."""
        if not wanted:
            return {}
        rows = self._rows(
            "SELECT identity, id, delivery_id, status FROM alert"
            " WHERE identity = ANY(%s)",
            (list(wanted),),
        )
        return {identity: Seen(*seen) for identity, *seen in rows}

    def find_latest(
        self, wanted: Collection[Thread], before: int
    ) -> dict[Thread, Seen]:
        """Return the newest alert of each fingerprint, by its delivery."""
        if not wanted:
            return {}
        rows = self._rows(
            "SELECT DISTINCT ON (f, s) f, s, id, delivery_id, status"
            " FROM unnest(%s::text[], %s::text[], %s::bytea[])"
            " AS wanted (f, s, start)"
            " JOIN alert ON identity BETWEEN start AND start || %s"
            " AND fingerprint = f AND source = s"
            " WHERE status <> 'updated' AND delivery_id < %s"
            " ORDER BY f, s, delivery_id DESC, id DESC",
            (
                [fingerprint for fingerprint, _ in wanted],
                [source for _, source in wanted],
                [start_of_identity(fingerprint) for fingerprint, _ in wanted],
                END,
                before,
            ),
        )
        return {(f, s): Seen(*seen) for f, s, *seen in rows}

    def find_told(self, delivery_id: int) -> list[Row]:
        """Return the alerts that a delivery spoke of, in order."""
        return self._rows(
            "SELECT fingerprint, source, occurrence, id, delivery_id, status"
            " FROM alert"
            " WHERE id IN (SELECT told::bigint FROM json_array_elements_text("
            "(SELECT alerts::json FROM delivery WHERE id = %s)) AS told)"
            " ORDER BY id",
            (delivery_id,),
        )

    def find_times(self, ids: Collection[int]) -> dict[int, Told]:
        """Return when alerts came, and when they say that they ended."""
        rows = self._rows(
            "SELECT id, received_at, last_seen_at, ends_at FROM alert"
            " WHERE id = ANY(%s)",
            (list(ids),),
        )
        return {number: Told(*times) for number, *times in rows}

    def find_keys(self, ids: Collection[int]) -> dict[int, bytes]:
        """Return the hashes of deliveries."""
        if not ids:
            return {}
        statement = "SELECT id, key FROM delivery WHERE id = ANY(%s)"
        return dict(self._rows(statement, (list(ids),)))

    def find_silent(self, keys: Collection[bytes]) -> dict[bytes, int]:
        """Return the ids of deliveries that brought nothing new."""
        if not keys:
            return {}
        rows = self._rows(
            "SELECT key, id FROM delivery"
            " WHERE accepted = 0 AND key = ANY(%s)",
            (list(keys),),
        )
        return dict(rows)

    def next_ids(self) -> tuple[int, int]:
        """Return the next free delivery id and alert id."""
        ((delivery, alert),) = self._rows(
            "SELECT (SELECT coalesce(max(id), 0) + 1 FROM delivery),"
            " (SELECT coalesce(max(id), 0) + 1 FROM alert)"
        )
        return delivery, alert

    def insert(self, deliveries: Sequence[Row], alerts: Sequence[Row]) -> None:
        """Add rows in the order of app/store/columns.py."""
        self._copy("delivery", DELIVERY_COLUMNS, deliveries)
        self._copy("alert", ALERT_COLUMNS, alerts)

    def insert_alone(self, *_rows: Sequence[Row]) -> bool:
        """Add nothing: there is no such way."""
        return False

    def count(self, table: str, seen: Sequence[tuple[int, int]]) -> None:
        """Count repeats of a table's rows: (moment, id) each."""
        if not seen:
            return
        statement = sql.SQL(
            "UPDATE {} SET repeats = repeats + 1,"
            " last_seen_at = greatest(last_seen_at, %s) WHERE id = %s"
        ).format(sql.Identifier(table))
        with _translated():
            cursor = self._open_connection().cursor()
            cursor.executemany(statement, seen)

    def probe(self, now: int) -> int:
        """Write a moment, read it back and return it."""
        rows = self._rows(
            "INSERT INTO probe (id, written_at) VALUES (1, %s)"
            " ON CONFLICT (id) DO UPDATE SET written_at = %s"
            " RETURNING written_at",
            (now, now),
        )
        return int(rows[0][0])

    def find_unparsed(
        self, after: int, limit: int, where: Mapping[str, object]
    ) -> list[Row]:
        """Return id, source, received_at, peer, headers, body."""
        return self._rows(
            "SELECT id, source, received_at, peer, headers, body"
            " FROM delivery WHERE outcome = 'unparsed' AND id > %s"
            " AND (%s::text IS NULL OR source = %s)"
            " AND (%s::bigint IS NULL OR id = %s)"
            " ORDER BY id LIMIT %s",
            (
                after,
                *[where.get("source")] * 2,
                *[where.get("id")] * 2,
                limit,
            ),
        )

    def settle(self, delivery_id: int, values: Mapping[str, Any]) -> None:
        """Update a delivery; ``accepted`` is added to what was."""
        columns = sql.SQL(", ").join(
            sql.SQL(
                "{0} = {0} + %s" if name == "accepted" else "{0} = %s"
            ).format(sql.Identifier(name))
            for name in values
        )
        statement = sql.SQL("UPDATE delivery SET {} WHERE id = %s").format(
            columns
        )
        with _translated():
            self._open_connection().execute(
                statement, (*values.values(), delivery_id)
            )

    def close(self) -> None:
        """Give back the connection; what is open is rolled back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> psycopg.Connection[Row]:
        """Return a connection on which a commit means: on the disk."""
        wait = f"{int(self._wait * 1000)}ms"
        connection = psycopg.connect(
            self._conninfo,
            application_name="smokejumper-inbox",
            **watch_network(
                self._wait,
                str(conninfo_to_dict(self._conninfo).get("options") or ""),
                f"lock_timeout={wait}",
                f"statement_timeout={wait}",
                f"idle_in_transaction_session_timeout={wait}",
                "synchronous_commit=on",
                IN_TURNS,
            ),
        )
        try:
            _refuse_unsafe(connection)
        except StorageFailed:
            connection.close()
            raise
        return connection

    def _copy(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Row]
    ) -> None:
        """Add rows by COPY, the fastest way in."""
        if not rows:
            return
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
        )
        with (
            _translated(),
            self._open_connection().cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def _rows(
        self, statement: LiteralString, values: Sequence[Any] = ()
    ) -> list[Row]:
        """Return the rows of a question in the open transaction."""
        with _translated():
            cursor = self._open_connection().execute(statement, values)
            return cursor.fetchall()

    def _open_connection(self) -> psycopg.Connection[Row]:
        """Return the connection of the open transaction."""
        if self._connection is None:
            raise StorageFailed("no transaction is open")
        return self._connection


@contextmanager
def _translated() -> Iterator[None]:
    """Turn PostgreSQL's errors into ours, keeping the cause."""
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise RowRefused(f"PostgreSQL: {tell(error)}") from error
    except psycopg.Error as error:
        raise StorageFailed(f"PostgreSQL: {tell(error)}") from error


def _refuse_unsafe(connection: psycopg.Connection[Row]) -> None:
    """Raise when the server would acknowledge what is not on its disk."""
    row = connection.execute("SHOW fsync").fetchone()
    connection.rollback()
    if row != ("on",):
        raise StorageFailed("PostgreSQL runs with fsync=off; turn it on")
