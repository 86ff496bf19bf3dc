"""Rows on their way in and out, without what SQLAlchemy does to each.

It looks at every value of every row; ours are what the driver takes already.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.dml import UpdateBase


def write_all(
    connection: Connection,
    statement: UpdateBase,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Run a statement once for each row.

    Args:
        connection: the turn's transaction.
        statement: one that lives as long as the program.
        rows: the parameters, of the same names for each.
    """
    if not rows:
        return
    names = tuple(rows[0])
    written, order = _write(statement, connection.dialect, names)
    if order:
        pick = itemgetter(*order)
        connection.exec_driver_sql(written, [pick(row) for row in rows])
    else:
        connection.exec_driver_sql(written, [dict(row) for row in rows])


@lru_cache(maxsize=64)
def _write(
    statement: UpdateBase, dialect: Dialect, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """Return a statement's text, and its parameters where these are a row."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    positions: Sequence[str] | None = getattr(compiled, "positiontup", None)
    return str(compiled), tuple(positions or ())
