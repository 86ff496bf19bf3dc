"""Questions to the store: pages by id, newest first, never by offset."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.errors import StorageFailed, TooBusy
from app.store.aside import ask_aside
from app.store.dossier import Dossier, find_dossier
from app.store.failures import is_of_postgres, tell
from app.store.filters import read_filters
from app.store.glance import Seen, Stamps, look_again
from app.store.listings import (
    ALERTS,
    DELIVERIES,
    DELIVERY,
    INCIDENTS,
    Listing,
)
from app.store.location import Location, watch_network
from app.store.missions import with_missions
from app.store.pages import (
    Facts,
    Turn,
    count_rows,
    find_page,
    look_up,
)
from app.store.tally import Tally, estimate
from app.store.teams import Teams, may_see
from app.store.tracing import trace

__all__ = ["Engine", "Found", "Reader", "Wish", "open_engine"]
READERS = 4
# SQLite asks so often whether a question has taken too long.
STEPS = 10_000
# What PostgreSQL calls a question that it has ended.
CANCELLED = "57014"
Values = Mapping[str, Any]
T = TypeVar("T")


class Wish(msgspec.Struct, frozen=True):
    """What somebody wants to read of a list.

    Attributes:
        where: filters by name; see app/store/filters.py.
        before: only ids below this one, or None.
        after: only ids above this one, or None.
        limit: how many rows.
        count: none, estimated or exact.
        teams: whose rows only; none: everybody's.
    """

    where: Values = {}
    before: int | None = None
    after: int | None = None
    limit: int = 50
    count: str = "none"
    teams: Teams = ()


class Found(msgspec.Struct, frozen=True):
    """A page, as the store was at one moment.

    Attributes:
        rows: newest first.
        has_more: whether there are further ones the same way.
        seq: the last entry of the log at that moment, 0 before the first.
        count: how many rows there are in all, or None.
    """

    rows: Sequence[Any]
    has_more: bool
    seq: int
    count: Tally | None


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
    # What one answer says is of one moment.
    options["isolation_level"] = "REPEATABLE READ"
    options["connect_args"] = {
        "application_name": "smokejumper-reader",
        **watch_network(
            wait_seconds,
            location.options,
            f"statement_timeout={wait}",
            # Compiling a question takes longer than any of ours.
            "jit=off",
            # In one process: what comes first is first.
            "max_parallel_workers_per_gather=0",
            "default_transaction_read_only=on",
        ),
    }
    return create_engine(location.url, **options)


def _open_file(file: Path, wait_seconds: float) -> sqlite3.Connection:
    """Return a connection to a file that is there; reading makes none."""
    return sqlite3.connect(
        f"{file.as_uri()}?mode=rw",
        uri=True,
        timeout=wait_seconds,
        check_same_thread=False,
        isolation_level=None,
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

    def __init__(self, engine: Engine, most_seconds: float = 5.0) -> None:
        """Take an engine that can only read, and how long a page may take."""
        self._engine = engine
        self._most_seconds = most_seconds
        self._stamps = Stamps(engine)

    def open(self) -> None:
        """Hold one connection, which keeps SQLite's shared index in place.

        On a full disk it could not be made any more, and nothing be read.
        """
        with self.snapshot() as connection:
            connection.execute(select(DELIVERY.c.id).limit(1)).first()

    def page(self, listing: Listing, wish: Wish) -> Found:
        """Return a page of a list."""
        with self.snapshot() as connection:
            filters = read_filters(connection, listing, wish.where, wish.teams)
            turn = Turn(wish.before, wish.after, wish.limit + 1)
            facts = look_up(connection, filters)
            rows = find_page(connection, filters, turn, facts)
            has_more = len(rows) > wish.limit
            rows = rows[: wish.limit]
            if turn.is_up:
                rows.reverse()
            if listing is ALERTS:
                rows = trace(connection, rows)
            elif listing is INCIDENTS:
                rows = with_missions(connection, rows)
            if wish.count == "exact":
                number = count_rows(connection, filters, facts)
                return Found(rows, has_more, facts.seq, Tally(number, "exact"))
            tally = _estimate(wish, facts, rows, has_more=has_more)
            return Found(rows, has_more, facts.seq, tally)

    def deliveries(
        self, where: Values, before: int | None, limit: int
    ) -> Sequence[Any]:
        """Return a page of deliveries without their bodies, newest first."""
        return self.page(DELIVERIES, Wish(where, before, limit=limit)).rows

    def alerts(
        self, where: Values, before: int | None, limit: int
    ) -> Sequence[Any]:
        """Return a page of alerts, newest first."""
        return self.page(ALERTS, Wish(where, before, limit=limit)).rows

    def ask(self, question: Callable[[Connection], T]) -> T:
        """Ask a question of one's own about one moment."""
        with self.snapshot() as connection:
            return question(connection)

    def glance(
        self, question: Callable[[Connection], T], last: Seen[T] | None
    ) -> Seen[T]:
        """Ask a question again; return the last answer while it holds.

        Args:
            question: what only writing can give another answer to.
            last: what it found the last time, None to ask in any case.
        """
        ask = partial(self.ask, question)
        return look_again(ask, self._stamps.read(), last)

    def still_holds(self, last: Seen[T]) -> bool:
        """Tell whether nobody has written since; without waiting.

        False when that cannot be told at once: then a glance tells.
        """
        return last.holds(self._stamps.read_at_once())

    async def glimpse(
        self, question: Callable[[Connection], T], last: Seen[T] | None
    ) -> Seen[T]:
        """Do the same from an event loop, on a thread when it is asked."""
        if last is not None and self.still_holds(last):
            return last
        return await ask_aside(self.glance, question, last)

    def find(self, listing: Listing, row_id: int, teams: Teams = ()) -> Any:
        """Return one row of a list, None when it is not there or not seen."""
        query = select(listing.rows).where(listing.rows.c.id == row_id)
        if teams:
            query = query.where(may_see(listing, teams))
        with self.snapshot() as connection:
            return connection.execute(query).one_or_none()

    def find_delivery(self, delivery_id: int) -> Any:
        """Return a delivery with its body, or None."""
        return self.find(DELIVERIES, delivery_id)

    def find_alert(self, alert_id: int) -> Any:
        """Return an alert with its incident, or None."""
        query = select(ALERTS.rows).where(ALERTS.rows.c.id == alert_id)
        with self.snapshot() as connection:
            rows = connection.execute(query).all()
            return next(iter(trace(connection, rows)), None)

    def find_incident(
        self, incident_id: int, within: int, teams: Teams = ()
    ) -> Dossier | None:
        """Return an incident with all that belongs to it, or None.

        Args:
            incident_id: which one.
            within: how far apart siblings may begin, in microseconds.
            teams: who asks; none: they see all.
        """
        with self.snapshot() as connection:
            return find_dossier(connection, incident_id, within, teams)

    def close(self) -> None:
        """Give back the connections."""
        self._stamps.close()
        self._engine.dispose()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Lend a connection that sees the store as it is at one moment.

        Raises:
            StorageFailed: the database cannot be read.
            TooBusy: the question took too long.
        """
        try:
            with (
                self._engine.connect() as connection,
                _bounded(connection, self._most_seconds),
            ):
                yield connection
        except NoneFree as error:
            what = "cannot read: no connection became free in time"
            raise StorageFailed(what) from error
        except DBAPIError as error:
            if _took_too_long(error.orig):
                raise _too_slow() from error
            raise StorageFailed(f"cannot read: {tell(error.orig)}") from error


@contextmanager
def _bounded(connection: Connection, most_seconds: float) -> Iterator[None]:
    """Begin a snapshot on SQLite, and end what takes too long there.

    PostgreSQL does both by itself.
    """
    raw: Any = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    deadline = time.monotonic() + most_seconds
    connection.exec_driver_sql("BEGIN")
    raw.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


def _took_too_long(error: BaseException | None) -> bool:
    """Tell whether a database ended a question because of the time."""
    if isinstance(error, sqlite3.OperationalError):
        return str(error) == "interrupted"
    return is_of_postgres(error) and error.sqlstate == CANCELLED


def _too_slow() -> TooBusy:
    """Return the refusal of a question that took too long."""
    return TooBusy(
        "too_slow",
        "The database did not find it in time.",
        remedy="Narrow the filter: a range of time, a longer word, a target;"
        " and do without count=exact.",
    )


def _estimate(
    wish: Wish, facts: Facts, rows: Sequence[Any], *, has_more: bool
) -> Tally | None:
    """Return how many rows there are, as far as somebody wants to know."""
    if wish.count == "none":
        return None
    if not has_more and wish.before is None and wish.after is None:
        return Tally(len(rows), "exact")
    ids = [row.id for row in rows]
    return estimate(ids, (facts.first, facts.last), has_more=has_more)
