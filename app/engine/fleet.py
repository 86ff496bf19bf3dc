"""The fleet: where jobs run, and which of those that we sent are out there.

A job is told to end once that is written down. When the database is away, or
its disk is full, nothing can be; the file of the kill switch needs neither.
So while the file is there, whatever nobody told within a moment is told all
the same. It is written down, and told again, once the store is back.
A word that was written down and did not reach its backend is told again, too,
each second.
"""

import asyncio
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from app.core.clock import Clock
from app.core.errors import CannotTell, NotHere, SmokejumperError
from app.core.log import get_log
from app.engine.bell import Bell
from app.models.job import HALTED, Order
from app.ports import Backend

# So many jobs are remembered, the newest.
MOST = 1_000
# Nobody follows what was not heard of for so long beyond its time.
STALE_SECONDS = 60.0
# So long those have who write down what they tell.
GRACE_SECONDS = 0.5
RETRY_SECONDS = 1.0
CALL_SECONDS = 10.0
FOREVER = 3_600.0
log = get_log("fleet")


class Sent(msgspec.Struct):
    """A job that was sent, and has not ended as far as is known.

    Attributes:
        backend: where it runs.
        order: what its backend is told of it.
        until: when it is forgotten, by the clock that never goes back.
        is_told: whether it was told to end.
        missed: the word that was written down, and did not reach it.
    """

    backend: Backend
    order: Order
    until: float
    is_told: bool = False
    missed: str = ""


class Fleet:
    """Knows the backends, and what was sent; ends it when nobody else can."""

    def __init__(self, backends: Mapping[str, Backend], clock: Clock) -> None:
        """Take where jobs run, and the time."""
        self._backends = backends
        self._clock = clock
        self._sent: dict[int, Sent] = {}
        self._telling: dict[int, asyncio.Task[None]] = {}
        self._is_halted = False
        self._is_switched = False
        self._bell = Bell()

    def find(self, name: str) -> Backend | None:
        """Return where jobs of a backend run, None when it is gone."""
        return self._backends.get(name)

    def note(self, job: int, backend: Backend, order: Order) -> None:
        """Remember a job that is sent, or runs."""
        until = self._clock.monotonic() + order.seconds + STALE_SECONDS
        sent = self._sent.pop(job, Sent(backend, order, until))
        self._sent[job] = replace(sent, order=order, until=until)
        if len(self._sent) > MOST:
            del self._sent[next(iter(self._sent))]
        if self._is_halted:
            self._bell.ring()

    def told(self, job: int, *, missed: str = "") -> None:
        """Hear that a job is told to end, or which word did not reach it."""
        if job in self._sent:
            self._sent[job].is_told = not missed
            self._sent[job].missed = missed
            if missed:
                self._bell.ring()

    def forget(self, job: int) -> None:
        """Hear that a job has ended, or that nobody follows it any more."""
        self._sent.pop(job, None)

    def hear(self, *, is_halted: bool) -> None:
        """Hear whether the file is there; on the event loop."""
        self._is_halted = is_halted
        if not is_halted:
            # What goes on may have to be told anew, another time.
            for one in self._sent.values():
                one.is_told = False
        self._bell.ring()

    def heed(self, *, is_halted: bool) -> None:
        """Hear whether the switch is set; on the event loop.

        Whoever has set it tells all; what did not hear it is told again.
        """
        self._is_switched = is_halted
        self._bell.ring()

    async def run(self) -> None:
        """Go on until cancelled."""
        try:
            await self._bell.rounds(self._round)
        finally:
            for task in self._telling.values():
                task.cancel()

    async def _round(self) -> float:
        """Tell what nobody told; return how long there is nothing to do."""
        if not self._find_untold():
            return FOREVER
        await asyncio.sleep(GRACE_SECONDS)
        for number in self._find_untold():
            if number not in self._telling:
                telling = asyncio.create_task(self._tell(number))
                self._telling[number] = telling
        return RETRY_SECONDS

    def _find_untold(self) -> list[int]:
        """Return what runs while it must not, and nobody has told to end.

        What is old is forgotten.
        """
        now = self._clock.monotonic()
        for number, one in tuple(self._sent.items()):
            if one.until < now:
                self.forget(number)
        return [
            number
            for number, one in self._sent.items()
            if self._must_hear(one)
        ]

    def _must_hear(self, one: Sent) -> bool:
        """Tell whether a job is to be told, as things stand now."""
        if self._is_halted and not one.is_told:
            return True
        # What goes on again may: the word of a halt that is over is none.
        return bool(one.missed) and (
            self._is_switched or not one.missed.startswith(HALTED)
        )

    async def _tell(self, number: int) -> None:
        """Tell a job to end; what fails is tried again."""
        try:
            sent = self._sent.get(number)
            if sent is not None:
                async with asyncio.timeout(CALL_SECONDS):
                    await self._end(number, sent)
        except (SmokejumperError, TimeoutError) as error:
            log.warning("fleet.not_told", job=number, error=str(error))
        finally:
            del self._telling[number]

    async def _end(self, number: int, sent: Sent) -> None:
        """Tell a job to end, by its key where it has not answered yet.

        What nobody knows to run may arrive after the word: it is told again.

        Raises:
            SmokejumperError: it could not be told.
        """
        order = await _look_up(sent)
        try:
            await sent.backend.abort(order)
        except NotHere:
            if order.reference:
                self.forget(number)
            raise
        is_again = bool(sent.missed)
        if order.reference:
            self.told(number)
        if is_again:
            log.warning("fleet.told_again", job=number)
        else:
            log.warning("fleet.told_unwritten", job=number)


async def _look_up(sent: Sent) -> Order:
    """Return an order with what its backend calls it, if that is known.

    Raises:
        OutgoingFailed: nobody answers.
    """
    if sent.order.reference:
        return sent.order
    try:
        found = await sent.backend.find(sent.order)
    except CannotTell:
        found = None
    reference = found.reference if found else ""
    return replace(sent.order, reference=reference)
