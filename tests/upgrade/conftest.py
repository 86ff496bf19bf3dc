"""An empty place of each kind of database."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from app.store.location import Location, locate
from tests.postgres import Postgres

numbers = count(1)


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)]
)
def empty(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Location]:
    """Return where nothing is yet."""
    if request.param == "sqlite":
        yield locate(f"sqlite:///{tmp_path}/smokejumper.db", tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"earlier_{next(numbers)}"
    yield locate(server.make_database(name), tmp_path)
    server.drop_database(name)


def url_of(location: Location) -> str:
    """Return the address as a settings file has it."""
    if location.file is not None:
        return f"sqlite:///{location.file}"
    return location.conninfo
