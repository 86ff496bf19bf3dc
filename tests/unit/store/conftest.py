"""Both databases, made new for each test."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from app.bootstrap import open_inbox
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.reading import Reader, open_engine
from tests.postgres import Postgres
from tests.schema import make_postgres, make_sqlite

numbers = count(1)


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)]
)
def location(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Location]:
    """Return an empty database of each kind, brought to the schema."""
    if request.param == "sqlite":
        yield make_sqlite(tmp_path / "inbox.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"inbox_{next(numbers)}"
    yield make_postgres(server, name)
    server.drop_database(name)


@pytest.fixture
def inbox(location: Location) -> Iterator[SqlInbox]:
    """Return the inbox of a database."""
    made = open_inbox(location, 2.0)
    assert isinstance(made, SqlInbox)
    yield made
    made.close()


@pytest.fixture
def reader(location: Location) -> Iterator[Reader]:
    """Return the reading side of the same database."""
    made = Reader(open_engine(location, 2.0))
    yield made
    made.close()


@pytest.fixture
def connection(location: Location) -> Iterator[Connection]:
    """Lend a turn on an empty database."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        yield turn
    ledger.close()
