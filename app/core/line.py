"""The line to one model server: bounded in number, time and size.

A few calls at once, each with a deadline; a breaker for a server that is
down; answers no longer than a cap; no redirects, no proxies of the
environment. Connections are not kept: a call takes seconds, and one that
was closed meanwhile would fail for nothing.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar, runtime_checkable
from weakref import WeakKeyDictionary

import httpx
from pydantic import Field

from app.core.breaker import Breaker
from app.core.clock import Clock
from app.core.configfile import Section
from app.core.errors import BrainFailed, ConfigError, ConfigProblem
from app.core.remote import bearer

MOST_BYTES = 2_097_152
TRUST = "Correct the address, or name who signs for it in SSL_CERT_FILE."
# Tests set it to the addresses of their fakes, and to nothing else.
ONLY_TO = "MODEL_CALLS_ONLY_TO"
# What a retry adds to a conversation: the bad answer and what is wrong.
RETRY_TOKENS = 400
# What a chat template writes around the messages.
FRAME_TOKENS = 60
# What function declarations take: the server writes them into the prompt.
TOOLS_TOKENS = 1_000
T = TypeVar("T")


@runtime_checkable
class Remote(Protocol):
    """A brain that asks a server, which is left alone when it fails."""

    @property
    def model(self) -> str:
        """Return the model that is asked now."""

    @property
    def resting_seconds(self) -> float:
        """Return how long the server is still left alone; 0: it is asked."""


class LineSettings(Section):
    """What every brain that calls a server can be told."""

    timeout_seconds: float = Field(60.0, gt=0, le=3_600)
    concurrency: int = Field(1, ge=1, le=256)
    failures: int = Field(5, ge=1, le=1_000)
    pause_seconds: float = Field(30.0, gt=0, le=86_400)


class Line:
    """Lets calls through to one server."""

    def __init__(self, settings: LineSettings, clock: Clock) -> None:
        """Take the bounds."""
        self._seconds = settings.timeout_seconds
        self._most = settings.concurrency
        self.breaker = Breaker(
            clock, settings.failures, settings.pause_seconds
        )
        # A semaphore belongs to one event loop; commands have their own.
        self._gates: WeakKeyDictionary[
            asyncio.AbstractEventLoop, asyncio.Semaphore
        ] = WeakKeyDictionary()

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what a call gives, or raise BrainFailed.

        Args:
            work: makes the call; it raises BrainFailed by itself.
        """
        async with self._place():
            if not self.breaker.admits():
                left = max(1, round(self.breaker.seconds_left))
                raise BrainFailed(
                    "the server failed too often in a row and is asked again"
                    f" in {left} s"
                )
            return await self._call(work)

    async def _call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what a call gives, and tell the breaker how it went."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await work()
        except TimeoutError as error:
            self.breaker.fail()
            raise BrainFailed(
                f"the server did not answer within {self._seconds:g} s",
                remedy="Use a smaller model, or raise timeout_seconds.",
            ) from error
        except (BrainFailed, asyncio.CancelledError):
            # Whoever gives up has no more time: that is no answer, either.
            self.breaker.fail()
            raise
        except BaseException:
            self.breaker.forget()
            raise
        self.breaker.succeed()
        return answer

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Wait for a place, not for ever."""
        loop = asyncio.get_running_loop()
        gate = self._gates.setdefault(loop, asyncio.Semaphore(self._most))
        try:
            async with asyncio.timeout(self._seconds):
                await gate.acquire()
        except TimeoutError as error:
            raise BrainFailed(
                "other calls kept the server busy for too long",
                remedy="Raise concurrency if the server can take more.",
            ) from error
        try:
            yield
        finally:
            gate.release()


class CappedTransport(httpx.AsyncBaseTransport):
    """Sends requests; what comes back is plain and not too long."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Take how long an answer may be."""
        self._most = most_bytes
        self._way = httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(
        self, request: httpx.Request
    ) -> httpx.Response:
        """Return what the server answers."""
        check_address(request.url)
        # What is packed could be far longer than it says.
        request.headers["accept-encoding"] = "identity"
        response = await self._way.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx.DecodingError("the answer is packed", request=request)
        stream = response.stream
        if isinstance(stream, httpx.AsyncByteStream):
            response.stream = _Capped(stream, self._most)
        return response

    async def aclose(self) -> None:
        """Give back what is open."""
        await self._way.aclose()


class _Capped(httpx.AsyncByteStream):
    """A body that ends with an error when it gets too long."""

    def __init__(self, stream: httpx.AsyncByteStream, most: int) -> None:
        """Take the body and its cap."""
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        seen = 0
        async for chunk in self._stream:
            seen += len(chunk)
            if seen > self._most:
                raise httpx.ReadError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        """Give back the connection."""
        await self._stream.aclose()


def find_distrust(error: BaseException | None) -> str:
    """Return what is wrong with a server's TLS, empty when it is not that."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {error.verify_message}"
        if isinstance(error, ssl.SSLError):
            return f"it does not speak TLS as we do: {error.reason}"
        error = error.__cause__ or error.__context__
    return ""


def check_address(url: httpx.URL) -> None:
    """Raise when the environment allows calls to other addresses only.

    Raises:
        RuntimeError: a test would have called a real model.
    """
    allowed = os.environ.get(ONLY_TO)
    if allowed is None or url.netloc.decode() in allowed.split(","):
        return
    raise RuntimeError(f"{ONLY_TO} does not allow calls to {url.host}")


def key_header(setting: str, key: str) -> dict[str, str]:
    """Return the header that carries a key, or raise ConfigError."""
    try:
        return bearer(key)
    except ValueError as error:
        remedy = "Write it as env:NAME or file:PATH, and look what is there."
        problem = ConfigProblem(setting, setting, str(error), remedy)
        raise ConfigError([problem]) from error


def room_for(whole: int, answer: int, *, has_tools: bool) -> int:
    """Return how many tokens the first prompt of a conversation may have.

    Args:
        whole: how many tokens the model can hold.
        answer: how long an answer may be.
        has_tools: whether every request carries function declarations.
    """
    tools = TOOLS_TOKENS if has_tools else 0
    return whole - answer - RETRY_TOKENS - FRAME_TOKENS - tools


def has_room(texts: Iterable[str], tokens: int) -> bool:
    """Tell whether texts are surely shorter than so many tokens."""
    return sum(len(text.encode()) for text in texts) / 3 < tokens
