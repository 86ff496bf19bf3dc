"""The bell: it rings when the action log has grown.

Chores that follow the log do a round when it rings, or when the pause is over
that their last round asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.engine.keeper import Keeper


class Bell:
    """Wakes one chore; made anywhere, waited for on one event loop."""

    def __init__(self) -> None:
        """Begin silent."""
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Ring, from the event loop's own thread."""
        self._rung.set()

    def hang(self, keeper: Keeper) -> None:
        """Ring from now on whenever a keeper says that the log has grown."""
        loop = asyncio.get_running_loop()

        def tell() -> None:
            """Ring, from the keeper's thread."""
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._rung.set)

        keeper.listen(tell)

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
