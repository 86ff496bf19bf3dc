"""What a database's error may say: never the values of a row.

PostgreSQL quotes rows in DETAIL and CONTEXT, and the text of its errors has
them all. What is told here goes to the log, which strangers do not read.
"""

import psycopg


def tell(error: BaseException | None) -> str:
    """Return an error in one line: its class, its code, its first words."""
    name = type(error).__name__
    if not isinstance(error, psycopg.Error):
        return f"{name}: {error}"
    words = error.diag.message_primary
    if words is None and isinstance(error, psycopg.OperationalError):
        # The server said nothing: it is about the connection, not a row.
        words = str(error).partition("\n")[0]
    code = f" {error.sqlstate}" if error.sqlstate else ""
    return f"{name}{code}: {words}" if words else f"{name}{code}"
