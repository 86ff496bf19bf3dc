"""The server watches our sessions, too, and does what the URL asks for."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import text

from app.store.claims import Claims
from app.store.ledger import Ledger
from app.store.location import WATCHED, Location, locate, watch_network
from app.store.migrate import _open as open_migrating
from app.store.postgres_desk import PostgresDesk
from app.store.reading import open_engine
from tests.postgres import Postgres
from tests.schema import make_postgres

GIVEN = "?options=-c%20search_path%3Dpublic,pg_catalog%20-c%20work_mem%3D7MB"


def test_what_the_url_asks_for_goes_with_what_is_needed() -> None:
    """It goes before what is wise and not before what is needed."""
    place = locate(f"postgresql://u@h/x{GIVEN}", Path())
    made = watch_network(5.0, place.options, "work_mem=1MB")["options"]
    wise, given = made.index("tcp_keepalives_idle"), made.index("search_path")
    assert wise < given < made.index("work_mem=7MB")
    assert made.endswith("-c work_mem=1MB")
    read = conninfo_to_dict(make_conninfo("host=db", options=made))
    assert read["options"] == made


def test_without_wishes_only_ours_are_asked_for() -> None:
    """Each with its own name."""
    place = locate("postgresql://u@h/x", Path())
    assert place.options == ""
    made = watch_network(5.0, place.options)["options"]
    asked = [f"{name}={value}" for name, value in WATCHED]
    assert made.split() == [word for one in asked for word in ("-c", one)]


def of_claims(place: Location, show: str) -> str:
    """Ask on the session that holds claims."""
    claims = Claims(place, 2.0)
    try:
        assert claims.take(1)
        assert claims._connection is not None
        found = claims._connection.execute(text(show)).scalar()
    finally:
        claims.close()
    return str(found)


def of_ledger(place: Location, show: str) -> str:
    """Ask on the session that writes about incidents."""
    ledger = Ledger(place, 2.0)
    try:
        with ledger.turn() as connection:
            return str(connection.execute(text(show)).scalar())
    finally:
        ledger.close()


def of_reader(place: Location, show: str) -> str:
    """Ask on a session that reads."""
    engine = open_engine(place, 2.0)
    try:
        with engine.connect() as connection:
            return str(connection.execute(text(show)).scalar())
    finally:
        engine.dispose()


def of_migrate(place: Location, show: str) -> str:
    """Ask on the session that brings the schema forward."""
    engine = open_migrating(place)
    try:
        with engine.connect() as connection:
            return str(connection.execute(text(show)).scalar())
    finally:
        engine.dispose()


def of_inbox(place: Location, show: str) -> str:
    """Ask on the session that takes deliveries."""
    desk = PostgresDesk(place.conninfo, 2.0)
    try:
        desk.begin()
        connection: psycopg.Connection = desk._open_connection()
        (found,) = connection.execute(show.encode()).fetchone() or ("",)
    finally:
        desk.close()
    return str(found)


@pytest.mark.real
@pytest.mark.parametrize(
    "ask", [of_claims, of_ledger, of_reader, of_migrate, of_inbox]
)
def test_the_server_was_told(
    ask: Callable[[Location, str], str], postgres: Postgres
) -> None:
    """Of every session of ours; and what the URL asks for is kept."""
    name = f"watched_{ask.__name__}"
    plain = make_postgres(postgres, name)
    place = locate(plain.conninfo + GIVEN, Path())
    for setting, value in WATCHED:
        found = ask(place, f"SHOW {setting}")
        assert found in (str(value), f"{value // 1000}s"), setting
    assert ask(place, "SHOW work_mem") == "7MB"
    assert ask(place, "SHOW search_path") == "public,pg_catalog"
    postgres.drop_database(name)
