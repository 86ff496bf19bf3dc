"""The references: servers that answer the same payload and keep nothing.

Run: python -m bench.ingest.echo raw|fastapi PORT
"""

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class WireAlert(msgspec.Struct):
    """One alert, typed as a product would have it."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: datetime  # noqa: N815 (the sender's spelling)
    fingerprint: str


class Group(msgspec.Struct):
    """A notification of Alertmanager."""

    alerts: list[WireAlert]


DECODER = msgspec.json.Decoder(Group)
# Into dicts and lists, as orjson does it, and as fast.
PLAIN = msgspec.json.Decoder()


async def raw(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Decode the body and answer in JSON: the least that a server can do."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    answer = msgspec.json.encode({"alerts": len(PLAIN.decode(body)["alerts"])})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer)).encode()),
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": answer})


def make_fastapi() -> FastAPI:
    """Return the usual way: FastAPI, a typed decode, nothing kept."""
    app = FastAPI()

    @app.post("/{path:path}")
    async def echo(request: Request) -> Response:
        """Decode the body and send it back."""
        body = await request.body()
        DECODER.decode(body)
        return Response(body, media_type="application/json")

    return app


if __name__ == "__main__":
    kind, port = sys.argv[1:]
    uvicorn.run(
        raw if kind == "raw" else make_fastapi(),
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
        lifespan="off",
        server_header=False,
        date_header=False,
    )
