"""Pace: lets one thing pass once in a while, each by its own name."""

from app.core.clock import Clock


class Pace:
    """Knows when each thing passed last; of the newest ones only."""

    def __init__(self, seconds: float, clock: Clock, most: int) -> None:
        """Take the pause between two, and how many things are known."""
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._passed: dict[str, float] = {}

    def admits(self, name: str) -> bool:
        """Tell whether something may pass now; if so it is noted."""
        now = self._clock.monotonic()
        last = self._passed.get(name)
        if last is not None and now - last < self._seconds:
            return False
        self._passed.pop(name, None)
        if len(self._passed) >= self._most:
            del self._passed[next(iter(self._passed))]
        self._passed[name] = now
        return True

    def forget(self, name: str) -> None:
        """Let something pass at once the next time."""
        self._passed.pop(name, None)
