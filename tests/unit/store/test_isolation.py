"""A turn sees what the one before it wrote, whatever is usual elsewhere."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.log import append, verify
from app.store.migrate import _open as open_migrating
from app.store.postgres_desk import PostgresDesk
from tests.postgres import Postgres
from tests.schema import make_postgres

pytestmark = pytest.mark.real
PATIENCE = 30.0
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    " AND NOT granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)
NOTE = Note(kind="test.done", actor="rule:test", summary="done")
SHOW = "SHOW transaction_isolation"
LEVELS = ("repeatable read", "serializable")
numbers = count(1)


@pytest.fixture(params=[*LEVELS, "asked for by the URL"])
def place(
    request: pytest.FixtureRequest, postgres: Postgres
) -> Iterator[Location]:
    """Return a database in which another level is usual."""
    name = f"isolation_{next(numbers)}"
    plain = make_postgres(postgres, name)
    if request.param in LEVELS:
        with psycopg.connect(plain.conninfo, autocommit=True) as server:
            server.execute(
                f"ALTER DATABASE {name} SET default_transaction_isolation"
                f" = '{request.param}'".encode()
            )
        yield plain
    else:
        asked = "?options=-c%20default_transaction_isolation%3Dserializable"
        yield locate(plain.conninfo + asked, Path())
    postgres.drop_database(name)


def wait_for_waiting(place: Location) -> None:
    """Return when somebody waits for a turn."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(place.conninfo, autocommit=True) as server:
        while server.execute(WAITING.encode()).fetchone() == (0,):
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.01)


def test_a_turn_goes_on_from_the_one_before(place: Location) -> None:
    """Two nodes write into the log, and the chain has one end."""
    here, there = Ledger(place, PATIENCE), Ledger(place, PATIENCE)

    def write(ledger: Ledger) -> None:
        """Append a line in a turn."""
        with ledger.turn() as connection:
            append(connection, 1, [NOTE])

    try:
        write(here)
        with ThreadPoolExecutor(1) as other:
            with here.turn() as connection:
                waiting = other.submit(write, there)
                wait_for_waiting(place)
                append(connection, 1, [NOTE])
            waiting.result(PATIENCE)
        with here.turn() as connection:
            assert connection.execute(text(SHOW)).scalar() == "read committed"
            found = verify(connection)
        assert (found.entries, found.breach) == (3, None)
    finally:
        here.close()
        there.close()


def test_a_delivery_goes_on_from_the_one_before(place: Location) -> None:
    """Two nodes write at once; neither is refused."""
    here, there = (PostgresDesk(place.conninfo, PATIENCE) for _ in range(2))

    def probe() -> None:
        """Write in a turn."""
        there.begin()
        assert there.probe(2) == 2
        there.commit()

    try:
        here.begin()
        here.probe(1)
        with ThreadPoolExecutor(1) as other:
            waiting = other.submit(probe)
            wait_for_waiting(place)
            here.commit()
            waiting.result(PATIENCE)
    finally:
        here.close()
        there.close()


def test_so_does_who_brings_the_schema_forward(place: Location) -> None:
    """The second node finds that the first has done it."""
    engine = open_migrating(place)
    try:
        with engine.connect() as connection:
            assert connection.execute(text(SHOW)).scalar() == "read committed"
    finally:
        engine.dispose()
