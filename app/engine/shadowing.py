"""Shadows: brains that decide beside the live one, in nobody's way.

A shadow may be a model that takes a minute, or hangs: no live decision waits
for it. Some are asked at once, some more wait; beyond these it is left out.
"""

import asyncio
from collections.abc import Awaitable, Callable

from app.core.clock import Clock
from app.core.log import get_log
from app.core.pace import Pace

MOST_WAITING = 100
TELL_SECONDS = 60.0
log = get_log("decide")


class Shadows:
    """Asks shadows, as long as the service runs."""

    def __init__(self, most: int, clock: Clock) -> None:
        """Take how many are asked at once."""
        self._places = asyncio.Semaphore(most)
        self._most = most + MOST_WAITING
        self._tasks: set[asyncio.Task[None]] = set()
        self._pace = Pace(TELL_SECONDS, clock, 1)

    def begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Ask one when it is its turn; leave it out when too many wait."""
        if len(self._tasks) >= self._most:
            if self._pace.admits("left out"):
                log.warning("decide.shadows_left_out", waiting=MOST_WAITING)
            return
        task = asyncio.create_task(self._ask(work))
        self._tasks.add(task)
        task.add_done_callback(self._end)

    async def stop(self) -> None:
        """Call off what is under way: nothing rests on it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, work: Callable[[], Awaitable[None]]) -> None:
        """Ask one when there is a place."""
        async with self._places:
            await work()

    def _end(self, task: asyncio.Task[None]) -> None:
        """Forget one; what failed is said, and not tried again."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.warning("decide.shadow_failed", error=repr(error))
