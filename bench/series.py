"""Rows by the hundred thousand, made inside the database by plain SQL."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, Table, Text, text

from app.engine.evidence import MARK as EVIDENCE
from app.engine.telling import TOLD

# Whoever reads the log has come to the end of what was written past it: a
# service that makes up for it meanwhile would be measured as well.
READERS = ("log", TOLD, EVIDENCE)
AT_ONCE = 50_000
SERIES = {
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL"
    " SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s) t",
    "postgresql": "(SELECT * FROM generate_series("
    "CAST({first} AS bigint), CAST({last} AS bigint)) s(n)) t",
}


def sow(
    connection: Connection,
    table: Table,
    span: tuple[int, int],
    values: Mapping[str, str],
    where: str = "",
) -> None:
    """Write a row for each number of a span.

    Args:
        connection: in a turn.
        table: where.
        span: the first number, and the last one.
        values: an SQL expression of ``n`` for each column that matters; the
            others are empty.
        where: a condition of ``n``; empty: each number has a row.
    """
    unknown = set(values) - set(table.c.keys())
    if unknown:
        raise ValueError(f"{table.name} has no {sorted(unknown)}")
    shown = [values.get(one.name, _empty(one)) for one in table.c]
    names = ", ".join(f'"{one.name}"' for one in table.c)
    only = f" WHERE {where}" if where else ""
    series = SERIES[connection.dialect.name]
    for start in range(span[0], span[1] + 1, AT_ONCE):
        some = series.format(
            first=start, last=min(start + AT_ONCE - 1, span[1])
        )
        statement = (
            f"INSERT INTO {table.name} ({names})"
            f" SELECT {', '.join(shown)} FROM {some}{only}"
        )
        # JSON has colons, which are no parameters.
        connection.execute(text(statement.replace(":", "\\:")))


def _empty(column: Column[Any]) -> str:
    """Return what stands in a column that does not matter."""
    if column.nullable:
        return "NULL"
    return "''" if isinstance(column.type, Text) else "0"
