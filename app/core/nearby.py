"""Call a server that is near: one HTTP request, over a socket file or TCP.

For threads. No redirects, no proxies of the environment; the whole call has
an end, however slowly the answer comes, and the answer a cap.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Timer

import msgspec

from app.core.errors import NotSent, OutgoingFailed

MOST_BYTES = 1_048_576


class Address(msgspec.Struct, frozen=True):
    """Where a server listens.

    Attributes:
        file: its socket file; or:
        host: its name or address.
        port: where, there.
        is_secure: whether it speaks TLS.
    """

    file: str = ""
    host: str = ""
    port: int = 0
    is_secure: bool = False

    def __str__(self) -> str:
        """Return it for people; no secret is in it."""
        return self.file or f"{self.host}:{self.port}"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request.

    Attributes:
        method: what is done.
        path: to what, with its query.
        body: what is sent.
        headers: what is said with it.
    """

    method: str = "GET"
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes


class _FileConnection(HTTPConnection):
    """Speaks HTTP on a socket file."""

    def __init__(self, file: str, timeout: float) -> None:
        """Take where it is, and how long one step may take."""
        super().__init__("localhost", timeout=timeout)
        self._file = file

    def connect(self) -> None:
        """Open the way."""
        way = socket.socket(socket.AF_UNIX)
        try:
            way.settimeout(self.timeout)
            way.connect(self._file)
        except BaseException:
            way.close()
            raise
        self.sock = way


def call_near(
    address: Address,
    call: Call,
    seconds: float,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Return what a server answers, whatever its status.

    Raises:
        NotSent: nothing of the call can have arrived.
        OutgoingFailed: nobody knows whether it arrived.
    """
    connection = _connect(address, seconds)
    is_over = Event()
    clock = Timer(seconds, _cut, (connection.sock, is_over))
    clock.daemon = True
    clock.start()
    try:
        answer = _exchange(connection, call, most_bytes)
    except (OSError, HTTPException, ValueError) as error:
        is_late = is_over.is_set() or isinstance(error, TimeoutError)
        why = _late(seconds) if is_late else f"does not answer: {_why(error)}"
        raise OutgoingFailed(f"{address} {why}") from error
    finally:
        clock.cancel()
        connection.close()
    if is_over.is_set():
        raise OutgoingFailed(f"{address} {_late(seconds)}")
    if len(answer.body) > most_bytes:
        raise OutgoingFailed(f"{address} says too much")
    return answer


def _cut(way: socket.socket, is_over: Event) -> None:
    """End a call that takes too long."""
    is_over.set()
    with suppress(OSError):
        way.shutdown(socket.SHUT_RDWR)


def _exchange(
    connection: HTTPConnection, call: Call, most_bytes: int
) -> Answer:
    """Return what comes back, a little more than is taken at most."""
    connection.request(
        call.method, call.path, call.body or None, dict(call.headers)
    )
    with connection.getresponse() as response:
        return Answer(response.status, response.read(most_bytes + 1))


def _connect(address: Address, seconds: float) -> HTTPConnection:
    """Return an open way to a server, or raise NotSent."""
    connection = _way(address, seconds)
    try:
        connection.connect()
    except (OSError, ValueError) as error:
        connection.close()
        is_late = isinstance(error, TimeoutError)
        why = _late(seconds) if is_late else f"does not answer: {_why(error)}"
        raise NotSent(f"{address} {why}", may_retry=True) from error
    return connection


def _way(address: Address, seconds: float) -> HTTPConnection:
    """Return a way to a server that is not open yet."""
    if address.file:
        return _FileConnection(address.file, seconds)
    kind = HTTPSConnection if address.is_secure else HTTPConnection
    return kind(address.host, address.port, timeout=seconds)


def _late(seconds: float) -> str:
    """Return how it is told that time was over."""
    return f"did not answer in {seconds:g} s"


def _why(error: Exception) -> str:
    """Return in a few words what went wrong; nothing that it answered."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
