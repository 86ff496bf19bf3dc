"""Time and an event loop that only move when the simulation says so."""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from typing import Any, cast

SECOND = 1_000_000
BEGINNING = 1_795_227_242_000_000


class SimClock:
    """The one time of the world; the wall clock may jump, the other never."""

    def __init__(self) -> None:
        """Begin on a day like any other."""
        self.wall = BEGINNING
        self.ticks = 0

    def now(self) -> int:
        """Return the moment on the wall."""
        return self.wall

    def monotonic(self) -> float:
        """Return seconds since the beginning."""
        return self.ticks / SECOND

    def pass_by(self, span: int) -> None:
        """Let some microseconds pass, on both clocks."""
        self.wall += span
        self.ticks += span

    def jump(self, span: int) -> None:
        """Let the wall clock jump."""
        self.wall += span


class NodeClock:
    """The clock of one machine: it goes a little wrong."""

    def __init__(self, world: SimClock, skew: int = 0) -> None:
        """Take the time, and by how much this clock is off."""
        self._world = world
        self.skew = skew

    def now(self) -> int:
        """Return the moment that this machine believes in."""
        return self._world.now() + self.skew

    def monotonic(self) -> float:
        """Return seconds since the beginning."""
        return self._world.monotonic()


class SimLoop:
    """An event loop of one node, stepped by hand; nothing in it waits.

    It has what tasks, futures and timeouts ask of a loop, and no more.
    """

    def __init__(self, clock: SimClock, name: str) -> None:
        """Take the time, and what the tasks are called after."""
        self._clock = clock
        self._name = name
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count(1)
        self.tasks: list[asyncio.Task[Any]] = []
        self.complaints: list[str] = []

    def settle(self) -> None:
        """Run all that is ready, and all whose time has come."""
        before = events._get_running_loop()
        events._set_running_loop(cast(Any, self))
        try:
            while self._ready or self._is_late():
                self._take_late()
                while self._ready:
                    handle = self._ready.popleft()
                    if not handle.cancelled():
                        handle._run()
        finally:
            events._set_running_loop(before)
        self.tasks = [one for one in self.tasks if not one.done()]

    def next_timer(self) -> float | None:
        """Return when something has to happen by itself, or None."""
        while self._timers and self._timers[0][2].cancelled():
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _is_late(self) -> bool:
        """Tell whether the time of a timer has come."""
        moment = self.next_timer()
        return moment is not None and moment <= self.time()

    def _take_late(self) -> None:
        """Make those ready whose time has come."""
        while self._is_late():
            self._ready.append(heappop(self._timers)[2])

    # What tasks, futures and timeouts ask of a loop.

    def time(self) -> float:
        """Return the time of timers."""
        return self._clock.monotonic()

    def call_soon(
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Run something with the next settling."""
        handle = asyncio.Handle(callback, args, cast(Any, self), context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run something at a moment."""
        handle = asyncio.TimerHandle(
            when, callback, args, cast(Any, self), context
        )
        heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run something after a while."""
        when = self.time() + delay
        return self.call_at(when, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Let a cancelled timer lie; it is thrown away when it is due."""

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=cast(Any, self))

    def create_task(
        self, coro: Coroutine[Any, Any, Any], **_: Any
    ) -> asyncio.Task[Any]:
        """Return a task of this loop, under a name that repeats itself."""
        name = f"{self._name}.{next(self._numbers)}"
        task = asyncio.Task(coro, loop=cast(Any, self), name=name)
        self.tasks.append(task)
        return task

    def get_debug(self) -> bool:
        """Tell that nothing is traced."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what went wrong where nobody looks."""
        self.complaints.append(str(context.get("exception")))
