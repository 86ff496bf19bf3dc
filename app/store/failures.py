"""What a database's error may say: never the values of a row.

PostgreSQL quotes rows in DETAIL and CONTEXT, and the text of its errors has
them all. What is told here goes to the log, which strangers do not read.
"""

import sqlite3
import sys
from typing import TYPE_CHECKING, TypeGuard

from app.core.deferred import Deferred

if TYPE_CHECKING:
    import psycopg
else:
    # Only whoever has a PostgreSQL pays for its driver.
    psycopg = Deferred("psycopg")

# Classes of errors that come of what is written, not of where to: values,
# limits of a row, constraints, statements, triggers.
ABOUT_ROWS = ("0A", "21", "22", "23", "42", "54", "P0")
# A table, a column or a right that is missing: a matter of the whole store.
ABOUT_STORE = ("42501", "42703", "42P01")
SQLITE_ABOUT_ROWS = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.NotSupportedError,
    sqlite3.ProgrammingError,
)


def is_of_postgres(error: BaseException | None) -> "TypeGuard[psycopg.Error]":
    """Tell whether an error is one of PostgreSQL's driver.

    Without the driver there is none. It is not loaded to find that out: the
    error may well be that no file can be opened any more.
    """
    return "psycopg" in sys.modules and isinstance(error, psycopg.Error)


def tell(error: BaseException | None) -> str:
    """Return an error in one line: its class, its code, its first words."""
    name = type(error).__name__
    if not is_of_postgres(error):
        return f"{name}: {error}"
    words = error.diag.message_primary
    if words is None and isinstance(error, psycopg.OperationalError):
        # The server said nothing: it is about the connection, not a row.
        words = str(error).partition("\n")[0]
    code = f" {error.sqlstate}" if error.sqlstate else ""
    return f"{name}{code}: {words}" if words else f"{name}{code}"


def is_about_rows(error: BaseException | None) -> bool:
    """Tell whether an error comes of what was to be written.

    All others are about the connection, time, locks or room, and go away.
    """
    if is_of_postgres(error):
        state = error.sqlstate
        if state is None:
            # Said by the driver: a value that it cannot send.
            return isinstance(error, psycopg.DataError)
        return state[:2] in ABOUT_ROWS and state not in ABOUT_STORE
    return isinstance(error, SQLITE_ABOUT_ROWS)
