"""One delivery on its way through: the lean path for webhooks.

FastAPI and a task for each request cost more than everything that happens
to a delivery, the disk included (docs/performance.md). So a delivery does
not become an ASGI request: the protocol feeds it here, and the answer is
written in one piece when the disk has it.
"""

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import unquote_to_bytes

import httptools
import msgspec

from app.api.problems import (
    MEDIA_TYPE,
    OFF,
    SNIFFING,
    headers_of,
    problem_of,
)
from app.core.clock import Clock
from app.core.errors import Refused, TooBusy
from app.core.log import get_log
from app.core.settings import Limits
from app.ingest.intake import Entrance, Intake
from app.models.delivery import Delivery, Headers, Receipt

METHODS = (b"POST", b"PUT")
# Closing is the only way to be rid of a body that nobody wants to read.
UNREAD = (405, 413, 415)
REASONS = {
    200: "OK",
    202: "Accepted",
    401: "Unauthorized",
    403: "Forbidden",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    503: "Service Unavailable",
}
HEADS = {
    status: (
        f"HTTP/1.1 {status} {reason}\r\n{SNIFFING}: {OFF}\r\n"
        "content-type: application/json\r\ncontent-length: "
    ).encode()
    for status, reason in REASONS.items()
}
END_OF_HEAD = b"\r\n\r\n"
CLOSE = b"\r\nconnection: close"
encode = msgspec.json.Encoder().encode
log = get_log("api")


class Line(Protocol):
    """The connection that an exchange answers on."""

    def send_answer(self, answer: bytes, *, is_last: bool) -> None:
        """Write a whole answer and go on, or close when it is the last."""


class Webhook(msgspec.Struct, frozen=True):
    """What every delivery to one path has in common.

    Attributes:
        entrance: the source.
        intake: step 1.
        clock: the time.
        limits: how long a body may be.
        status: what the sender takes for success.
    """

    entrance: Entrance
    intake: Intake
    clock: Clock
    limits: Limits
    status: int


def find_webhook(
    webhooks: Mapping[bytes, Webhook], url: bytes
) -> Webhook | None:
    """Return the webhook that a URL means, None when it means none.

    Proxies may send the whole URL, escape letters or end it with a slash.
    """
    found = webhooks.get(url.partition(b"?")[0])
    if found is not None:
        return found
    try:
        path = httptools.parse_url(url).path or b""
    except httptools.HttpParserInvalidURLError:
        return None
    return webhooks.get(unquote_to_bytes(path).removesuffix(b"/"))


class Exchange:
    """One request and its answer.

    It stands where uvicorn's protocol has its cycle, and has the names that
    the protocol asks of one: the flags, and a message_event that is set when
    the sender has gone.
    """

    def __init__(
        self, webhook: Webhook, line: Line, peer: str, *, keep_alive: bool
    ) -> None:
        """Begin an exchange on a line with a peer."""
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_started = False
        self.response_complete = False
        self.message_event = self
        self._webhook = webhook
        self._line = line
        self._peer = peer
        self._headers: Headers = ()
        self._parts: list[bytes] = []
        self._size = 0
        self._is_head = False
        self._is_whole = False
        self._has_turn = False
        self._refusal: Refused | None = None

    def set(self) -> None:
        """Hear that the sender has gone: there is nothing left to do."""

    def open(self, method: bytes, headers: Headers) -> None:
        """Take the head of the request, or refuse it at once.

        The headers are copied: the parser adds what comes after the body,
        which a proxy may let pass unchecked.
        """
        self._headers = tuple(headers)
        self._is_head = method == b"HEAD"
        try:
            _check_head(method, headers, self._webhook.limits.body_bytes)
        except Refused as refusal:
            self._refuse_early(refusal)

    def feed(self, part: bytes) -> None:
        """Take a part of the body, counted as it comes."""
        if self._refusal is not None:
            return
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._webhook.limits.body_bytes:
            self._parts.clear()
            self._refuse_early(_too_large(self._webhook.limits.body_bytes))

    def finish(self) -> None:
        """Hear that the body is whole."""
        self._is_whole = True
        if self._has_turn and self._refusal is None:
            self._deliver()

    def start(self) -> None:
        """Take the turn: the answers before this one are sent."""
        self._has_turn = True
        if self._refusal is not None:
            self._refuse(self._refusal)
        elif self._is_whole:
            self._deliver()

    def _deliver(self) -> None:
        """Hand the delivery in; the answer comes later, or a refusal now."""
        webhook = self._webhook
        parts = self._parts
        delivery = Delivery(
            source=webhook.entrance.name,
            body=parts[0] if len(parts) == 1 else b"".join(parts),
            received_at=webhook.clock.now(),
            headers=self._headers,
            peer=self._peer,
        )
        try:
            webhook.intake.accept(webhook.entrance, delivery, self._answer)
        except Refused as refusal:
            self._refuse(refusal)
        except Exception:
            # The edge: a bug must not leave the sender without an answer.
            log.exception("delivery.crashed", source=webhook.entrance.name)
            self._refuse(TooBusy("bug", "A bug of ours; it is in the log."))

    def _answer(self, result: Receipt | Refused) -> None:
        """Send the receipt of what is on disk, or why there is none."""
        if isinstance(result, Refused):
            self._refuse(result)
            return
        body = encode(result)
        self._send(HEADS[self._webhook.status], body, is_last=False)

    def _refuse_early(self, refusal: Refused) -> None:
        """Refuse before the body is whole, but not before it is our turn."""
        self._refusal = refusal
        if self._has_turn:
            self._refuse(refusal)

    def _refuse(self, refusal: Refused) -> None:
        """Send a refusal as a problem."""
        status = refusal.status
        headers = headers_of(status)
        if status == 401:
            headers["www-authenticate"] = self._webhook.entrance.challenge
        reason = REASONS.get(status, "Refused")
        lines = [
            f"HTTP/1.1 {status} {reason}",
            f"content-type: {MEDIA_TYPE}",
            *(f"{name}: {text}" for name, text in headers.items()),
            "content-length: ",
        ]
        body = encode(problem_of(refusal))
        is_last = status in UNREAD and not self._is_whole
        self._send("\r\n".join(lines).encode(), body, is_last=is_last)

    def _send(self, head: bytes, body: bytes, *, is_last: bool) -> None:
        """Write the answer in one piece, unless the sender has gone."""
        if self.disconnected or self.response_complete:
            return
        self.response_started = self.response_complete = True
        is_last = is_last or not self.keep_alive
        close = CLOSE if is_last else b""
        content = b"" if self._is_head else body
        answer = b"%b%d%b%b%b" % (head, len(body), close, END_OF_HEAD, content)
        self._line.send_answer(answer, is_last=is_last)


def _check_head(method: bytes, headers: Headers, most: int) -> None:
    """Raise Refused when a request cannot be a delivery of ours."""
    if method not in METHODS:
        raise Refused(
            405,
            "wrong_method",
            "Deliveries come by POST.",
            field="method",
            remedy="Use POST.",
        )
    for name, value in headers:
        if name == b"content-encoding" and value.lower() != b"identity":
            raise Refused(
                415,
                "encoded",
                "Compressed bodies are not accepted.",
                field="content-encoding",
                remedy="Switch compression off at the sender.",
            )
        if name == b"content-length" and int(value) > most:
            raise _too_large(most)


def _too_large(most: int) -> Refused:
    """Return the refusal of a body that is too long."""
    return Refused(
        413,
        "body_too_large",
        f"The body is longer than {most} bytes.",
        field="body",
        remedy="Send smaller groups, or raise server.limits.body_bytes.",
    )
