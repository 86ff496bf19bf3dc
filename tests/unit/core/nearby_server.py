"""A server on a socket file that answers as a test wants it, byte by byte."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

Speak = Callable[[socket.socket, Event], None]


@contextmanager
def speaking(file: Path, speak: Speak) -> Iterator[list[bytes]]:
    """Yield what callers send; each is answered by a function.

    Args:
        file: where it listens.
        speak: says something to a caller; it ends when the event is set.
    """
    heard: list[bytes] = []
    is_over = Event()

    def serve(door: socket.socket) -> None:
        """Take one caller after the other."""
        while not is_over.is_set():
            try:
                caller, _ = door.accept()
            except TimeoutError:
                continue
            with caller, suppress(OSError):
                caller.settimeout(5.0)
                heard.append(_hear(caller))
                speak(caller, is_over)

    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(file))
        door.listen(8)
        door.settimeout(0.05)
        thread = Thread(target=serve, args=(door,))
        thread.start()
        try:
            yield heard
        finally:
            is_over.set()
            thread.join()


def _hear(caller: socket.socket) -> bytes:
    """Return a whole request."""
    heard = b""
    while chunk := caller.recv(65_536):
        heard += chunk
        head, end, body = heard.partition(b"\r\n\r\n")
        said = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if end and len(body) >= (int(said[1]) if said else 0):
            break
    return heard


def saying(body: bytes, status: str = "200 OK") -> Speak:
    """Return what says one answer."""
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n"

    def speak(caller: socket.socket, is_over: Event) -> None:
        """Say it."""
        del is_over
        caller.sendall(head.encode() + body)

    return speak


def trickling(piece: bytes, head: bytes = b"") -> Speak:
    """Return what says a little now and then, for ever."""

    def speak(caller: socket.socket, is_over: Event) -> None:
        """Say it until nobody listens."""
        caller.sendall(head)
        while not is_over.wait(0.05):
            caller.sendall(piece)

    return speak


def silence(caller: socket.socket, is_over: Event) -> None:
    """Say nothing."""
    del caller
    is_over.wait(60)
