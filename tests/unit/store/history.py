"""A database with some history in it: alerts, incidents, a log."""

from app.fold.folding import Folder
from app.fold.rules import FoldSettings, make_rules
from app.models.alert import Status
from app.models.cluster import FOREVER
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from tests.fakes import FakeClock, make_alert, make_filing

DAY = 86_400 * 1_000_000
START = 1_795_000_000_000_000
__all__ = ["DAY", "FOREVER", "START", "Connection", "History"]


class History:
    """Tells a database what happened, and folds it."""

    def __init__(self, inbox: SqlInbox, ledger: Ledger) -> None:
        self.inbox = inbox
        self.ledger = ledger
        self.clock = FakeClock(START)
        self.folder = Folder(make_rules(FoldSettings()), self.clock)

    def say(
        self, host: str, status: Status, starts_at: int, **more: object
    ) -> None:
        """Let a source say that something fires or is over."""
        alert = make_alert(
            fingerprint=f"f-{host}",
            occurrence=str(starts_at),
            status=status,
            labels={"instance": host},
            starts_at=starts_at,
            **more,
        )
        body = f"{host} {status} {starts_at}".encode()
        now = self.clock.now()
        self.inbox.write([make_filing(alert, body=body, received_at=now)])

    def fold(self) -> None:
        """Fold all that came in."""
        is_full = True
        while is_full:
            with self.ledger.turn() as turn:
                is_full = self.folder.fold(turn).is_full

    def fill(self, hosts: int) -> None:
        """Let a problem come and go on each of so many hosts."""
        now = self.clock.now()
        for number in range(hosts):
            host = f"web-{number:03}-{now}"
            self.say(host, Status.FIRING, now)
            self.say(host, Status.RESOLVED, now, ends_at=now + 1_000_000)
        self.fold()
