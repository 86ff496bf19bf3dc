"""Every plug point on one page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec
from pydantic import BaseModel

from app.core.clock import Clock
from app.core.errors import StorageFailed
from app.models.delivery import (
    Delivery,
    Filing,
    Parsed,
    Receipt,
    StoredDelivery,
)

Settings = TypeVar("Settings", bound=BaseModel)
Fetch = Callable[[str], Awaitable[bytes]]


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that a source carries: shown in the docs, run by tests.

    Attributes:
        body: one delivery as the monitoring system sends it.
        headers: what comes with it and matters.
        names: the names of the alerts that it must yield, in order.
    """

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (
        (b"content-type", b"application/json"),
    )
    names: tuple[str, ...]


class SourceEnv(Protocol):
    """What a source gets when it is made: its own settings and the world."""

    name: str
    clock: Clock
    fetch: Fetch

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings of this source, or raise ConfigError."""


class Source(Protocol):
    """Reads what one monitoring system sends.

    Attributes:
        example: a payload for the docs and the contract test.
        paths: further paths that it answers on, beside /webhooks/NAME.
        tells_once: whether it says a thing once and repeats nothing, so
            that its silence does not mean that a problem is over.
        setup: how to point the monitoring system here, in one line.
    """

    example: Example
    paths: tuple[str, ...]
    tells_once: bool
    setup: str

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alerts of a delivery, or raise Unparsed."""


class SignedSource(Source, Protocol):
    """A source with a signature of its own, and a call back to confirm."""

    async def authenticate(self, delivery: Delivery) -> None:
        """Return when the signature is right, raise Refused when not."""

    async def confirm(self, address: str) -> None:
        """Call an address that the sender asked for, or raise."""


class Authenticator(Protocol):
    """Rules whether a delivery comes from who it says."""

    def check(self, delivery: Delivery) -> None:
        """Return when it does, raise Refused when not."""


class Intray(Protocol):
    """The way to the disk, as the event loop sees it."""

    def submit(
        self,
        filing: Filing,
        done: Callable[[Receipt | StorageFailed], None],
    ) -> None:
        """Call back when it is on disk, or when the disk did not take it.

        Raises:
            TooBusy: too much is waiting; nobody is called back.
        """


class Inbox(Protocol):
    """Where deliveries are kept; called from one writer thread only."""

    was_quick: bool

    def write(self, filings: Sequence[Filing]) -> list[Receipt]:
        """Return once all are on disk, in order; all of them or none."""

    def probe(self, now: int) -> None:
        """Return once a row was really written and read back."""

    def find_unparsed(
        self, after: int, limit: int, where: Mapping[str, object]
    ) -> list[StoredDelivery]:
        """Return deliveries in quarantine with a greater id, oldest first."""

    def refile(self, stored: int, filing: Filing) -> Receipt:
        """Return once a delivery of the quarantine is filed anew."""

    def close(self) -> None:
        """Give back the connection."""
