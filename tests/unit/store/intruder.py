"""An intruder: writes into the log as nobody should."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text

from app.models.chain import Anchor, Finding
from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.log import append, verify
from app.store.snapshot import snapshot

WAIT = 5.0
GUARDS = (
    "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    " AND tbl_name IN ('entry', 'cut')"
)


def notes(count: int, **more: Any) -> list[Note]:
    """Return so many notes, no two alike."""
    return [
        Note(
            kind="incident.opened",
            incident=number + 1,
            target="host::web-01",
            problem="DiskFull",
            severity="warning",
            status="open",
            actor="source:zabbix",
            action="none",
            **{"summary": f"the disk \u2192 {number}", **more},
        )
        for number in range(count)
    ]


def write(location: Location, some: Sequence[Note], at: int = 1) -> None:
    """Append as the product does."""
    ledger = Ledger(location, WAIT)
    with ledger.turn() as turn:
        append(turn, at, some)
    ledger.close()


def prove(location: Location, *anchors: Anchor) -> Finding:
    """Return what a walk through the log finds."""
    with snapshot(location, WAIT) as connection:
        return verify(connection, anchors)


class Intruder:
    """Somebody with the password of the database's owner."""

    def __init__(self, location: Location) -> None:
        self.is_sqlite = location.file is not None
        self.engine: Engine = create_engine(location.url)

    def run(self, *statements: str) -> None:
        """Run statements as one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def take_guards_off(self) -> None:
        """Drop the triggers that make the log append-only."""
        with self.engine.begin() as connection:
            if self.is_sqlite:
                names = connection.execute(text(GUARDS)).scalars().all()
                assert names
                for name in names:
                    connection.execute(text(f"DROP TRIGGER {name}"))
            else:
                self._disable(connection)

    def rows(self, table: str = "entry") -> list[tuple[Any, ...]]:
        """Return all rows of a table in order."""
        with self.engine.connect() as connection:
            query = text(f"SELECT * FROM {table} ORDER BY id")
            return [tuple(row) for row in connection.execute(query)]

    def close(self) -> None:
        """Go away."""
        self.engine.dispose()

    def _disable(self, connection: Connection) -> None:
        """Switch the triggers off on PostgreSQL."""
        for table in ("entry", "cut"):
            connection.execute(
                text(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            )
