"""A PostgreSQL that would lose or garble what we store is not used."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from app.core.errors import StorageFailed
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.migrate import look, migrate, refuse_newer
from app.store.postgres_desk import PostgresDesk
from app.store.reading import open_engine
from tests.postgres import Postgres
from tests.schema import make_postgres

pytestmark = pytest.mark.real
numbers = count(1)
# Of every plane; in no encoding but Unicode's.
TEXT = "völlig → 火事 🔥"
SAY = "SELECT '{}'"


@pytest.fixture
def plain(postgres: Postgres) -> Iterator[Location]:
    """Return a database that is as it should be."""
    name = f"unfit_{next(numbers)}"
    yield make_postgres(postgres, name)
    postgres.drop_database(name)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
@pytest.mark.parametrize("begin", [migrate, look, refuse_newer])
def test_a_database_that_cannot_hold_every_text_is_refused(
    encoding: str, begin: Callable[[Location], object], plain: Location
) -> None:
    """At the start, by whichever command, and with what to do."""
    name = f"odd_{next(numbers)}"
    with psycopg.connect(plain.conninfo, autocommit=True) as server:
        made = "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE 'C'"
        server.execute(
            sql.SQL(made).format(sql.Identifier(name), sql.Literal(encoding))
        )
        odd = locate(plain.conninfo.rpartition("/")[0] + f"/{name}", Path())
        try:
            with pytest.raises(StorageFailed, match="ENCODING 'UTF8'") as why:
                begin(odd)
            assert encoding in str(why.value)
        finally:
            gone = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            server.execute(gone.format(sql.Identifier(name)))


def test_texts_come_through_whatever_a_role_is_used_to(
    plain: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each session of ours speaks UTF-8."""
    monkeypatch.setenv("PGCLIENTENCODING", "latin1")
    with psycopg.connect(plain.conninfo, autocommit=True) as server:
        (name,) = server.execute("SELECT current_database()").fetchone() or ()
        usual = sql.SQL("ALTER DATABASE {} SET client_encoding = 'latin1'")
        server.execute(usual.format(sql.Identifier(name)))
    ledger, desk = Ledger(plain, 2.0), PostgresDesk(plain.conninfo, 2.0)
    engine = open_engine(plain, 2.0)
    said = SAY.format(TEXT)
    try:
        with ledger.turn() as turn, engine.connect() as reading:
            assert turn.execute(text(said)).scalar() == TEXT
            assert reading.execute(text(said)).scalar() == TEXT
        desk.begin()
        assert desk._rows(said) == [(TEXT,)]
    finally:
        desk.close()
        engine.dispose()
        ledger.close()


def test_a_server_that_does_not_sync_is_refused() -> None:
    """It would acknowledge what is not on its disk."""
    with Postgres() as server:
        place = make_postgres(server, "unsafe")
        with psycopg.connect(place.conninfo, autocommit=True) as session:
            session.execute("ALTER SYSTEM SET fsync = off")
        server.restart_immediately()
        desk = PostgresDesk(place.conninfo, 2.0)
        with pytest.raises(StorageFailed, match="fsync=off; turn it on"):
            desk.begin()
        desk.close()
