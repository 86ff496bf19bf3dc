"""Bring the database to the schema of this release."""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from app.core.errors import StorageFailed
from app.store.failures import tell
from app.store.location import Location, watch_network

# Two nodes that start at once migrate one after the other.
TURN = 0x4D6967
WAIT_SECONDS = 5.0


def migrate(location: Location) -> tuple[str, str]:
    """Return the versions before and after, having brought it forward.

    Raises:
        StorageFailed: it cannot be opened, or is of a newer release.
    """
    if location.file is not None:
        _make_file(location.file)
        engine = create_engine(location.url)
    else:
        options = watch_network(WAIT_SECONDS)
        engine = create_engine(location.url, connect_args=options)
    try:
        with engine.connect() as connection, connection.begin():
            if location.file is None:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:turn)"),
                    {"turn": TURN},
                )
            before = _version(connection)
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return before, _version(connection)
    except (CommandError, ResolutionError) as error:
        raise StorageFailed(
            f"{location} was made by a newer release ({error});"
            " start that release, or restore a backup of this one"
        ) from error
    except DBAPIError as error:
        what = f"cannot open {location}: {tell(error.orig)}"
        raise StorageFailed(what) from error
    finally:
        engine.dispose()


def _make_file(file: Path) -> None:
    """Create a SQLite file that only its owner may read."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)
        if not file.stat().st_size:
            # Another program may have made it, readable by everybody.
            file.chmod(0o600)
    except OSError as error:
        raise StorageFailed(
            f"cannot create {file}: {error.strerror};"
            " choose a folder that this user may write (database.url)"
        ) from error
    # The readers, which connect first, must find the log that is shared.
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise StorageFailed(f"cannot open {file}: {error}") from error


def _version(connection: Connection) -> str:
    """Return the schema's version in a database, empty when it has none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def _alembic() -> AlembicConfig:
    """Return Alembic's settings without a file of its own."""
    config = AlembicConfig()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    return config
