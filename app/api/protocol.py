"""The HTTP protocol: uvicorn's, with limits, deadlines and a lean path.

uvicorn alone lets a sender drip its request for ever, send headers without
end, and takes every connection that comes. Deliveries to webhooks go to an
Exchange, the rest to FastAPI.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.deadlines import Late, Waits, Watch
from app.api.exchange import Exchange, Webhook, find_webhook
from app.api.refusals import (
    FILLING,
    FULL,
    HEAD_BYTES,
    HEADERS,
    MALFORMED,
    TOO_LARGE,
    TOO_SLOW,
)
from app.core.log import get_log
from app.core.settings import Limits

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Set in the scope of an answer that never ends by itself.
ENDLESS = "smokejumper.endless"
# A call of the API may be so long, whatever the limit of deliveries.
CALL_BYTES = 1_048_576
log = get_log("api")


class HeadTooLarge(Exception):
    """Ends the parsing of a request whose head is too large."""


class BodyTooLarge(Exception):
    """Ends the parsing of a call of the API whose body is too large."""


class NobodyReads(Exception):
    """Ends the parsing of what comes after the last answer."""


WORDS = {HeadTooLarge: TOO_LARGE, BodyTooLarge: FILLING}


class DeadlineProtocol(HttpToolsProtocol):
    """One connection: its limits, and who answers its requests."""

    watch: Watch
    webhooks: Mapping[bytes, Webhook]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what uvicorn hands a connection, and wait for nothing yet."""
        super().__init__(*args, **kwargs)
        self.headers = []
        self._waits = Waits()
        # Bytes since the last head, part of a body or end of a request.
        self._loose = 0
        # Bytes of the body of a call of the API.
        self._size = 0
        # The parser has left out the body of this request.
        self._is_offer = False
        # Requests wait until the answers before them are being read.
        self._is_held = False
        # What is said after the answers that are due, before we close.
        self._last_words: bytes | None = None
        self._peer = ""

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Start the clock, or refuse when all connections are taken."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        if not self.watch.add(self, self._peer, self.loop):
            transport.write(FULL)
            transport.close()
            return
        self._waits.headers = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self.watch.remove(self, self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless the connection is about to end."""
        if self._last_words is not None or self.transport.is_closing():
            return
        self._loose += len(data)
        try:
            self._parse(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as bad:
            if self.transport.is_closing():
                return
            why: Any = type(bad.__context__)
            self._end(WORDS.get(why, MALFORMED))
            return
        if self._loose and (
            self._loose > HEAD_BYTES or len(self.headers) > HEADERS
        ):
            self._end(TOO_LARGE)

    def _parse(self, data: bytes) -> None:
        """Feed the parser; decline every offer to change the protocol."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            rest = memoryview(data)[offer.args[0] :]
        else:
            return
        while not self.transport.is_closing():
            self._begin_again()
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                rest = rest[offer.args[0] :]
            else:
                return

    def _begin_again(self) -> None:
        """Read a head once more, without its offer of another protocol.

        The parser takes what follows such a head for the other protocol,
        so the body would be lost. Java's client offers h2c by default.
        """
        old = self.parser
        version = old.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (old.get_method(), self.url, version)]
        lines += [
            b"%b: %b" % header
            for header in self.headers
            if header[0] != b"upgrade"
        ]
        self._is_offer = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join(lines) + b"\r\n\r\n")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Stay until what was asked is answered, then close."""
        if self.scope is not None and ENDLESS in self.scope:
            self.transport.close()
            return False
        self._end(self._last_words or b"")
        return not self.transport.is_closing()

    def on_message_begin(self) -> None:
        """Start to wait for the headers."""
        if self.transport.is_closing():
            # The answer before it was the last: nothing more is done.
            raise NobodyReads
        super().on_message_begin()
        self._size = 0
        self._waits.idle = 0.0
        if not self._waits.headers:
            self._waits.headers = self.loop.time()

    def on_headers_complete(self) -> None:
        """Start to wait for the body, and choose who answers."""
        if self.parser.should_upgrade():
            self._is_offer = True
            return
        self._check_head()
        waits = self._waits
        waits.body, waits.headers = waits.headers, 0.0
        webhook = find_webhook(self.webhooks, self.url)
        if webhook is None:
            super().on_headers_complete()
            # The parser adds what comes after the body, which a proxy may
            # let pass unchecked: not to what the application reads.
            self.headers = []
        else:
            self._open_exchange(webhook)

    def _check_head(self) -> None:
        """End the parsing when the head is too large."""
        if len(self.headers) > HEADERS:
            raise HeadTooLarge
        if self._loose > HEAD_BYTES:
            # A part of a body may be among these bytes: count the head.
            size = sum(len(name) + len(text) for name, text in self.headers)
            if size + len(self.url) > HEAD_BYTES:
                raise HeadTooLarge
        self._loose = 0

    def _open_exchange(self, webhook: Webhook) -> None:
        """Begin a delivery now, or after the answers before it."""
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
            exchange.open(self.parser.get_method(), self.headers)
            if self.expect_100_continue and not exchange.response_started:
                self.transport.write(CONTINUE)
        else:
            self.flow.pause_reading()
            waiting: Any = (exchange, self.app)
            self.pipeline.appendleft(waiting)
            exchange.open(self.parser.get_method(), self.headers)

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body to whoever answers."""
        self._loose = 0
        cycle: object = self.cycle
        if not isinstance(cycle, Exchange):
            # It is read before anybody has asked who sends it.
            self._size += len(body)
            most = 2 * self.watch.limits.body_bytes
            if self._size > max(most, CALL_BYTES):
                raise BodyTooLarge
            super().on_body(body)
        elif not cycle.response_complete:
            cycle.feed(body)

    def on_message_complete(self) -> None:
        """Wait for nothing: the request is here."""
        if self._is_offer:
            return
        self._loose = 0
        self._waits.body = 0.0
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
        if self._waits.unread:
            self._is_held = True
            self.flow.pause_reading()
        elif self.pipeline:
            # Not from here: a long row of refusals would end the stack.
            self.loop.call_soon(self._start_next)
        elif self._last_words is not None:
            self._close(self._last_words)
        else:
            self.flow.resume_reading()
            self._waits.idle = self.loop.time()

    def _start_next(self) -> None:
        """Start the request that has waited longest."""
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._last_words is not None:
            self._close(self._last_words)

    def pause_writing(self) -> None:
        """Note that answers pile up, because they are not read."""
        super().pause_writing()
        self._waits.unread = self.loop.time()

    def resume_writing(self) -> None:
        """Go on, for the answers are read."""
        super().resume_writing()
        self._waits.unread = 0.0
        if self._is_held:
            self._is_held = False
            self._go_on()

    def send_answer(self, answer: bytes, *, is_last: bool) -> None:
        """Write a whole answer and go on, or close when it is the last."""
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        if is_last:
            self.transport.close()
        self.on_response_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Start what waited for the answers before it."""
        if not isinstance(cycle, Exchange):
            super()._start_asgi_task(cycle, app)
            return
        is_partial = self._waits.body and cycle is self.cycle
        cycle.start()
        if is_partial and not cycle.response_started:
            if self.expect_100_continue:
                self.transport.write(CONTINUE)
            self.flow.resume_reading()

    def _end(self, words: bytes) -> None:
        """Take no more; say the last words after the answers that are due."""
        cycle: Any = self.cycle
        is_due = cycle is not None and not cycle.response_complete
        if self._waits.body:
            # The newest request will never be whole: the words answer it.
            if cycle.response_started:
                words = b""
            cycle.disconnected = True
            is_due = bool(self.pipeline) and self.pipeline[0][0] is cycle
            if is_due:
                self.pipeline.popleft()
        self._waits.expect_nothing()
        self._last_words = words
        if not is_due:
            self._close(words)

    def _close(self, words: bytes) -> None:
        """Say the last words, if any, and close."""
        if words:
            status = int(words[9:12])
            log.warning("connection.ended", peer=self._peer, status=status)
            self.transport.write(words)
        self.transport.close()

    def cut_off_if_late(self, now: float, limits: Limits) -> None:
        """End the connection when what it waits for is overdue."""
        if self.transport.is_closing():
            self._waits.closing = self._waits.closing or now
        late = self._waits.late(now, limits)
        if late is Late.NOT_READ:
            log.warning("connection.not_read", peer=self._peer)
            self.transport.abort()
        elif late is Late.IDLE:
            self.transport.close()
        elif late is Late.TOO_SLOW:
            log.warning("connection.too_slow", peer=self._peer)
            self._end(TOO_SLOW)


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
