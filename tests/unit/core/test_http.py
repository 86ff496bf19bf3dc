"""Outgoing calls: bounded in time and size, and led nowhere else."""

import asyncio
import gzip
from collections.abc import Mapping
from contextlib import suppress

import httpx
import pytest

from app.core.errors import OutgoingFailed
from app.core.http import ask, fetch, open_client

OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Answers each call on loopback with the next of some raw replies."""

    def __init__(self, *replies: bytes, is_held: bool = False) -> None:
        self.replies = list(replies)
        self.heads: list[bytes] = []
        self.is_held = is_held
        self.is_over = asyncio.Event()

    async def answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Read a request, write a reply, and hang up or hold the line."""
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        is_last = len(self.replies) == 1
        writer.write(self.replies[0] if is_last else self.replies.pop(0))
        if self.is_held:
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.is_over.set()

    async def call(
        self,
        most: int = 100,
        headers: Mapping[str, str] | None = None,
        seconds: float = 5.0,
    ) -> bytes:
        """Ask this server once, as the poller does."""
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            async with server, open_client(seconds) as client:
                url = f"http://127.0.0.1:{port}/x"
                return await ask(client, url, headers or {}, most)
        finally:
            await asyncio.wait_for(self.is_over.wait(), 5.0)

    async def fetch(self) -> bytes:
        """Fetch from this server, with the tries of a fetch."""
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await fetch(f"http://127.0.0.1:{port}/x")


def sized(body: bytes, *more: bytes) -> bytes:
    """Return a good reply that says how long it is."""
    lines = [b"Content-Length: %d" % len(body), *more]
    return OK + b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*parts: bytes) -> bytes:
    """Return a good reply that never says how long it is."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts)
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    return head + body + b"0\r\n\r\n"


def status(code: int, *more: bytes) -> bytes:
    """Return a reply with a status and a body of two bytes."""
    head = b"HTTP/1.1 %d Some\r\nContent-Length: 2\r\n" % code
    return head + b"".join(line + b"\r\n" for line in more) + b"\r\nhi"


@pytest.mark.parametrize(
    "reply",
    [
        sized(b"x" * 100),
        chunked(b"x" * 60, b"x" * 40),
        OK + b"\r\n" + b"x" * 100,  # until it hangs up
        sized(gzip.compress(b"x" * 100, mtime=0), b"Content-Encoding: gzip"),
    ],
)
def test_an_answer_of_just_the_cap_is_taken(reply: bytes) -> None:
    """The cap itself is allowed, however the body is framed."""
    assert asyncio.run(Server(reply).call(most=100)) == b"x" * 100


@pytest.mark.parametrize(
    "reply",
    [
        sized(b"x" * 101),
        chunked(b"x" * 100, b"x"),
        OK + b"\r\n" + b"x" * 101,
        # Packed it is short; what it holds is not.
        sized(gzip.compress(b"x" * 101, mtime=0), b"Content-Encoding: gzip"),
    ],
)
def test_one_byte_more_than_the_cap_is_too_long(reply: bytes) -> None:
    """The body is counted, not what the header says about it."""
    with pytest.raises(OutgoingFailed, match="too long"):
        asyncio.run(Server(reply).call(most=100))


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(code: int) -> None:
    """Where it leads was never allowed: one call, and it failed."""
    server = Server(status(code, b"Location: /elsewhere"), sized(b"stolen"))
    with pytest.raises(OutgoingFailed, match=f"status {code}"):
        asyncio.run(server.call())
    assert len(server.heads) == 1


@pytest.mark.parametrize("code", [201, 204, 206, 304, 401, 404, 429, 500, 503])
def test_only_200_is_an_answer(code: int) -> None:
    """Half an answer or another one is none, and says its status."""
    server = Server(status(code))
    with pytest.raises(OutgoingFailed, match=f"status {code}"):
        asyncio.run(server.call())
    assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"", "RemoteProtocolError"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "RemoteProtocolError"),
        (OK + b"Content-Length: 50\r\n\r\nshort", "RemoteProtocolError"),
        (chunked(b"x")[:-5], "RemoteProtocolError"),
        (sized(b"none", b"Content-Encoding: gzip"), "DecodingError"),
    ],
)
def test_a_broken_answer_is_no_answer(reply: bytes, why: str) -> None:
    """A body that was cut short never passes for a whole one."""
    with pytest.raises(OutgoingFailed, match=why):
        asyncio.run(Server(reply).call())


@pytest.mark.parametrize("begun", [b"", OK, sized(b"abc")[:-1]])
def test_who_falls_silent_is_given_up(begun: bytes) -> None:
    """Before the answer, in its head, or in its body."""
    server = Server(begun, is_held=True)
    with pytest.raises(OutgoingFailed, match="ReadTimeout"):
        asyncio.run(server.call(seconds=0.05))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://[::1", "the address is none"),
        ("http://am:port/", "the address is none"),
        ("http://a\nb/", "the address is none"),
        ("ftp://127.0.0.1/", "UnsupportedProtocol"),
        ("//127.0.0.1/", "UnsupportedProtocol"),
        ("http:///", "UnsupportedProtocol"),
        ("http://127.0.0.1:1/", "ConnectError"),
    ],
)
def test_an_address_that_leads_nowhere_failed(url: str, why: str) -> None:
    """It is an error that callers expect, never another one."""

    async def call() -> None:
        """Ask it."""
        async with open_client(2.0) as client:
            await ask(client, url, {}, 100)

    with pytest.raises(OutgoingFailed, match=why):
        asyncio.run(call())


def test_nothing_packed_is_asked_for_and_the_secret_is_sent() -> None:
    """Our headers go along, and none of httpx's encodings."""
    server = Server(sized(b"ok"))
    asyncio.run(server.call(headers={"Authorization": "Bearer t"}))
    lines = server.heads[0].lower().split(b"\r\n")
    assert b"accept-encoding: identity" in lines
    assert b"authorization: bearer t" in lines


def test_the_proxy_of_the_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What we call is called by us, without a stranger between."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert asyncio.run(Server(sized(b"direct")).call()) == b"direct"


@pytest.mark.parametrize("code", [301, 400, 404])
def test_a_fetch_does_not_try_again_what_will_not_pass(code: int) -> None:
    """A clear no is asked for once."""
    server = Server(status(code), sized(b"late"))
    with pytest.raises(OutgoingFailed, match=f"status {code}"):
        asyncio.run(server.fetch())
    assert len(server.heads) == 1


def test_a_client_of_polls_waits_as_long_as_it_is_told() -> None:
    """For each of the four things that one can wait for."""
    assert open_client(7.0).timeout == httpx.Timeout(7.0)
