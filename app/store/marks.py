"""Marks: how far a reader of the inbox, or the log, has come."""

from sqlalchemy import Connection, Table, insert, select, update

from app.models.tables import MarkRow

MARK: Table = MarkRow.__table__  # type: ignore[attr-defined]


def get_mark(connection: Connection, name: str) -> int:
    """Return a position, 0 before there is one."""
    query = select(MARK.c.position).where(MARK.c.name == name)
    return int(connection.execute(query).scalar() or 0)


def put_mark(connection: Connection, name: str, position: int) -> None:
    """Write a position down."""
    change = update(MARK).where(MARK.c.name == name).values(position=position)
    if not connection.execute(change).rowcount:
        connection.execute(insert(MARK).values(name=name, position=position))
