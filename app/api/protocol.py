"""The HTTP protocol: uvicorn's, with deadlines and a lean path.

A sender that drips its headers or its body is cut off, which uvicorn alone
does not do; so is everyone who comes when all the connections are taken.
One look a second over the open connections costs less than a timer for
each request. Deliveries to webhooks go to an Exchange, the rest to FastAPI.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.exchange import Exchange, Webhook
from app.api.problems import Problem
from app.core.log import get_log
from app.core.settings import Limits

SWEEP_SECONDS = 1.0
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
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
        """Start with nobody to look over."""
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
    """One connection: its deadlines, and who answers its requests."""

    watch: Watch
    webhooks: Mapping[bytes, Webhook]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what uvicorn hands a connection, and wait for nothing yet."""
        super().__init__(*args, **kwargs)
        # Since when we wait: for the headers or the body of a request, or
        # for another request; 0.0 when we do not.
        self._headers_since = 0.0
        self._body_since = 0.0
        self._idle_since = 0.0
        # Since when the other side does not read, or does not let us go.
        self._unread_since = 0.0
        self._closing_since = 0.0
        self._is_held = False
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
        self._idle_since = 0.0
        if not self._headers_since:
            self._headers_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Start to wait for the body, and choose who answers."""
        self._body_since = self._headers_since
        self._headers_since = 0.0
        webhook = self.webhooks.get(self.url.partition(b"?")[0])
        if webhook is None:
            super().on_headers_complete()
            return
        before = self.cycle
        exchange = Exchange(
            webhook,
            self,
            self._peer,
            keep_alive=self.parser.get_http_version() != "1.0"
            and self.parser.should_keep_alive(),
        )
        self.cycle = exchange  # type: ignore[assignment]
        is_free = before is None or before.response_complete
        if is_free and not self._is_held:
            exchange.start()
            if self.expect_100_continue:
                self.transport.write(CONTINUE)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))  # type: ignore[arg-type]
        exchange.open(self.parser.get_method(), self.headers)

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body to whoever answers."""
        cycle: object = self.cycle
        if not isinstance(cycle, Exchange):
            super().on_body(body)
        elif not cycle.response_complete:
            cycle.feed(body)

    def on_message_complete(self) -> None:
        """Wait for nothing: the request is here."""
        self._body_since = 0.0
        cycle: object = self.cycle
        if not isinstance(cycle, Exchange):
            super().on_message_complete()
        elif not cycle.response_complete:
            cycle.finish()

    def on_response_complete(self) -> None:
        """Start what waits, or wait for another request.

        uvicorn sets a timer here for each answer; the watch does without.
        """
        self.server_state.total_requests += 1
        self._go_on()

    def _go_on(self) -> None:
        """Take the next request, once the answers so far are being read."""
        if self.transport.is_closing():
            return
        if self._unread_since:
            self._is_held = True
            self.flow.pause_reading()
        elif self.pipeline:
            # Not from here: a long row of refusals would end the stack.
            self.loop.call_soon(self._start_next)
        else:
            self.flow.resume_reading()
            self._idle_since = self.loop.time()

    def _start_next(self) -> None:
        """Start the request that has waited longest."""
        if self.pipeline and not self.transport.is_closing():
            self._start_asgi_task(*self.pipeline.pop())

    def pause_writing(self) -> None:
        """Note that answers pile up, because they are not read."""
        super().pause_writing()
        self._unread_since = self.loop.time()

    def resume_writing(self) -> None:
        """Go on, for the answers are read."""
        super().resume_writing()
        self._unread_since = 0.0
        if self._is_held:
            self._is_held = False
            self._go_on()

    def send_answer(self, answer: bytes, *, is_last: bool) -> None:
        """Write a whole answer and go on, or close when it is the last."""
        self.transport.write(answer)
        if is_last:
            self.transport.close()
        self.on_response_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Start what waited for the answers before it."""
        if isinstance(cycle, Exchange):
            cycle.start()
        else:
            super()._start_asgi_task(cycle, app)

    def cut_off_if_late(self, now: float, limits: Limits) -> None:
        """End the connection when what it waits for is overdue."""
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
        stuck = self._unread_since or self._closing_since
        if _is_late(stuck, now, limits.body_seconds):
            log.warning("connection.not_read", peer=self._peer)
            self.transport.abort()
        elif self._closing_since:
            return
        elif _is_late(self._idle_since, now, limits.idle_seconds):
            self.transport.close()
        elif _is_late(
            self._headers_since, now, limits.header_seconds
        ) or _is_late(self._body_since, now, limits.body_seconds):
            log.warning("connection.too_slow", peer=self._peer)
            if self.cycle is None or not self.cycle.response_started:
                self.transport.write(TOO_SLOW)
            self.transport.close()


def _is_late(since: float, now: float, seconds: float) -> bool:
    """Tell whether a wait that began, if any did, is over its time."""
    return since > 0.0 and now - since > seconds


def make_protocol(
    limits: Limits, webhooks: Mapping[str, Webhook]
) -> type[DeadlineProtocol]:
    """Return the protocol class of one server."""
    routes = {path.encode(): webhook for path, webhook in webhooks.items()}

    class Protocol(DeadlineProtocol):
        """The protocol with this server's limits and webhooks."""

        watch = Watch(limits)

    Protocol.webhooks = routes
    return Protocol
