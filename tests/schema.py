"""Databases of today's schema, each a copy of one that was migrated once.

To migrate takes longer than most tests of the store. What migrating itself
does is shown by the tests of app/store/migrate.py, on databases of their own.
"""

import tempfile
from functools import cache
from pathlib import Path

from app.store.location import Location, locate
from app.store.migrate import migrate
from tests.postgres import Postgres


@cache
def _sqlite() -> bytes:
    """Return a SQLite file of today's schema that nobody has open."""
    with tempfile.TemporaryDirectory(prefix="smokejumper-") as name:
        file = Path(name) / "template.db"
        migrate(locate(f"sqlite:///{file}", file.parent))
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        return file.read_bytes()


@cache
def _postgres(server: Postgres) -> str:
    """Return the name of a database of today's schema on a server."""
    name = "schema_of_today"
    migrate(locate(server.make_database(name), server.folder))
    return name


def make_sqlite(file: Path) -> Location:
    """Make a SQLite database with all its tables."""
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(_sqlite())
    return locate(f"sqlite:///{file}", file.parent)


def make_postgres(server: Postgres, name: str) -> Location:
    """Make a database with all its tables on a server."""
    url = server.make_database(name, like=_postgres(server))
    return locate(url, server.folder)
