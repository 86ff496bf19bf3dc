"""Marks: how far a reader of the inbox, or the log, has come."""

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)

from app.models.tables import MarkRow

MARK: Table = MarkRow.__table__  # type: ignore[attr-defined]
# Made once: to make a statement costs several times what it takes to run.
GET = select(MARK.c.position).where(MARK.c.name == bindparam("called"))
MOVE = (
    update(MARK)
    .where(MARK.c.name == bindparam("called"))
    .values(position=bindparam("to"))
)


def at_mark(name: str) -> ColumnElement[int]:
    """Return a position as a part of a statement."""
    found = select(MARK.c.position).where(MARK.c.name == name)
    return func.coalesce(found.scalar_subquery(), 0)


def get_mark(connection: Connection, name: str) -> int:
    """Return a position, 0 before there is one."""
    return int(connection.execute(GET, {"called": name}).scalar() or 0)


def put_mark(connection: Connection, name: str, position: int) -> None:
    """Write a position down."""
    change = {"called": name, "to": position}
    if not connection.execute(MOVE, change).rowcount:
        connection.execute(insert(MARK).values(name=name, position=position))
