"""The kill switch in the store: whether nothing may be started."""

import sqlite3
from threading import Lock
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import StorageFailed
from app.models.mission_tables import HaltRow
from app.models.tables import table_of

HALT = table_of(HaltRow)
# Made once: to make a statement costs several times what it takes to run.
ONE = select(HALT).where(HALT.c.id == 1)
ADD = insert(HALT)
SAVE = update(HALT).where(HALT.c.id == 1)
# As the driver takes it, who asks some times a second.
IS_ON = "SELECT is_halted FROM halt WHERE id = 1"


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


class Switch:
    """Looks at the kill switch alone, for a twentieth of a question.

    On a connection of its own, without the layers that a question passes;
    from any thread.
    """

    def __init__(self, engine: Engine) -> None:
        """Take what opens connections; one is opened with the first look."""
        self._engine = engine
        self._lock = Lock()
        self._raw: Any = None

    def is_on(self) -> bool:
        """Tell whether the switch halts.

        Raises:
            StorageFailed: the database cannot be asked.
        """
        with self._lock:
            try:
                if self._raw is None:
                    self._raw = self._open()
                row = self._raw.execute(IS_ON).fetchone()
            except (SQLAlchemyError, self._failure) as error:
                self._drop()
                raise StorageFailed("cannot look at the switch") from error
        return row is not None and bool(row[0])

    def close(self) -> None:
        """Give back the connection."""
        with self._lock:
            self._drop()

    @property
    def _failure(self) -> type[Exception]:
        """Return what the driver raises."""
        failure: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        return failure

    def _drop(self) -> None:
        """Give back the connection, if there is one."""
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()

    def _open(self) -> Any:
        """Return a connection on which each look is of its own moment."""
        lent = self._engine.raw_connection()
        raw: Any = lent.dbapi_connection
        lent.detach()
        if not isinstance(raw, sqlite3.Connection):
            raw.rollback()
            raw.autocommit = True
        return raw
