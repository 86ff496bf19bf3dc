"""A session that the server ended is replaced, unless something hangs on it.

A restart, an idle timeout or a firewall ends it while nobody needs it; the
next alert must not pay for that.
"""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from app.core.errors import StorageFailed
from app.store.inbox import SqlInbox
from app.store.location import Location
from app.store.postgres_desk import TURN, PostgresDesk
from tests.fakes import make_alert, make_filing
from tests.postgres import Postgres
from tests.schema import make_postgres

pytestmark = pytest.mark.real
# It returns once they are gone.
END = (
    b"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    b" WHERE application_name = 'smokejumper-inbox'"
    b" AND datname = current_database()"
)
numbers = count(1)


@pytest.fixture
def place(postgres: Postgres) -> Iterator[Location]:
    """Return an empty database."""
    name = f"ended_{next(numbers)}"
    yield make_postgres(postgres, name)
    postgres.drop_database(name)


@pytest.fixture
def desk(place: Location) -> Iterator[PostgresDesk]:
    """Return the desk of the inbox."""
    made = PostgresDesk(place.conninfo, 2.0)
    yield made
    made.close()


def end_sessions(place: Location) -> None:
    """End every session of the inbox."""
    with psycopg.connect(place.conninfo, autocommit=True) as server:
        assert server.execute(END).fetchall() == [(True,)]


def test_the_first_alert_after_it_is_taken(
    place: Location, desk: PostgresDesk
) -> None:
    """Nothing was begun on that session."""
    inbox = SqlInbox(desk)
    inbox.write([make_filing(make_alert("a"))])
    end_sessions(place)
    (receipt,) = inbox.write([make_filing(make_alert("b"))])
    assert (receipt.delivery, receipt.accepted) == (2, 1)
    end_sessions(place)
    inbox.probe(7)


def test_what_was_begun_is_not_begun_again(
    place: Location, desk: PostgresDesk
) -> None:
    """The turn fails as a whole; the next one works."""
    desk.begin()
    desk.probe(1)
    end_sessions(place)
    with pytest.raises(StorageFailed):
        desk.commit()
    desk.rollback()
    desk.begin()
    assert desk.probe(2) == 2
    desk.commit()


def test_who_waits_too_long_keeps_its_session(
    place: Location, desk: PostgresDesk
) -> None:
    """It is not gone: another one has the turn."""
    desk.begin()
    desk.rollback()
    kept = desk._connection
    with psycopg.connect(place.conninfo) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (TURN,))
        with pytest.raises(StorageFailed):
            desk.begin()
    desk.rollback()
    desk.begin()
    assert desk._connection is kept
