"""Elsewhere: missions whose jobs only another node can follow.

A deed of the local hands, or a play of Ansible, runs on the machine that
began it. Any node may take its mission, and one that finds nothing of the job
on its own machine gives it back at once, and lets it be for a while: who has
the job follows it, and nobody else pushes in between.
"""

from app.core.clock import Clock

# So long it is left alone; then its own node may have gone for good.
LET_BE_SECONDS = 30.0


class Elsewhere:
    """Remembers which missions a node leaves to others, and until when."""

    def __init__(self, clock: Clock) -> None:
        """Take the time."""
        self._clock = clock
        self._until: dict[int, float] = {}

    def leave(self, number: int) -> None:
        """Let a mission be for a while."""
        self._until[number] = self._clock.monotonic() + LET_BE_SECONDS

    def now(self) -> tuple[int, ...]:
        """Return the missions that are let be now."""
        now = self._clock.monotonic()
        # Looks ask from threads of their own.
        for number, until in tuple(self._until.items()):
            if until <= now:
                self._until.pop(number, None)
        return tuple(self._until)
