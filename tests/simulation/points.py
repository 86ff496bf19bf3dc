"""Points: where a node can be held up, fail, or die.

Every await of the engine ends at one: before and after each turn, each look
at the store or the kill switch, each word to a backend, a check or a brain.
"""

import asyncio

import msgspec

from tests.simulation.loop import SimLoop


class Died(BaseException):
    """The process is gone: nothing of it may do anything any more."""


class Point(msgspec.Struct, eq=False):
    """One place where a node waits for the simulation to let it go on.

    Attributes:
        node: the name of the node.
        what: turn, turned, look, halted, start, started, check, brain ...
        about: what it is about.
        task: the task that waits.
        future: resolved with its fate; empty when all is well.
    """

    node: str
    what: str
    about: str
    task: str
    future: asyncio.Future[str]


class Gate:
    """The points of one node."""

    def __init__(self, node: str, loop: SimLoop, points: list[Point]) -> None:
        """Take the node's name and loop, and where all points wait."""
        self.node = node
        self.is_dead = False
        self._loop = loop
        self._points = points

    async def point(self, what: str, about: str = "") -> str:
        """Wait to be let go on; return what is to go wrong, or nothing."""
        if self.is_dead:
            raise Died
        future: asyncio.Future[str] = self._loop.create_future()
        task = asyncio.current_task()
        name = task.get_name() if task else ""
        self._points.append(Point(self.node, what, about, name, future))
        fate = await future
        if self.is_dead:
            raise Died
        if fate == "hangs":
            await self.forever()
        return fate

    async def forever(self) -> None:
        """Wait for what never comes; only a timeout ends it."""
        await self._loop.create_future()
        raise Died

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has gone on."""
        if self.is_dead:
            raise Died
        await asyncio.sleep(seconds)
