"""The line: what waits for a turn of the keeper, in its order.

Whoever stops everything passes all that waits, also what was called up
together already: behind sixteen calls he would wait for sixteen turns.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from app.core.errors import TooBusy
from app.store.ledger import Connection

MOST_WAITING = 1_000
T = TypeVar("T")
Work = Callable[[Connection], T]


class Call:
    """Something that was asked for, and what came of it."""

    def __init__(self, work: Work[Any], future: Future[Any]) -> None:
        """Take what is to be done, and who waits for it."""
        self.work = work
        self.result: Any = None
        self.error: Exception | None = None
        self._future = future

    def begin(self) -> bool:
        """Tell whether whoever waits has not gone."""
        return self._future.set_running_or_notify_cancel()

    def answer(self) -> None:
        """Tell whoever waits what came of it."""
        if self.error is None:
            self._future.set_result(self.result)
        else:
            self.fail(self.error)

    def fail(self, error: Exception) -> None:
        """Tell whoever waits that nothing of it is stored."""
        self._future.set_exception(error)


class Line:
    """Calls that wait; they come from any thread, and one takes them."""

    def __init__(self) -> None:
        """Begin empty."""
        self._calls: deque[Call] = deque()
        self._urgent: deque[Call] = deque()
        self._hurry = threading.Event()
        self._has_ended = False

    def __len__(self) -> int:
        """Return how many wait in their order."""
        return len(self._calls)

    def __bool__(self) -> bool:
        """Tell whether any waits."""
        return bool(self._calls or self._urgent)

    @property
    def is_urged(self) -> bool:
        """Tell whether somebody waits who goes before all others."""
        return bool(self._urgent)

    def add(self, work: Work[T], *, is_urgent: bool) -> Future[T]:
        """Let some work wait; the future says how it went.

        Raises:
            TooBusy: too much is waiting; what is urgent always may.
        """
        if len(self) >= MOST_WAITING and not is_urgent:
            raise TooBusy("keeper_busy", "Too much waits to be written.")
        future: Future[T] = Future()
        call = Call(work, future)
        if is_urgent:
            self._urgent.append(call)
            self._hurry.set()
        else:
            self._calls.append(call)
        return future

    def take(self, most: int) -> list[Call]:
        """Return so many that are next; whoever has gone is left out."""
        some = [self._calls.popleft() for _ in range(most)]
        return [call for call in some if call.begin()]

    def take_urgent(self) -> list[Call]:
        """Return the next one that is urgent, alone; or none."""
        self._hurry.clear()
        while self._urgent:
            call = self._urgent.popleft()
            if call.begin():
                return [call]
        return []

    def rest(self, seconds: float) -> None:
        """Wait, unless something urgent comes, or the end."""
        if not self._has_ended:
            self._hurry.wait(seconds)

    def end(self) -> None:
        """Rest no more."""
        self._has_ended = True
        self._hurry.set()
