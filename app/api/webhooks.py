"""The lean path: webhooks as a bare ASGI app, without the framework.

FastAPI's routing and parameters cost more than everything that happens to
a delivery here, the disk included (docs/performance.md).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from app.api.problems import MEDIA_TYPE, headers_of, problem_of
from app.core.clock import Clock
from app.core.errors import Refused
from app.core.settings import Limits
from app.ingest.intake import Entrance, Intake
from app.models.delivery import Delivery

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

METHODS = ("POST", "PUT")
encode = msgspec.json.Encoder().encode


class WebhookApp:
    """Answers the deliveries of one source."""

    def __init__(
        self, entrance: Entrance, intake: Intake, clock: Clock, limits: Limits
    ) -> None:
        self._entrance = entrance
        self._intake = intake
        self._clock = clock
        self._limits = limits
        # Prometheus insists on 200; for the others 202 is the honest word.
        self._paths_200 = frozenset(entrance.source.paths)

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Accept one delivery, and answer when it is on disk."""
        try:
            body = await self._body(scope, receive)
            if body is None:
                return
            delivery = Delivery(
                source=self._entrance.name,
                body=body,
                received_at=self._clock.now(),
                headers=scope["headers"],
                peer=scope["client"][0] if scope["client"] else "",
            )
            receipt = await self._intake.accept(self._entrance, delivery)
        except Refused as refusal:
            await _refuse(send, refusal)
            return
        status = 200 if scope["path"] in self._paths_200 else 202
        await _send(send, status, encode(receipt), b"application/json")

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the whole body, None when the sender has gone."""
        _check_request(scope, self._limits.body_bytes)
        message = await receive()
        if message["type"] != "http.request":
            return None
        body: bytes = message["body"]
        if not message["more_body"]:
            self._check_size(len(body))
            return body
        parts = [body]
        size = len(body)
        while message["more_body"]:
            self._check_size(size)
            message = await receive()
            if message["type"] != "http.request":
                return None
            parts.append(message["body"])
            size += len(message["body"])
        self._check_size(size)
        return b"".join(parts)

    def _check_size(self, size: int) -> None:
        """Raise Refused when a body is too long, counted as it comes."""
        if size > self._limits.body_bytes:
            raise _too_large(self._limits.body_bytes)


def _check_request(scope: Scope, most: int) -> None:
    """Raise Refused when a request cannot be a delivery of ours."""
    if scope["method"] not in METHODS:
        raise Refused(
            405,
            "wrong_method",
            "Deliveries come by POST.",
            field="method",
            remedy="Use POST.",
        )
    for name, value in scope["headers"]:
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


async def _refuse(send: Send, refusal: Refused) -> None:
    """Answer a refusal as a problem; a body left unread ends the line."""
    extra = [
        (name.encode(), value.encode())
        for name, value in headers_of(refusal.status).items()
    ]
    if refusal.status in (405, 413, 415):
        extra.append((b"connection", b"close"))
    body = encode(problem_of(refusal))
    await _send(send, refusal.status, body, MEDIA_TYPE.encode(), extra)


async def _send(
    send: Send,
    status: int,
    body: bytes,
    media_type: bytes,
    extra: list[tuple[bytes, bytes]] | None = None,
) -> None:
    """Send a whole answer."""
    headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        *(extra or ()),
    ]
    await send(
        {"type": "http.response.start", "status": status, "headers": headers}
    )
    await send({"type": "http.response.body", "body": body})
