"""Questions to the store: pages by id, newest first, never by offset."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Engine,
    LargeBinary,
    and_,
    cast,
    create_engine,
    event,
    exists,
    func,
    or_,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.orm import aliased, defer
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session, col, select

from app.core.errors import StorageFailed
from app.models.tables import AlertRow, DeliveryRow
from app.store.failures import tell
from app.store.location import Location, watch_network
from app.store.plan import END, HALF, start_of_identity

READERS = 4
Values = Mapping[str, Any]


def open_engine(location: Location, wait_seconds: float) -> Engine:
    """Return an engine whose connections can only read."""
    options: dict[str, Any] = {"pool_size": READERS, "max_overflow": 0}
    options["pool_timeout"] = wait_seconds
    file = location.file
    if file is not None:
        options["creator"] = lambda: _open_file(file, wait_seconds)
        engine = create_engine(location.url, **options)
        event.listen(engine, "connect", _read_only)
        return engine
    wait = f"{int(wait_seconds * 1000)}ms"
    options["pool_pre_ping"] = True
    options["connect_args"] = {
        "application_name": "smokejumper-reader",
        **watch_network(wait_seconds),
        "options": f"-c statement_timeout={wait}"
        " -c default_transaction_read_only=on",
    }
    return create_engine(location.url, **options)


def _open_file(file: Path, wait_seconds: float) -> sqlite3.Connection:
    """Return a connection to a file that is there; reading makes none."""
    return sqlite3.connect(
        f"{file.as_uri()}?mode=rw",
        uri=True,
        timeout=wait_seconds,
        check_same_thread=False,
    )


def _read_only(
    connection: DBAPIConnection, _record: ConnectionPoolEntry
) -> None:
    """Make a SQLite connection refuse to write."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


class Reader:
    """Answers the questions of the API and the command line."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine that can only read."""
        self._engine = engine

    def open(self) -> None:
        """Hold one connection, which keeps SQLite's shared index in place.

        On a full disk it could not be made any more, and nothing be read.
        """
        with self._session() as session:
            session.exec(select(DeliveryRow.id).limit(1)).first()

    def deliveries(
        self, where: Values, before: int | None, limit: int
    ) -> Sequence[DeliveryRow]:
        """Return a page of deliveries without their bodies, newest first."""
        query = select(DeliveryRow).options(
            defer(DeliveryRow.body, raiseload=True)  # type: ignore[arg-type]
        )
        return self._page(DeliveryRow, query, where, (before, limit))

    def alerts(
        self, where: Values, before: int | None, limit: int
    ) -> Sequence[AlertRow]:
        """Return a page of alerts, newest first."""
        query = select(AlertRow)
        filters = dict(where)
        delivery_id = filters.pop("delivery_id", None)
        if delivery_id is not None:
            row = self.find_delivery(delivery_id)
            ids = msgspec.json.decode(row.alerts) if row else []
            query = query.where(col(AlertRow.id).in_(ids))
        return self._page(AlertRow, query, filters, (before, limit))

    def firing(
        self, where: Values, before: int | None, limit: int
    ) -> Sequence[AlertRow]:
        """Return a page of the alerts that are the last word and firing."""
        later = aliased(AlertRow)
        start = func.substr(col(AlertRow.identity), 1, HALF)
        answered = exists().where(
            # Found by the index: equal fingerprints begin alike.
            col(later.identity).between(start, _end_of(start)),
            col(later.fingerprint) == col(AlertRow.fingerprint),
            col(later.source) == col(AlertRow.source),
            col(later.status) != "updated",
            # By arrival: a replayed alert has a new id, but is an old word.
            or_(
                col(later.received_at) > col(AlertRow.received_at),
                and_(
                    col(later.received_at) == col(AlertRow.received_at),
                    col(later.id) > col(AlertRow.id),
                ),
            ),
        )
        query = select(AlertRow).where(
            col(AlertRow.status) == "firing", ~answered
        )
        return self._page(AlertRow, query, where, (before, limit))

    def find_delivery(self, delivery_id: int) -> DeliveryRow | None:
        """Return a delivery with its body, or None."""
        row: DeliveryRow | None = self._find(DeliveryRow, delivery_id)
        return row

    def find_alert(self, alert_id: int) -> AlertRow | None:
        """Return an alert, or None."""
        row: AlertRow | None = self._find(AlertRow, alert_id)
        return row

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def _find(self, table: Any, row_id: int) -> Any:
        """Return one row of a table, or None."""
        with self._session() as session:
            return session.get(table, row_id)

    def _page(
        self, table: Any, query: Any, where: Values, page: tuple[Any, int]
    ) -> Sequence[Any]:
        """Return the rows that match, below an id, newest first."""
        before, limit = page
        for name, value in where.items():
            query = query.where(_condition(table, name, value))
        if before is not None:
            query = query.where(col(table.id) < before)
        query = query.order_by(col(table.id).desc()).limit(limit)
        with self._session() as session:
            return session.exec(query).all()  # type: ignore[no-any-return]

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Lend a session; what the database says against it is ours."""
        try:
            with Session(self._engine) as session:
                yield session
        except NoneFree as error:
            what = "cannot read: no connection became free in time"
            raise StorageFailed(what) from error
        except DBAPIError as error:
            raise StorageFailed(f"cannot read: {tell(error.orig)}") from error


def _condition(table: Any, name: str, value: Any) -> Any:
    """Return one filter; ``since`` and ``until`` are about arrival."""
    if name == "since":
        return table.received_at >= value
    if name == "until":
        return table.received_at < value
    if name == "fingerprint":
        start = start_of_identity(value)
        alike = table.identity.between(start, start + END)
        return and_(alike, table.fingerprint == value)
    return getattr(table, name) == value


def _end_of(start: ColumnElement[bytes]) -> ColumnElement[bytes]:
    """Return the end of the range of identities that begin alike.

    SQLite joins bytes to a text; the cast makes them bytes again.
    """
    return cast(start.op("||")(END), LargeBinary)
