"""Sharing: identical cases that are decided at once share one call.

Two cases are identical when the brain could not tell them apart: the same
case, menu, brain and settings. What failed is shared by those that wait for
it, and asked again by whoever comes later.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec

from app.core.clock import Clock
from app.decide.deciding import Decided
from app.models.choice import Why

MOST_KEPT = 500
Ask = Callable[[], Awaitable[Decided]]
Key = tuple[str, ...]


class Shared(msgspec.Struct, frozen=True):
    """What came of a case, and whether another one paid for it."""

    decided: Decided
    is_shared: bool


class Sharing:
    """Remembers what is asked now, and what was answered lately."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        """Take the time, and how long an answer is worth sharing."""
        self._clock = clock
        self._seconds = seconds
        self._asked: dict[Key, asyncio.Future[Decided]] = {}
        self._answered: OrderedDict[Key, tuple[float, Decided]] = OrderedDict()

    async def ask(self, key: Key, ask: Ask) -> Shared:
        """Return what comes of a case; only the first one asks.

        When the first one is called off, the next asks for itself.

        Args:
            key: what makes it identical to another.
            ask: asks the brain.
        """
        known = self._find(key)
        if known is not None:
            return Shared(known, is_shared=True)
        waiting = self._asked.get(key)
        if waiting is not None:
            await asyncio.wait([waiting])
            if not waiting.cancelled() and waiting.exception() is None:
                return Shared(waiting.result(), is_shared=True)
        return Shared(await self._first(key, ask), is_shared=False)

    async def _first(self, key: Key, ask: Ask) -> Decided:
        """Ask, and let the others have the answer."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Decided] = loop.create_future()
        self._asked[key] = future
        try:
            decided = await ask()
            self._keep(key, decided)
            future.set_result(decided)
        finally:
            if self._asked.get(key) is future:
                del self._asked[key]
            # Called off, or a bug: whoever waits asks for itself.
            future.cancel()
        return decided

    def _find(self, key: Key) -> Decided | None:
        """Return what was answered lately, or None."""
        now = self._clock.monotonic()
        while self._answered:
            first = next(iter(self._answered))
            if self._answered[first][0] + self._seconds > now:
                break
            del self._answered[first]
        found = self._answered.get(key)
        return None if found is None else found[1]

    def _keep(self, key: Key, decided: Decided) -> None:
        """Remember an answer that is worth it."""
        if decided.decision.why == Why.UNAVAILABLE:
            return
        self._answered[key] = self._clock.monotonic(), decided
        self._answered.move_to_end(key)
        while len(self._answered) > MOST_KEPT:
            self._answered.popitem(last=False)
