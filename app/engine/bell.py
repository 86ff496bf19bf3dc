"""The bell: it rings when the action log has grown.

Chores that follow the log do a round when it rings, or when the pause is over
that their last round asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.engine.keeper import Keeper

# How late it may ring for who has time: one step of a mission writes several
# times, and each round costs a look.
LATE_SECONDS = 0.25


class Bell:
    """Wakes one chore; made anywhere, waited for on one event loop."""

    def __init__(self) -> None:
        """Begin silent."""
        self._rung = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._is_hung = False

    def ring(self) -> None:
        """Ring, from the event loop's own thread."""
        self._rung.set()

    def hang(self, keeper: Keeper, *, late: float = 0.0) -> None:
        """Ring from now on whenever a keeper says that the log has grown.

        Args:
            keeper: writes the log.
            late: by how many seconds it may come.
        """
        if self._is_hung:
            return
        self._is_hung = True
        loop = asyncio.get_running_loop()

        def tell() -> None:
            """Ring, from the keeper's thread."""
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._ring_within, late)

        keeper.listen(tell)

    def _ring_within(self, seconds: float) -> None:
        """Ring so much later at most, once for all that comes meanwhile."""
        if self._timer is None and not self._rung.is_set():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._ring_late)

    def _ring_late(self) -> None:
        """Ring for all that came."""
        self._timer = None
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, or so long; it may have rung before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()

    async def rounds(self, do: Callable[[], Awaitable[float]]) -> None:
        """Do one round after the other, until cancelled.

        Args:
            do: does a round; returns for how many seconds nothing is known.
        """
        while True:
            # What rings during a round is not missed.
            self._rung.clear()
            pause = await do()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._rung.wait()
