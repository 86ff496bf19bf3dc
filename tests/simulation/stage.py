"""The stage: what all nodes of one history share, and what outlives them."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from app.store.ledger import Connection
from tests.simulation.audit import Audit
from tests.simulation.dealing import Dealer
from tests.simulation.hosts import Hosts
from tests.simulation.loop import SimClock
from tests.simulation.points import Point
from tests.simulation.receiver import Receiver
from tests.simulation.scene import the_scene
from tests.simulation.vault import Vault

T = TypeVar("T")


class Stage:
    """The store, the receiver, the hosts, the time, and the audit."""

    def __init__(self, dealer: Dealer) -> None:
        """Take what comes of what is done."""
        self.dealer = dealer
        self.clock = SimClock()
        self.hosts = Hosts()
        self.points: list[Point] = []
        self.receiver = Receiver(self.clock, self.hosts)
        self.vault = Vault(the_scene().rules, self.clock)
        self.audit = Audit(self.vault.file)
        self.receiver.on_start = self.audit.arrived
        self.halt_file = ""
        self.changes = 0

    def turn(
        self,
        work: Callable[[Connection], T],
        node: str,
        fate: str = "",
        now: int | None = None,
    ) -> T:
        """Do some work in a turn, and look at what it did."""
        result = self.vault.turn(work, dies=fate == "undone")
        self.changes += 1
        moment = self.clock.now() if now is None else now
        self.audit.turned(node, self.task(), moment)
        return result

    def halt_by_file(self, text: str) -> None:
        """Lay the file of the kill switch down, or take it away."""
        self.halt_file = text
        self.changes += 1
        self.audit.file_is(there=bool(text))

    def task(self) -> str:
        """Return the name of the task that runs now."""
        try:
            task = asyncio.current_task()
        except RuntimeError:
            return "nobody"
        return task.get_name() if task else "nobody"

    def close(self) -> None:
        """Give all back."""
        self.audit.close()
        self.vault.close()
