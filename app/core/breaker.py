"""A breaker: who failed so often in a row is left alone for a while.

Closed, everything goes through. Open, nothing does. When its time is over
one call goes through as a trial: it closes the breaker, or opens it anew.
"""

from app.core.clock import Clock


class Breaker:
    """Counts failures in a row; used on one event loop only."""

    def __init__(self, clock: Clock, failures: int, seconds: float) -> None:
        """Take after how many failures it opens, and for how long."""
        self._clock = clock
        self._most = failures
        self._seconds = seconds
        self._failures = 0
        self._until: float | None = None
        self._is_trying = False

    @property
    def seconds_left(self) -> float:
        """Return how long it stays open; 0 when a call may go through."""
        if self._until is None:
            return 0.0
        return max(0.0, self._until - self._clock.monotonic())

    def admits(self) -> bool:
        """Tell whether a call may go through; it then must report back."""
        if self._until is None:
            return True
        if self._is_trying or self.seconds_left > 0:
            return False
        self._is_trying = True
        return True

    def succeed(self) -> None:
        """Close it: a call came back."""
        self._failures = 0
        self._until = None
        self._is_trying = False

    def fail(self) -> None:
        """Count a failure; open when they are too many, or after a trial."""
        self._failures += 1
        if self._is_trying or self._failures >= self._most:
            self._until = self._clock.monotonic() + self._seconds
        self._is_trying = False

    def forget(self) -> None:
        """Count nothing: what ended the call was not its server."""
        self._is_trying = False
