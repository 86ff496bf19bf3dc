"""What a page asks for comes packed; all else as it is."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app.console.packing import LEAST_BYTES, MOST_BYTES, Packing

TEXT = b'{"text": "' + b"a word " * 1_000 + b'"}'
PAGE = {"accept": "application/json", "accept-encoding": "gzip, br"}


async def _parts() -> AsyncIterator[bytes]:
    """Yield a text in parts."""
    for _ in range(2):
        yield TEXT


async def _tell(request: Request) -> Response:
    """Answer with so many bytes of a type, or in parts."""
    kind = request.query_params.get("kind", "application/json")
    if "parts" in request.query_params:
        return StreamingResponse(_parts(), media_type=kind)
    size = int(request.query_params.get("size", len(TEXT)))
    headers = {"vary": "cookie", "etag": '"7"'}
    if "done" in request.query_params:
        headers["content-encoding"] = "br"
    body = (TEXT * (size // len(TEXT) + 1))[:size]
    return Response(body, 200, headers, kind)


SITE = Packing(
    Starlette(routes=[Route("/", _tell, methods=["GET", "POST", "HEAD"])])
)


def ask(
    method: str = "GET", query: str = "", **changed: str
) -> tuple[httpx.Headers, bytes]:
    """Return the headers of an answer, and its body as it comes."""
    headers = {**PAGE, **{k.replace("_", "-"): v for k, v in changed.items()}}

    async def go() -> tuple[httpx.Headers, bytes]:
        """Ask the site."""
        transport = httpx.ASGITransport(app=SITE)
        async with (
            httpx.AsyncClient(
                transport=transport, base_url="http://here"
            ) as client,
            client.stream(method, f"/?{query}", headers=headers) as answer,
        ):
            raw = b"".join([part async for part in answer.aiter_raw()])
            return answer.headers, raw

    return asyncio.run(go())


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_what_a_page_asks_for_is_packed(kind: str) -> None:
    """Much smaller, whole, with its own length; the rest of it stays."""
    headers, raw = ask(query=f"kind={kind}", accept=f"{kind}, */*;q=0.8")
    assert headers["content-encoding"] == "gzip"
    assert len(raw) < len(TEXT) / 4
    assert headers["content-length"] == str(len(raw))
    assert gzip.decompress(raw) == TEXT
    assert headers["vary"] == "cookie, accept, accept-encoding"
    assert headers["etag"] == 'W/"7"'
    assert headers["content-type"].startswith(kind)


@pytest.mark.parametrize(
    ("method", "query", "changed"),
    [
        ("GET", "", {"accept": "*/*"}),
        ("GET", "", {"accept_encoding": "identity"}),
        ("POST", "", {}),
        ("GET", "kind=text/csv", {}),
        ("GET", "kind=text/event-stream", {}),
        ("GET", "done=1", {}),
        ("GET", f"size={LEAST_BYTES - 1}", {}),
        ("GET", f"size={MOST_BYTES + 1}", {}),
        ("GET", "parts=1", {}),
    ],
)
def test_all_else_comes_as_it_is(
    method: str, query: str, changed: dict[str, str]
) -> None:
    """Programs, secrets, streams, what is packed, small or huge."""
    headers, raw = ask(method, query, **changed)
    assert headers.get("content-encoding", "") in ("", "br")
    assert TEXT[:1_000] in raw
    assert headers.get("content-length") in (None, str(len(raw)))


def test_a_head_has_no_body() -> None:
    """Its length is that of the answer as it is."""
    headers, raw = ask("HEAD")
    assert (raw, headers["content-length"]) == (b"", str(len(TEXT)))
