"""Leases: until when a worker has what it took, and what it is called."""

import asyncio
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import copy

from app.core.clock import Clock

# How long a shut-down waits for what is under way.
GRACE_SECONDS = 4.0


class Lease:
    """Until when a mission is ours, by a clock that never jumps.

    Attributes:
        is_interruptible: whether what is done now may be called off.
        hurried: see app/engine/ways.py.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        """Take the time, and how long a lease is."""
        self._clock = clock
        self._seconds = seconds
        self._until = clock.monotonic() + seconds
        self.is_interruptible = False
        self.hurried = asyncio.Event()

    def another(self) -> "Lease":
        """Return one that lasts as long, and is hurried by itself."""
        lease = copy(self)
        lease.hurried = asyncio.Event()
        return lease

    def renew(self, began: float) -> None:
        """Have it for longer, since a moment before it was renewed."""
        self._until = began + self._seconds

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let the work be called off meanwhile: it only looks."""
        self.is_interruptible = True
        try:
            yield
        finally:
            self.is_interruptible = False

    def is_held(self) -> bool:
        """Tell whether nobody else can have taken it meanwhile."""
        return self._clock.monotonic() < self._until


async def wind_down(
    tasks: Collection["asyncio.Task[None]"], leases: Mapping[int, Lease]
) -> list[int]:
    """Call off what is under way; return what was not given back by it.

    What is being sent is answered first, if that does not take long.
    """
    under_way = list(tasks)
    if under_way:
        await asyncio.wait(under_way, timeout=GRACE_SECONDS)
    left = list(leases)
    await call_off(*under_way)
    return left


async def call_off(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def node_name(random: int) -> str:
    """Return what no other worker is called."""
    return f"{socket.gethostname()[:40]}:{random:x}"
