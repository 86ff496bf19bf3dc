"""The HTTP protocol with deadlines, which uvicorn alone does not have.

A sender that drips its headers or its body is cut off; so is everyone who
comes when all the connections are taken. One look a second over the open
connections costs less than a timer for each request.
"""

import asyncio
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.problems import Problem
from app.core.log import get_log
from app.core.settings import Limits

SWEEP_SECONDS = 1.0
log = get_log("api")


def _refusal(status: str, problem: Problem) -> bytes:
    """Return a whole answer that ends the connection."""
    body = msgspec.json.encode(problem)
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nretry-after: 5\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body


TOO_SLOW = _refusal(
    "408 Request Timeout",
    Problem(
        title="Too slow",
        status=408,
        reason="too_slow",
        detail="The request did not arrive in time.",
        remedy="Send it at once; see server.limits in the settings.",
    ),
)
FULL = _refusal(
    "503 Service Unavailable",
    Problem(
        title="Not now",
        status=503,
        reason="connections",
        detail="All connections are taken.",
        remedy="Send it again in a few seconds.",
    ),
)


class Watch:
    """Looks over the open connections once a second."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.protocols: set[DeadlineProtocol] = set()
        self.by_peer: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, protocol: "DeadlineProtocol", peer: str) -> bool:
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
            self._plan(protocol.loop)
        return True

    def remove(self, protocol: "DeadlineProtocol", peer: str) -> None:
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
        """Cut off whoever is too slow; rest when nobody is there."""
        now = loop.time()
        for protocol in tuple(self.protocols):
            protocol.cut_off_if_late(now, self.limits)
        self._timer = None
        if self.protocols:
            self._plan(loop)


class DeadlineProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a deadline for headers and for the body."""

    watch: Watch

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Since when we wait for headers or for a body; 0.0 for neither.
        self._headers_since = 0.0
        self._body_since = 0.0
        self._peer = ""

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Start the clock, or refuse when all connections are taken."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        if not self.watch.add(self, self._peer):
            transport.write(FULL)
            transport.close()
            return
        self._headers_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self.watch.remove(self, self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless the connection was refused."""
        if not self.transport.is_closing():
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Start to wait for the headers."""
        super().on_message_begin()
        if not self._headers_since:
            self._headers_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Start to wait for the body."""
        self._body_since = self._headers_since
        self._headers_since = 0.0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing: the request is here."""
        self._body_since = 0.0
        super().on_message_complete()

    def cut_off_if_late(self, now: float, limits: Limits) -> None:
        """End the connection when headers or body are overdue."""
        late = (
            self._headers_since
            and now - self._headers_since > limits.header_seconds
        ) or (
            self._body_since and now - self._body_since > limits.body_seconds
        )
        if not late or self.transport.is_closing():
            return
        log.warning("connection.too_slow", peer=self._peer)
        if self.cycle is None or not self.cycle.response_started:
            self.transport.write(TOO_SLOW)
        self.transport.close()


def make_protocol(limits: Limits) -> type[DeadlineProtocol]:
    """Return the protocol class of one server."""

    class Protocol(DeadlineProtocol):
        """The protocol with this server's limits."""

        watch = Watch(limits)

    return Protocol
