"""Aside: calls that may hang, each in a thread that is given up in time.

What hangs once is not called again as long as it does: a file system whose
server is away costs one thread, however often somebody looks.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Lock, Thread
from typing import Generic, TypeVar

import psutil

from app.core.errors import OutgoingFailed

# What the kernel writes may be of another version than we know.
KNOWN = (OutgoingFailed, psutil.Error, OSError, ValueError, LookupError)
T = TypeVar("T")
_STUCK: dict[str, Thread] = {}
_LOCK = Lock()


class Aside(Generic[T]):
    """One call in a thread of its own."""

    def __init__(self, key: str, call: Callable[[], T]) -> None:
        """Begin it.

        Args:
            key: what is looked at: what hangs is known by it.
            call: what is called.

        Raises:
            OutgoingFailed: an earlier call of it still hangs.
        """
        self._key = key
        self._answer: Future[T] = Future()
        with _LOCK:
            earlier = _STUCK.get(key)
            if earlier is not None and earlier.is_alive():
                raise OutgoingFailed("an earlier look at it still hangs")
            _STUCK.pop(key, None)
        self._thread = Thread(
            target=partial(_call, call, self._answer), name=key, daemon=True
        )
        self._thread.start()

    def get(self, seconds: float) -> T:
        """Return what it says, or raise why not: one of KNOWN."""
        until = time.monotonic() + seconds
        try:
            return self._answer.result(max(0.0, until - time.monotonic()))
        except TimeoutError as error:
            if self._answer.done():
                raise
            with _LOCK:
                _STUCK[self._key] = self._thread
            text = f"it did not answer in {max(seconds, 0):.1f} s"
            raise OutgoingFailed(text) from error


def _call(call: Callable[[], T], answer: "Future[T]") -> None:
    """Call; a bug ends the thread, after its answer."""
    failed: BaseException | None = OutgoingFailed("a bug: see the log")
    try:
        answer.set_result(call())
        failed = None
    except KNOWN as error:
        failed = error
    finally:
        if failed is not None:
            answer.set_exception(failed)
