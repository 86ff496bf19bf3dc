"""Stand-ins for the outside: small, and they record what they were told."""

from collections.abc import Callable, Sequence

from app.core.errors import StorageFailed, TooBusy
from app.models.alert import Alert, Status
from app.models.delivery import Delivery, Filing, Parsed, Receipt


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: int = 1_795_227_242_000_000) -> None:
        self.moment = moment

    def now(self) -> int:
        """Return the moment that it was set to."""
        return self.moment

    def monotonic(self) -> float:
        """Return the same moment in seconds."""
        return self.moment / 1e6

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += int(seconds * 1e6)


class FakeIntray:
    """A way to the disk that answers when it is told to."""

    def __init__(self) -> None:
        self.filings: list[Filing] = []
        self.full = False
        self.result: Receipt | StorageFailed = Receipt(delivery=1)

    def submit(
        self,
        filing: Filing,
        done: Callable[[Receipt | StorageFailed], None],
    ) -> None:
        """Keep a filing and answer at once."""
        if self.full:
            raise TooBusy("queue_full", "full")
        self.filings.append(filing)
        done(self.result)


class FakeWriter:
    """An inbox without a disk: gives ids, fails on demand."""

    was_quick = False

    def __init__(self) -> None:
        self.batches: list[list[Filing]] = []
        self.failures: list[Exception] = []
        self.before_write: Callable[[], object] = bool
        self.closed = False

    def write(self, filings: Sequence[Filing]) -> list[Receipt]:
        """Keep a batch, or fail as planned."""
        self.before_write()
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(list(filings))
        return [
            Receipt(delivery=number) for number, _ in enumerate(filings, 1)
        ]

    def probe(self, now: int) -> None:
        """Succeed, or fail as planned."""
        del now
        if self.failures:
            raise self.failures.pop(0)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def make_alert(
    fingerprint: str = "f1",
    occurrence: str | None = "1",
    status: Status = Status.FIRING,
    **more: object,
) -> Alert:
    """Return an alert with just enough in it."""
    values: dict[str, object] = {
        "name": "DiskFull",
        "labels": {"instance": "web-01"},
        **more,
    }
    return Alert(
        fingerprint=fingerprint,
        occurrence=occurrence,
        status=status,
        **values,  # type: ignore[arg-type]
    )


def make_filing(
    *alerts: Alert,
    body: bytes = b"{}",
    source: str = "alertmanager",
    received_at: int = 1_000,
) -> Filing:
    """Return a delivery that says these alerts; its body is its key."""
    delivery = Delivery(
        source=source, body=body, received_at=received_at, peer="127.0.0.1"
    )
    return Filing(delivery, source.encode() + body, Parsed(alerts=alerts))
