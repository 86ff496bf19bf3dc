"""How long a connection may wait, and the watch that looks after it.

One look a second over the open connections costs less than a timer for
each request.
"""

import asyncio
from enum import Enum
from typing import Protocol

from app.core.log import get_log
from app.core.settings import Limits

SWEEP_SECONDS = 1.0
log = get_log("api")


class Late(Enum):
    """What a connection has waited for in vain."""

    NOT_READ = "the other side does not read, or does not let us go"
    IDLE = "no further request came"
    TOO_SLOW = "a request began and did not arrive"


class Waits:
    """Since when one connection waits for what; 0.0 when it does not."""

    __slots__ = ("body", "closing", "headers", "idle", "unread")

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self.headers = 0.0
        self.body = 0.0
        self.idle = 0.0
        self.unread = 0.0
        self.closing = 0.0

    def expect_nothing(self) -> None:
        """Stop to wait for requests."""
        self.headers = self.body = self.idle = 0.0

    def late(self, now: float, limits: Limits) -> Late | None:
        """Return which wait is over its time, None when none is."""
        if _is_over(self.unread or self.closing, now, limits.body_seconds):
            return Late.NOT_READ
        if self.closing:
            return None
        if _is_over(self.idle, now, limits.idle_seconds):
            return Late.IDLE
        if _is_over(self.headers, now, limits.header_seconds):
            return Late.TOO_SLOW
        if _is_over(self.body, now, limits.body_seconds):
            return Late.TOO_SLOW
        return None


def _is_over(since: float, now: float, seconds: float) -> bool:
    """Tell whether a wait that began, if any did, is over its time."""
    return since > 0.0 and now - since > seconds


class Watched(Protocol):
    """A connection as the watch sees it."""

    def cut_off_if_late(self, now: float, limits: Limits) -> None:
        """End the connection when what it waits for is overdue."""


class Watch:
    """Counts the open connections and looks over them once a second."""

    def __init__(self, limits: Limits) -> None:
        """Start with nobody to look over."""
        self.limits = limits
        self.protocols: set[Watched] = set()
        self.by_peer: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(
        self, protocol: Watched, peer: str, loop: asyncio.AbstractEventLoop
    ) -> bool:
        """Count a connection in; say False when there is no room."""
        taken = self.by_peer.get(peer, 0)
        if (
            len(self.protocols) >= self.limits.connections
            or taken >= self.limits.connections_per_peer
        ):
            log.warning("connection.refused", peer=peer, of_peer=taken)
            return False
        self.protocols.add(protocol)
        self.by_peer[peer] = taken + 1
        if self._timer is None:
            self._plan(loop)
        return True

    def remove(self, protocol: Watched, peer: str) -> None:
        """Count a connection out."""
        if protocol not in self.protocols:
            return
        self.protocols.remove(protocol)
        self.by_peer[peer] -= 1
        if not self.by_peer[peer]:
            del self.by_peer[peer]

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look again in a second."""
        self._timer = loop.call_later(SWEEP_SECONDS, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cut off whoever is too slow; rest when nobody is there.

        The next look is planned first, so that a bug in this one does not
        end them all.
        """
        self._timer = None
        if self.protocols:
            self._plan(loop)
        now = loop.time()
        for protocol in tuple(self.protocols):
            protocol.cut_off_if_late(now, self.limits)
