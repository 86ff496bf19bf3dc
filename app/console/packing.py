"""Packing: what a page asks for comes packed, for long and thin lines."""

import gzip

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TYPES = ("text/html", "application/json")
# Smaller ones fit into one packet anyhow.
LEAST_BYTES = 1_400
# Larger ones would hold up the others while they are packed.
MOST_BYTES = 1_048_576
# Text shrinks to a quarter by the fastest level, in 6 us for each kB.
LEVEL = 1


class Packing:
    """ASGI around everything: packs what was asked for by its type.

    Pages name the type that they want. Programs take any: they are near,
    and get it as it is. A stream goes on as it comes. Only GET: what is
    shown once is in answers to POST, and the form of a set-up link shows
    its own token and no text of a stranger. So no secret stands beside
    one, by whose length it could be guessed.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Take what answers."""
        self._app = app

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer, packed where that is wanted and worth it."""
        if not _is_wanted(scope):
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def pack(message: Message) -> None:
            """Hold the start until it is known what comes."""
            if message["type"] == "http.response.start":
                held.append(message)
                return
            if held:
                start = held.pop()
                if _is_worth_it(start, message):
                    _pack(start, message)
                await send(start)
            await send(message)

        await self._app(scope, receive, pack)


def _is_wanted(scope: Scope) -> bool:
    """Tell whether a page asks, and can unpack."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    headers = Headers(scope=scope)
    accept = headers.get("accept", "")
    return "gzip" in headers.get("accept-encoding", "") and any(
        one in accept for one in TYPES
    )


def _is_worth_it(start: Message, message: Message) -> bool:
    """Tell whether an answer is whole, a text, and neither small nor huge."""
    if message["type"] != "http.response.body" or message.get("more_body"):
        return False
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0]
    return (
        kind in TYPES
        and "content-encoding" not in headers
        and LEAST_BYTES <= len(message.get("body", b"")) <= MOST_BYTES
    )


def _pack(start: Message, message: Message) -> None:
    """Pack an answer where it stands."""
    message["body"] = gzip.compress(message["body"], LEVEL, mtime=0)
    headers = MutableHeaders(scope=start)
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(message["body"]))
    if "etag" in headers:
        # The same words, other bytes.
        headers["etag"] = f"W/{headers['etag'].removeprefix('W/')}"
    headers.add_vary_header("accept")
    headers.add_vary_header("accept-encoding")
