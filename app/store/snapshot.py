"""A snapshot: one state of the database, to ask as often as one likes.

Writers go on meanwhile and are not seen. For commands; the API has its
pages in app/store/reading.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.core.errors import StorageFailed
from app.store.failures import tell
from app.store.location import Location
from app.store.reading import open_engine

__all__ = ["Connection", "snapshot"]


@contextmanager
def snapshot(location: Location, wait_seconds: float) -> Iterator[Connection]:
    """Lend a connection that sees one state, and can only read.

    Raises:
        StorageFailed: it cannot be read.
    """
    engine = open_engine(location, wait_seconds)
    try:
        with engine.connect() as connection:
            if location.file is None:
                connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                connection.exec_driver_sql("BEGIN")
            yield connection
    except DBAPIError as error:
        raise StorageFailed(f"cannot read: {tell(error.orig)}") from error
    finally:
        engine.dispose()
