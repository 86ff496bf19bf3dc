"""Bring the database to the schema of this release."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.errors import StorageFailed
from app.store.failures import tell
from app.store.indexing import index_old
from app.store.location import IN_TURNS, Location, watch_network

# Two nodes that start at once migrate one after the other.
TURN = 0x4D6967
WAIT_SECONDS = 5.0
# A large database takes a while; whoever comes second waits for it.
TURN_SECONDS = 300.0
# The first schema that is searched by words.
SEARCHED = "0003"


def migrate(location: Location) -> tuple[str, str]:
    """Return the versions before and after, having brought it forward.

    All of it is one transaction: who is killed in the middle of it leaves
    the database as it was, and the next start does it anew.

    Raises:
        StorageFailed: it cannot be opened or used, or is of a newer release.
    """
    if location.file is not None:
        _make_file(location.file)
    engine = _open(location)
    try:
        with engine.connect() as connection:
            _refuse_encoding(connection, location)
            before = _version(connection)
            if before == head():
                return before, before
        with engine.begin() as connection:
            if location.file is None:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:turn)"),
                    {"turn": TURN},
                )
            return _bring_forward(connection)
    except (CommandError, ResolutionError) as error:
        raise StorageFailed(_newer(location, str(error))) from error
    except DBAPIError as error:
        what = f"cannot open {location}: {tell(error.orig)}"
        raise StorageFailed(what) from error
    finally:
        engine.dispose()


def look(location: Location) -> None:
    """Do nothing when a database has the schema of this release.

    Raises:
        StorageFailed: it has another one, or cannot be opened.
    """
    found = refuse_newer(location)
    if found != head():
        raise StorageFailed(
            f"{location} has the schema {found or 'of an empty database'},"
            f" this release needs {head()}; run main.py migrate"
        )


def refuse_newer(location: Location) -> str:
    """Return the version of a database that this release can bring forward.

    Raises:
        StorageFailed: it is of a newer release, or cannot be opened or used.
    """
    engine = _open(location)
    try:
        with engine.connect() as connection:
            _refuse_encoding(connection, location)
            found = _version(connection)
    except DBAPIError as error:
        what = f"cannot open {location}: {tell(error.orig)}"
        raise StorageFailed(what) from error
    finally:
        engine.dispose()
    if found and found not in _known():
        raise StorageFailed(_newer(location, f"its schema is {found}"))
    return found


def head() -> str:
    """Return the version of this release's schema."""
    return _scripts().get_current_head() or ""


def _open(location: Location) -> Engine:
    """Return an engine whose transactions hold all, tables as well."""
    if location.file is None:
        options = watch_network(WAIT_SECONDS, location.options, IN_TURNS)
        return create_engine(location.url, connect_args=options)
    options = {"timeout": TURN_SECONDS}
    engine = create_engine(location.url, connect_args=options)

    def leave_alone(
        connection: DBAPIConnection, _record: ConnectionPoolEntry
    ) -> None:
        """Keep the driver, which commits each table, out of it."""
        driver: Any = connection
        driver.isolation_level = None

    def take_turn(connection: Connection) -> None:
        """Let nobody write who also wants to bring it forward."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", leave_alone)
    event.listen(engine, "begin", take_turn)
    return engine


def _bring_forward(connection: Connection) -> tuple[str, str]:
    """Migrate in the transaction of a connection."""
    before = _version(connection)
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if before and before < SEARCHED:
        index_old(connection)
    return before, _version(connection)


def _newer(location: Location, what: str) -> str:
    """Return what is told of a database that only others understand."""
    return (
        f"{location} was made by a newer release ({what});"
        " start that release, or restore a backup of this one"
    )


def _refuse_encoding(connection: Connection, location: Location) -> None:
    """Raise when a database cannot hold every text that an alert may have."""
    if location.file is not None:
        return
    found = connection.execute(text("SHOW server_encoding")).scalar()
    if found != "UTF8":
        raise StorageFailed(
            f"{location} is encoded as {found} and cannot hold every text;"
            " make it with ENCODING 'UTF8' TEMPLATE template0"
        )


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


def _scripts() -> ScriptDirectory:
    """Return the migrations that this release has."""
    return ScriptDirectory.from_config(_alembic())


def _known() -> set[str]:
    """Return the versions that this release can bring forward."""
    return {one.revision for one in _scripts().walk_revisions()}
