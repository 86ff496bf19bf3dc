"""Claims: which incident this node decides on, so that no other does.

PostgreSQL keeps them for as long as the connection of the node lives: when
its process is gone, so are they, at once; when its machine is, as soon as the
server has missed it, see WATCHED. One SQLite file has one node.
A claim saves a call and is no proof; whoever writes looks again.
"""

from threading import Lock

from sqlalchemy import Connection, Engine, TextClause, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.core.errors import StorageFailed
from app.store.failures import tell
from app.store.location import Location, watch_network

# The family of our locks, and how many of them there are.
FAMILY = 0x446563
MOST = 2**31 - 1
TAKE = text("SELECT pg_try_advisory_lock(:family, :number)")
GIVE = text("SELECT pg_advisory_unlock(:family, :number)")


class Claims:
    """Takes and gives back claims, from any thread."""

    def __init__(self, location: Location, wait_seconds: float) -> None:
        """Take where the database is; it connects with the first claim."""
        self._lock = Lock()
        self._held: set[int] = set()
        self._connection: Connection | None = None
        self._engine = None
        if location.file is None:
            self._engine = create_engine(
                location.url,
                poolclass=NullPool,
                hide_parameters=True,
                isolation_level="AUTOCOMMIT",
                connect_args={
                    "application_name": "smokejumper-claims",
                    **watch_network(wait_seconds, location.options),
                },
            )

    def take(self, number: int) -> bool:
        """Claim an incident; tell whether nobody else has.

        Raises:
            StorageFailed: the database cannot be asked.
        """
        with self._lock:
            if number in self._held:
                return False
            if self._engine is not None and not self._ask(
                self._engine, TAKE, number
            ):
                return False
            self._held.add(number)
            return True

    def give_back(self, number: int) -> None:
        """Let others have an incident."""
        with self._lock:
            self._held.discard(number)
            if self._engine is None or self._connection is None:
                return
            try:
                self._ask(self._engine, GIVE, number)
            except StorageFailed:
                # With the connection all claims are gone.
                return

    def close(self) -> None:
        """Give back everything."""
        with self._lock:
            self._drop()
            self._held.clear()

    def _ask(self, engine: Engine, question: TextClause, number: int) -> bool:
        """Ask PostgreSQL on the one connection that holds the claims."""
        values = {"family": FAMILY, "number": number % MOST}
        try:
            if self._connection is None:
                self._connection = engine.connect()
            found = self._connection.execute(question, values)
            return bool(found.scalar())
        except DBAPIError as error:
            self._drop()
            raise StorageFailed(f"cannot claim: {tell(error.orig)}") from error

    def _drop(self) -> None:
        """Give back the connection, and with it every claim."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
