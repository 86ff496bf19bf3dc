"""What earlier releases wrote is there after a migration, all of it."""

import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

from app.core.errors import StorageFailed
from app.store.location import Location
from app.store.log import verify
from app.store.migrate import head, look, migrate
from tests.service import HOME
from tests.upgrade.conftest import url_of
from tests.upgrade.earlier import (
    REVISIONS,
    Rows,
    in_order,
    make_earlier,
    read,
    rows_of,
)

# Where a migration is killed, as shares of its statements.
SHARES = (0.02, 0.5, 0.98)


def check(location: Location, before: Rows) -> None:
    """See that every row is there as it was, and the log's chain whole."""
    found = read(location, before)
    marks = {one["name"] for one in before.pop("mark", [])}
    after = {one["name"] for one in found.pop("mark", [])}
    assert marks <= after
    for name, rows in before.items():
        assert found[name] == in_order(rows), name
    engine = create_engine(location.url)
    with engine.connect() as connection:
        finding = verify(connection)
    engine.dispose()
    assert finding.breach is None
    assert finding.entries == len(before.get("entry", []))


@pytest.mark.parametrize("revision", REVISIONS)
def test_nothing_is_lost_on_the_way(empty: Location, revision: str) -> None:
    """Each earlier schema comes forward, with each row of each table."""
    rows = rows_of(revision)
    make_earlier(empty, revision, rows)
    assert migrate(empty) == (revision, head())
    check(empty, rows)


def test_each_schema_is_tried() -> None:
    """A new migration has rows of the schema before it here."""
    assert max(REVISIONS) == head()
    assert len(REVISIONS) == int(head())


def test_killed_on_the_way_it_is_as_it_was(empty: Location) -> None:
    """A migration that is killed leaves no trace; the next one does it."""
    rows = rows_of("0002")
    make_earlier(empty, "0002", rows)
    for goal in kills(empty):
        command = [sys.executable, "-m", "tests.upgrade.dying"]
        command += [url_of(empty), str(goal)]
        died = subprocess.run(
            command, cwd=HOME, timeout=120, check=False, capture_output=True
        )
        assert died.returncode == -9, died.stderr
        assert read(empty, rows) == {
            name: in_order(found) for name, found in rows.items()
        }
        with pytest.raises(StorageFailed, match="has the schema 0002"):
            look(empty)
    assert migrate(empty) == ("0002", head())
    check(empty, rows)


def kills(location: Location) -> list[int]:
    """Return after which statements to kill, by a run that is undone."""
    count = 0

    def note(*_: Any) -> None:
        """Count a statement."""
        nonlocal count
        count += 1

    class Enough(Exception):
        """It was counted; nothing of it shall hold."""

    def stop(_connection: Any) -> None:
        """Undo it."""
        raise Enough

    event.listen(Engine, "after_cursor_execute", note)
    event.listen(Engine, "commit", stop)
    try:
        with pytest.raises(Enough):
            migrate(location)
    finally:
        event.remove(Engine, "after_cursor_execute", note)
        event.remove(Engine, "commit", stop)
    assert count > 50
    return [max(1, round(share * count)) for share in SHARES]
