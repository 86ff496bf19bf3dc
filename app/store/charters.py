"""Charters in the store: what the files that rule said last."""

from sqlalchemy import Connection, insert, select, update

from app.models.charter import Charter, Known
from app.models.decision_tables import CharterRow
from app.models.tables import table_of

CHARTER = table_of(CharterRow)


def find_charter(connection: Connection, name: str) -> Known | None:
    """Return what a charter said last, or None."""
    query = select(CHARTER).where(CHARTER.c.name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Known(row.version, row.text, row.at, row.node)


def put_charter(
    connection: Connection, charter: Charter, node: str, now: int
) -> None:
    """Write down what a charter says, and which node says so."""
    values = {
        "version": charter.version,
        "text": charter.text,
        "at": now,
        "node": node,
    }
    change = (
        update(CHARTER).where(CHARTER.c.name == charter.name).values(values)
    )
    if not connection.execute(change).rowcount:
        connection.execute(insert(CHARTER).values(name=charter.name, **values))
