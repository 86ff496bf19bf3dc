"""Claims: which incident this node decides on, so that no other does.

PostgreSQL keeps them for as long as the connection of the node lives: when
its process is gone, so are they, at once; when its machine is, as soon as the
server has missed it, see WATCHED; when it stands still, as soon as its beat
was missed. One SQLite file has one node.
A claim saves a call and is no proof; whoever writes looks again.
"""

from contextlib import suppress
from threading import Lock, Thread
from time import sleep

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
# So often a session that holds a claim is heard of; the server ends one that
# is not for longer. Servers before 14 cannot: they free it with the node.
BEAT_SECONDS, SILENT_SECONDS = 2.0, 9.0
BEAT = text("SELECT 1")
WATCH = text(
    "SELECT set_config(name, :silent, false) FROM pg_settings"
    " WHERE name = 'idle_session_timeout'"
)


class Claims:
    """Takes and gives back claims, from any thread."""

    def __init__(self, location: Location, wait_seconds: float) -> None:
        """Take where the database is; it connects with the first claim."""
        self._lock = Lock()
        self._held: set[int] = set()
        self._connection: Connection | None = None
        self._is_watched = False
        self._beating: Thread | None = None
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
            if self._engine is not None:
                if not self._ask(self._engine, TAKE, **_lock_of(number)):
                    return False
                self._begin_to_beat(self._engine)
            self._held.add(number)
            return True

    def give_back(self, number: int) -> None:
        """Let others have an incident."""
        with self._lock:
            self._held.discard(number)
            if self._engine is None or self._connection is None:
                return
            # With the connection all claims are gone.
            with suppress(StorageFailed):
                self._ask(self._engine, GIVE, **_lock_of(number))

    def close(self) -> None:
        """Give back everything."""
        with self._lock:
            self._drop()
            self._held.clear()

    def _begin_to_beat(self, engine: Engine) -> None:
        """Let the server hear of us while there is a claim."""
        if not self._is_watched:
            self._ask(engine, WATCH, silent=f"{SILENT_SECONDS:g}s")
            self._is_watched = True
        if self._beating is None:
            self._beating = Thread(
                target=self._beat, args=(engine,), name="claims", daemon=True
            )
            self._beating.start()

    def _beat(self, engine: Engine) -> None:
        """Say that we are there, until no claim is held."""
        while True:
            sleep(BEAT_SECONDS)
            with self._lock:
                if not self._try_to_beat(engine):
                    self._beating = None
                    return

    def _try_to_beat(self, engine: Engine) -> bool:
        """Tell whether there is a claim, which the server heard of again."""
        if self._connection is None:
            return False
        with suppress(StorageFailed):
            if self._held:
                return self._ask(engine, BEAT)
            self._ask(engine, WATCH, silent="0")
            self._is_watched = False
        return False

    def _ask(
        self, engine: Engine, question: TextClause, **values: object
    ) -> bool:
        """Ask PostgreSQL on the one connection that holds the claims."""
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
        self._is_watched = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _lock_of(number: int) -> dict[str, object]:
    """Return which lock stands for an incident."""
    return {"family": FAMILY, "number": number % MOST}
