"""The way to the disk, as those see it who have something to file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from app.core.errors import StorageFailed
from app.models.delivery import Filing, Receipt, StoredDelivery


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
