"""The reading side fails politely, and only reads."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.core.errors import StorageFailed
from app.store.location import Location, locate
from app.store.reading import READERS, Reader, open_engine


def hold(engine: Engine, count: int) -> list[Connection]:
    """Take connections out of a pool and keep them."""
    return [engine.connect() for _ in range(count)]


def test_busy_readers_are_a_failure_of_the_store(location: Location) -> None:
    """Whoever finds no free connection in time hears 503, not 500."""
    engine = open_engine(location, 0.05)
    reader = Reader(engine)
    held = hold(engine, READERS)
    for ask in (
        reader.open,
        lambda: reader.find_alert(1),
        lambda: reader.alerts({}, None, 1),
    ):
        with pytest.raises(StorageFailed, match="no connection became free"):
            ask()
    for connection in held:
        connection.close()
    reader.open()
    reader.close()


def test_reading_makes_no_file(tmp_path: Path) -> None:
    """It would be readable by everybody, and have no tables."""
    place = locate(f"sqlite:///{tmp_path}/x #1?.db", tmp_path)
    reader = Reader(open_engine(place, 1.0))
    with pytest.raises(StorageFailed, match="unable to open"):
        reader.alerts({}, None, 1)
    reader.close()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write(location: Location) -> None:
    """Both databases refuse."""
    engine = open_engine(location, 1.0)
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("DELETE FROM alert"))
    engine.dispose()
