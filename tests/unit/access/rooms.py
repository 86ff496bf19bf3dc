"""What the tests of access share: a scribe, requests, and a gate."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from app.access.asked import Asked
from app.access.gate import COOKIE, Gate
from app.access.settings import AccessSettings
from app.access.signing_in import SigningIn
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.reading import Reader, open_engine
from tests.fakes import FakeClock

HERE = "127.0.0.1:8080"
PASSWORD = "a sentence to remember"
T = TypeVar("T")


class Scribe:
    """Writes at once, in a turn each, as the keeper does on its thread."""

    def __init__(self, location: Location) -> None:
        self.ledger = Ledger(location, 5.0)

    def ask(self, work: Callable[[Connection], T]) -> Future[T]:
        """Run some work in a turn; the future says how it went."""
        future: Future[T] = Future()
        try:
            with self.ledger.turn() as connection:
                result = work(connection)
        except Exception as error:  # noqa: BLE001 (the future carries it)
            future.set_exception(error)
        else:
            future.set_result(result)
        return future


class Node:
    """One process of the service, as far as people come in."""

    def __init__(
        self,
        location: Location,
        clock: FakeClock | None = None,
        tokens: tuple[str, ...] = (),
        **settings: Any,
    ) -> None:
        self.clock = clock or FakeClock()
        self.scribe = Scribe(location)
        self.reader = Reader(open_engine(location, 5.0))
        self.gate = Gate(
            AccessSettings(**settings),
            tokens,
            self.reader,
            self.scribe,
            self.clock,
        )
        self.signing = SigningIn(
            self.gate, self.scribe, self.reader, self.clock
        )

    def write(self, work: Callable[[Connection], T]) -> T:
        """Have some work done."""
        return self.scribe.ask(work).result()

    def close(self) -> None:
        """Give everything back."""
        self.scribe.ledger.close()
        self.reader.close()


def asked(
    peer: str = "127.0.0.1",
    method: str = "GET",
    cookie: str = "",
    **headers: str,
) -> Asked:
    """Return what a request says; names are written with _."""
    raw = {"host": HERE} | headers
    return Asked(
        method=method,
        peer=peer,
        headers={
            name.replace("_", "-").lower(): text for name, text in raw.items()
        },
        cookies={COOKIE: cookie} if cookie else {},
    )
