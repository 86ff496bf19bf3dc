"""The kill switch in the store: whether nothing may be started."""

import msgspec
from sqlalchemy import Connection, insert, select, update

from app.models.mission_tables import HaltRow
from app.models.tables import table_of

HALT = table_of(HaltRow)
# Made once: to make a statement costs several times what it takes to run.
ONE = select(HALT).where(HALT.c.id == 1)
ADD = insert(HALT)
SAVE = update(HALT).where(HALT.c.id == 1)


class Halt(msgspec.Struct, frozen=True):
    """Whether nothing may be started, since when, and who says so.

    Attributes:
        version: rises with every change, 0 before the first.
        is_halted: whether nothing may be started.
        reason: why.
        by: who set it last.
        at: when.
    """

    version: int = 0
    is_halted: bool = False
    reason: str = ""
    by: str = ""
    at: int = 0


def find_halt(connection: Connection) -> Halt:
    """Return whether nothing may be started."""
    row = connection.execute(ONE).one_or_none()
    if row is None:
        return Halt()
    return Halt(row.version, bool(row.is_halted), row.reason, row.by, row.at)


def put_halt(connection: Connection, halt: Halt) -> None:
    """Write down whether anything may be started."""
    values = msgspec.structs.asdict(halt)
    values["is_halted"] = int(halt.is_halted)
    if not connection.execute(SAVE, values).rowcount:
        connection.execute(ADD, {"id": 1, **values})
