"""A backend and a check that do what the test says, and count."""

import asyncio
from collections import Counter

from app.core.errors import CannotTell, NotHere, OutgoingFailed
from app.models.job import JobState, Order, Progress
from app.models.verdict import Judgement, Reading, Subject
from tests.fakes import FakeClock


class Robot:
    """A backend that does what the test says, and counts."""

    def __init__(self) -> None:
        """Begin with nothing started."""
        self.starts: Counter[str] = Counter()
        self.orders: list[Order] = []
        self.aborts: list[str] = []
        self.heard: list[str] = []
        self.running: dict[str, Progress] = {}
        # What the next calls raise, in their order.
        self.failures: list[BaseException] = []
        self.loses_answer = False
        self.loses_look = False
        self.knows_keys = True
        self.finds = True
        self.nameless = False
        self.is_away = False
        self.is_blind = False
        self.listens = True
        self.is_deafened = False
        # Whether what runs was begun on another machine.
        self.is_elsewhere = False
        # Cleared, watching hangs.
        self.gate = asyncio.Event()
        self.gate.set()
        self.watched = asyncio.Event()
        # How often it was asked for a job, or told to end one.
        self.tries = 0
        # Whether a job can be told to end before it has answered.
        self.ends_by_key = False
        # Whether a job that is told to end goes on.
        self.is_stubborn = False
        # Whether the answer to that says nothing of how it is.
        self.answers_late = False
        # Cleared, ending a job takes for ever.
        self.ending = asyncio.Event()
        self.ending.set()
        self.aborted = asyncio.Event()
        # Cleared, the answer to a start takes for ever.
        self.answering = asyncio.Event()
        self.answering.set()
        self.started = asyncio.Event()

    def knows(self, job: str) -> bool:
        """Tell whether it has a job of this name."""
        return bool(job)

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether it reaches a host: every one, or none."""
        del host, is_here
        return not self.is_blind

    async def start(self, order: Order) -> Progress:
        """Start a job, or not."""
        if self.failures:
            raise self.failures.pop(0)
        self.starts[order.key] += 1
        self.orders.append(order)
        self.running[order.key] = Progress(reference=order.key)
        self.started.set()
        await self.answering.wait()
        if self.loses_answer:
            raise OutgoingFailed("the answer was lost")
        if self.nameless:
            return Progress()
        return self.running[order.key]

    async def watch(self, order: Order) -> Progress:
        """Return how it goes on."""
        if self.is_elsewhere:
            raise NotHere("it was never started here")
        if self.failures:
            raise self.failures.pop(0)
        self.watched.set()
        await self.gate.wait()
        if self.loses_look:
            raise OutgoingFailed("the answer was lost")
        return self.running[order.key]

    async def abort(self, order: Order) -> Progress:
        """End a job."""
        self.tries += 1
        if self.is_elsewhere:
            raise NotHere("it was never started here")
        if not order.reference and not self.ends_by_key:
            raise OutgoingFailed("it is not known where that runs")
        self.aborts.append(order.key)
        self.aborted.set()
        await self.ending.wait()
        if not self.is_stubborn:
            self.end(order.key, JobState.ABORTED)
        if self.answers_late:
            return Progress(reference=order.reference)
        return self.running[order.key]

    async def find(self, order: Order) -> Progress | None:
        """Return a job by its key."""
        self.tries += 1
        if self.is_away:
            raise OutgoingFailed("nobody answers")
        if not self.knows_keys:
            raise CannotTell
        return self.running.get(order.key) if self.finds else None

    async def hear(self, order: Order, word: str) -> bool:
        """Be told something; tell whether anybody listens."""
        if self.is_deafened:
            raise OutgoingFailed("the word was lost")
        if self.listens:
            self.heard.append(f"{order.key} {word}")
        return self.listens

    def end(
        self, key: str, state: JobState = JobState.SUCCEEDED, says: str = ""
    ) -> None:
        """Let a job have ended."""
        self.running[key] = Progress(
            state=state, reference=key, output=says, cursor="1"
        )

    def end_all(self, state: JobState = JobState.SUCCEEDED) -> None:
        """Let all that runs have ended."""
        for key, one in self.running.items():
            if not one.has_ended:
                self.end(key, state)


class Health:
    """A check whose readings the test says; none at all is no value."""

    def __init__(self, clock: FakeClock, value: float = 0.0) -> None:
        """Begin with something that is bad, or as it is told."""
        self.clock = clock
        self.value: float | None = value
        self.subjects: list[Subject] = []

    async def measure(self, subject: Subject) -> Reading:
        """Return what the test says."""
        self.subjects.append(subject)
        return Reading(
            check="health", at=self.clock.now(), value=self.value, limit=1.0
        )

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return good from one on, worse below what it was."""
        if after.value is None:
            return Judgement.UNKNOWN
        if before is not None and after.value < (before.value or 0.0):
            return Judgement.WORSE
        return Judgement.GOOD if after.value >= 1 else Judgement.BAD
