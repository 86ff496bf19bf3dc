"""The vault: the real store of one history, on a file made from a template."""

import atexit
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from app.bootstrap import open_inbox
from app.fold.folding import Folder, Turn
from app.fold.rules import Rules
from app.models.alert import Alert
from app.store.glance import Seen
from app.store.ledger import Connection, Ledger
from app.store.location import locate
from app.store.migrate import migrate
from app.store.reading import Reader, open_engine
from tests.fakes import make_filing
from tests.simulation.loop import SimClock

T = TypeVar("T")
# Nothing of it must outlive a power cut.
FAST = Path("/dev/shm")
PATIENCE = 600.0
# Whoever plays in several processes says where, and takes it away.
FOLDER = "SIMULATION_FOLDER"


class House:
    """A file, and engines on it, used by one history after the other.

    To make engines and their statements anew costs more than a history.
    """

    def __init__(self) -> None:
        """Make an empty database of this release, and a copy to work on."""
        usual = FAST if FAST.is_dir() else None
        home = os.environ.get(FOLDER) or usual
        self.folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=home))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self._template = self.folder / "template.db"
        migrate(locate(f"sqlite:///{self._template}", self.folder))
        with closing(sqlite3.connect(self._template)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.file = self.folder / "sim.db"
        self.location = locate(f"sqlite:///{self.file}", self.folder)
        self.ledger = Ledger(self.location, PATIENCE)
        engine = open_engine(self.location, PATIENCE)
        self.reader = Reader(engine, PATIENCE)

    def clear(self) -> None:
        """Give back all connections, and begin with an empty store."""
        self.ledger.close()
        self.reader.close()
        for end in ("-wal", "-shm"):
            self.file.with_name(f"{self.file.name}{end}").unlink(
                missing_ok=True
            )
        shutil.copyfile(self._template, self.file)
        with self.ledger._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA synchronous = OFF")


@cache
def the_house() -> House:
    """Return the one house of this process."""
    return House()


class Vault:
    """The store, reached in turns, one after the other."""

    def __init__(self, rules: Rules, clock: SimClock) -> None:
        """Take how alerts are folded, and the time."""
        house = the_house()
        house.clear()
        self.file = house.file
        self._house = house
        self._ledger = house.ledger
        self._reader = house.reader
        self._inbox = open_inbox(house.location, PATIENCE)
        self._folding = Folder(rules, clock)
        self._clock = clock
        self._bodies = count(1)
        self.turns = 0
        self.next_fold: int | None = None

    def turn(
        self, work: Callable[[Connection], T], *, dies: bool = False
    ) -> T:
        """Do some work in a turn of its own.

        Args:
            work: what to do.
            dies: whether the process dies before it is committed.
        """
        with self._ledger.turn() as connection:
            result = work(connection)
            if dies:
                raise Undone
        self.turns += 1
        return result

    def look(self, work: Callable[[Connection], T]) -> T:
        """Do some work on a snapshot."""
        return self._reader.ask(work)

    def glance(
        self, work: Callable[[Connection], T], last: Seen[T] | None
    ) -> Seen[T]:
        """Do some work on a snapshot, unless nobody has written since."""
        return self._reader.glance(work, last)

    def receive(self, alert: Alert) -> None:
        """Let an alert come in."""
        filing = make_filing(
            alert,
            body=str(next(self._bodies)).encode(),
            received_at=self._clock.now(),
        )
        self._inbox.write([filing])

    def fold(self) -> Turn:
        """Fold what came in, and look again at what is due."""
        turn = self.turn(self._folding.fold)
        self.next_fold = turn.next_due
        return turn

    def rows(self, table: Any) -> list[Any]:
        """Return the rows of a table, by id."""
        query = table.__table__.select().order_by(table.id)
        return self.look(lambda connection: list(connection.execute(query)))

    def close(self) -> None:
        """Give all back."""
        self._inbox.close()
        self._ledger.close()
        self._house.reader.close()


class Undone(BaseException):
    """The process died before its turn was committed."""
