"""The fleet: where jobs run, and which of those that we sent are out there.

A job is told to end once that is written down. When the database is away, or
its disk is full, nothing can be; the file of the kill switch needs neither.
So while the file is there, whatever nobody told within a moment is told all
the same. It is written down, and told again, once the store is back.
"""

import asyncio
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from app.core.errors import CannotTell, NotHere, OutgoingFailed
from app.core.log import get_log
from app.engine.bell import Bell
from app.engine.ways import Ways
from app.models.job import Order
from app.ports import Backend

# So many jobs are remembered, the newest.
MOST = 1_000
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
        is_told: whether it was told to end.
    """

    backend: str
    order: Order
    is_told: bool = False


class Fleet:
    """Knows the backends, and what was sent; ends it when nobody else can."""

    def __init__(self, backends: Mapping[str, Backend], ways: Ways) -> None:
        """Take where jobs run, and how the kill switch is reached."""
        self._backends = backends
        self._ways = ways
        self._sent: dict[int, Sent] = {}
        self._is_halted = False
        self._bell = Bell()

    def find(self, name: str) -> Backend | None:
        """Return where jobs of a backend run, None when it is gone."""
        return self._backends.get(name)

    def note(self, job: int, backend: str, order: Order) -> None:
        """Remember a job that is sent, or runs."""
        known = self._sent.pop(job, None)
        is_told = known is not None and known.is_told
        self._sent[job] = Sent(backend, order, is_told)
        if len(self._sent) > MOST:
            del self._sent[next(iter(self._sent))]
        if self._is_halted:
            self._bell.ring()

    def told(self, job: int) -> None:
        """Hear that a job was told to end."""
        if job in self._sent:
            self._sent[job].is_told = True

    def forget(self, job: int) -> None:
        """Hear that a job has ended, or that nobody follows it any more."""
        self._sent.pop(job, None)

    def look(self) -> None:
        """Look at once whether all is halted; on the event loop."""
        self._bell.ring()

    async def run(self) -> None:
        """Go on until cancelled."""
        await self._bell.rounds(self._round)

    async def _round(self) -> float:
        """Tell what nobody told; return how long there is nothing to do."""
        self._is_halted = bool(await self._ways.halted())
        if not self._is_halted or not self._untold():
            return FOREVER
        await asyncio.sleep(GRACE_SECONDS)
        left = self._untold()
        await asyncio.gather(*(self._end(number) for number in left))
        return RETRY_SECONDS

    def _untold(self) -> list[int]:
        """Return the jobs that nobody has told to end."""
        return [n for n, one in self._sent.items() if not one.is_told]

    async def _end(self, number: int) -> None:
        """Tell a job to end; what fails is tried again."""
        sent = self._sent[number]
        backend = self._backends[sent.backend]
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await backend.abort(await _find(backend, sent.order))
        except NotHere:
            self.forget(number)
        except (OutgoingFailed, TimeoutError) as error:
            log.warning("job.not_ended", job=number, error=str(error))
        else:
            self.told(number)
            log.warning("job.ended_unwritten", job=number)


async def _find(backend: Backend, order: Order) -> Order:
    """Return an order with what its backend calls it, if that is known.

    Raises:
        OutgoingFailed: nobody answers.
    """
    if order.reference:
        return order
    try:
        found = await backend.find(order)
    except CannotTell:
        found = None
    return replace(order, reference=found.reference) if found else order
