"""Wait for what other programs do: look again and again, to a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 40.0


def wait_for(what: str, look: Callable[[], T]) -> T:
    """Return the first true answer of a look, or fail naming what we saw."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while not seen:
        if time.monotonic() > deadline:
            raise AssertionError(f"still no {what}, but {seen!r}")
        time.sleep(LOOK_SECONDS)
        seen = look()
    return seen
