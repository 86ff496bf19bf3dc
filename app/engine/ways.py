"""The ways: how a worker reaches the store and the kill switch.

The simulation has its own, which crash wherever one can.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from app.engine.keeper import Keeper
from app.guard.halting import Halting
from app.store.aside import ask_aside
from app.store.glance import Seen
from app.store.ledger import Connection
from app.store.reading import Reader

T = TypeVar("T")
Work = Callable[[Connection], T]


class Ways(Protocol):
    """How the store and the kill switch are reached."""

    async def turn(self, work: Work[T]) -> T:
        """Do some work in a transaction as the only writer."""

    async def urge(self, work: Work[T]) -> T:
        """Do the same before all that waits: to end what runs."""

    async def look(self, work: Work[T]) -> T:
        """Do some work on a snapshot."""

    async def glance(self, work: Work[T], last: Seen[T] | None) -> Seen[T]:
        """Do some work on a snapshot, unless nobody has written since."""

    async def halted(self) -> str:
        """Return why nothing may start, as the file says it; or empty."""

    async def pause(self, seconds: float) -> None:
        """Wait."""


class Hold(Protocol):
    """Whether a mission is ours."""

    @property
    def hurried(self) -> asyncio.Event:
        """Return what is set once its job must end, or all is halted.

        What its backend says must be known then before anything else is
        written.
        """

    def is_held(self) -> bool:
        """Tell whether nobody else can have taken it meanwhile."""

    def interruptible(self) -> AbstractContextManager[None]:
        """Let the work be called off meanwhile: it only looks."""


class RealWays:
    """The keeper writes, the reader reads, the file lies on the disk."""

    def __init__(
        self,
        keeper: Keeper,
        reader: Reader,
        halting: Halting,
        off: str = "",
    ) -> None:
        """Take the keeper, the reader, and who looks at the file.

        Args:
            keeper: writes.
            reader: reads.
            halting: looks at the file of the kill switch.
            off: why nothing may ever start here; or empty.
        """
        self._off = off
        self._keeper = keeper
        self._reader = reader
        self._halting = halting

    async def turn(self, work: Work[T]) -> T:
        """Do some work in a turn of the keeper."""
        asked = asyncio.wrap_future(self._keeper.ask(work))
        return await asyncio.shield(asked)

    async def urge(self, work: Work[T]) -> T:
        """Do some work in the next turn of the keeper."""
        asked = self._keeper.ask(work, is_urgent=True)
        return await asyncio.shield(asyncio.wrap_future(asked))

    async def look(self, work: Work[T]) -> T:
        """Do some work on a snapshot, on a thread."""
        return await ask_aside(self._reader.ask, work)

    async def glance(self, work: Work[T], last: Seen[T] | None) -> Seen[T]:
        """Do some work on a snapshot, unless nobody has written since."""
        return await self._reader.glimpse(work, last)

    async def halted(self) -> str:
        """Return what the file of the kill switch says, on a thread."""
        return self._off or await asyncio.to_thread(self._halting.look)

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
