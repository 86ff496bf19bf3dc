"""The receiver: where jobs run. It survives every crash, and counts."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from app.core.errors import CannotTell, NotAccepted, OutgoingFailed
from app.models.job import JobState, Order, Progress
from tests.simulation.audit import Audit
from tests.simulation.dealing import Deal, Dealer
from tests.simulation.hosts import Hosts
from tests.simulation.loop import SECOND, SimClock
from tests.simulation.points import Gate
from tests.simulation.scene import lead

LATE = 75 * SECOND
NOTHING = Progress(state=JobState.UNKNOWN, reason="it is not known here")


class Work(msgspec.Struct, eq=False):
    """One job that runs, or ran.

    Attributes:
        order: what was ordered.
        deal: what becomes of it.
        ends_at: when it ends.
        state: how far it has come.
        heard: what it was told.
    """

    order: Order
    deal: Deal
    ends_at: int
    state: JobState = JobState.STARTED
    heard: tuple[str, ...] = ()


class Receiver:
    """Starts whatever arrives: to start once is not left to it."""

    def __init__(self, clock: SimClock, hosts: Hosts) -> None:
        """Take the time, and what jobs have effects on."""
        self._clock = clock
        self._hosts = hosts
        self.works: list[Work] = []
        self.late: list[tuple[int, Order, Deal]] = []
        self.is_down = False
        self.knows_keys = True
        self.on_start: Callable[[Order], None] = lambda _: None

    def come_late(self, order: Order, deal: Deal) -> None:
        """Let an order arrive when nobody waits for it any more."""
        self.late.append((self._clock.ticks + LATE, order, deal))

    def arrive(self, order: Order, deal: Deal) -> Work:
        """Start a job."""
        self.settle()
        ends_at = self._clock.ticks + int(deal.seconds * SECOND)
        work = Work(order, deal, ends_at)
        self.works.append(work)
        self.on_start(order)
        return work

    def settle(self) -> None:
        """Let what is late arrive, and end what has run long enough."""
        now = self._clock.ticks
        due = [one for one in self.late if one[0] <= now]
        self.late = [one for one in self.late if one[0] > now]
        for _, order, deal in due:
            self.arrive(order, deal)
        for work in self.works:
            if work.state is JobState.STARTED and work.ends_at <= now:
                work.state = work.deal.end
                host = lead(work.order.arguments["host"])
                self._hosts.feel(host, work.deal.effect)

    def next_moment(self) -> int | None:
        """Return when something happens here by itself, or None."""
        running = [w for w in self.works if w.state is JobState.STARTED]
        moments = [*(w.ends_at for w in running), *(w[0] for w in self.late)]
        return min(moments, default=None)

    def find(self, order: Order) -> Work | None:
        """Return the job of a reference or a key, or None."""
        self.settle()
        if order.reference:
            return self.works[int(order.reference[1:]) - 1]
        return next((w for w in self.works if w.order.key == order.key), None)

    def tell(self, work: Work) -> Progress:
        """Return how a job goes on."""
        number = next(n for n, w in enumerate(self.works, 1) if w is work)
        return Progress(
            state=work.state,
            reference=f"r{number}",
            reason="" if work.state is JobState.STARTED else "so it ended",
            output="line\n" if work.state is not JobState.STARTED else "",
        )


class Yard(Protocol):
    """Where backends stand: the stage."""

    receiver: Receiver
    dealer: Dealer
    audit: Audit

    def task(self) -> str:
        """Return the name of the task that runs now."""


class SimBackend:
    """How one node speaks with the receiver."""

    def __init__(self, yard: Yard, gate: Gate) -> None:
        """Take where jobs run, and where it may be held up."""
        self._yard = yard
        self._receiver = yard.receiver
        self._gate = gate

    def knows(self, job: str) -> bool:
        """Tell that it has each job."""
        return bool(job)

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell that it reaches every host."""
        del host, is_here
        return True

    async def start(self, order: Order) -> Progress:
        """Start a job, or fail in one of many ways."""
        self._yard.audit.called(order, self._yard.task())
        await self._gate.point("start", order.key)
        if self._receiver.is_down:
            raise NotAccepted("nobody listens", may_retry=True)
        deal = self._yard.dealer.start(order)
        if deal.kind in ("refuses", "busy"):
            is_busy = deal.kind == "busy"
            raise NotAccepted("it is not taken", may_retry=is_busy)
        if deal.kind == "breaks":
            raise OutgoingFailed("500")
        if deal.kind == "late":
            self._receiver.come_late(order, deal)
        if deal.kind in ("late", "hangs"):
            await self._gate.forever()
        work = self._receiver.arrive(order, deal)
        if deal.kind == "mute":
            await self._gate.forever()
        if deal.kind == "loses":
            raise OutgoingFailed("the connection broke")
        await self._gate.point("started", order.key)
        return self._receiver.tell(work)

    async def watch(self, order: Order) -> Progress:
        """Return how a job goes on."""
        await self._reach("watch", order)
        work = self._receiver.find(order)
        return NOTHING if work is None else self._receiver.tell(work)

    async def abort(self, order: Order) -> Progress:
        """End a job, unless it is stubborn."""
        await self._reach("abort", order)
        work = self._receiver.find(order)
        if work is None:
            return NOTHING
        if work.state is JobState.STARTED and not work.deal.is_stubborn:
            work.state = JobState.ABORTED
        await self._gate.point("aborted", order.key)
        return self._receiver.tell(work)

    async def find(self, order: Order) -> Progress | None:
        """Return a job by its key."""
        await self._reach("find", order)
        if not self._receiver.knows_keys:
            raise CannotTell
        work = self._receiver.find(order)
        return None if work is None else self._receiver.tell(work)

    async def hear(self, order: Order, word: str) -> bool:
        """Tell a running job something."""
        await self._reach("hear", order)
        work = self._receiver.find(order)
        if work is not None:
            work.heard = (*work.heard, word)
        await self._gate.point("heard", order.key)
        return work is not None

    async def _reach(self, what: str, order: Order) -> None:
        """Reach the receiver, or raise OutgoingFailed."""
        fate = await self._gate.point(what, order.key)
        if fate == "fails" or self._receiver.is_down:
            raise OutgoingFailed("nobody answers")
