"""A line to PostgreSQL that is cut around the COMMITs of one writer.

Nobody can tell a COMMIT that was lost from one whose answer was lost: all
three are done to it here, in turn, at moments of chance.
"""

import random
import socket
import threading
from collections import Counter
from contextlib import suppress
from typing import Self

COMMIT = b"COMMIT\x00"
LEDGER = b"smokejumper-ledger"
INBOX = b"smokejumper-inbox"
# lost: it never arrives; sent: we hang up when it is sent; answered: we hang
# up when the server has done it, and keep its answer.
WAYS = ("lost", "sent", "answered")
CHUNK = 65_536
JOIN_SECONDS = 60.0


class CutLine:
    """Passes bytes on, and cuts some of the lines of one writer."""

    def __init__(
        self, port: int, share: float, most: int, whose: bytes = LEDGER
    ) -> None:
        self.seed = random.randrange(2**32)
        self._chance = random.Random(self.seed)
        self._port, self._share, self._left = port, share, most
        self._whose = whose
        self.cuts: Counter[str] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._lines: list[socket.socket] = []
        self._is_open = True

    def __enter__(self) -> Self:
        """Open the line."""
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up on everybody."""
        self._is_open = False
        # Whoever waits for a caller gets a last one.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join(JOIN_SECONDS)
        assert not self._threads[0].is_alive(), "it still takes callers"
        self._listener.close()
        for line in self._lines:
            hang_up(line)
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive(), "a line is still passed on"
        for line in self._lines:
            line.close()

    def stop_cutting(self) -> None:
        """Let all pass from now on."""
        self._left = 0

    def _accept(self) -> None:
        """Take callers, each with two threads."""
        while self._is_open:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                client.close()
                continue
            self._lines += [client, server]
            line = Line(client, server)
            for pump in (self._ask, self._answer):
                thread = threading.Thread(target=pump, args=(line,))
                self._threads.append(thread)
                thread.start()

    def _ask(self, line: "Line") -> None:
        """Pass on what the client says."""
        is_his = False
        with suppress(OSError):
            while chunk := line.client.recv(CHUNK):
                is_his = is_his or self._whose in chunk
                way = self._draw() if is_his and COMMIT in chunk else ""
                if way == "answered":
                    line.is_mute = True
                if way != "lost":
                    line.server.sendall(chunk)
                if way in ("lost", "sent"):
                    break
        line.hang_up()

    def _answer(self, line: "Line") -> None:
        """Pass on what the server says."""
        with suppress(OSError):
            while chunk := line.server.recv(CHUNK):
                if line.is_mute:
                    break
                line.client.sendall(chunk)
        line.hang_up()

    def _draw(self) -> str:
        """Return how a COMMIT is cut, or nothing."""
        if self._left <= 0 or self._chance.random() > self._share:
            return ""
        self._left -= 1
        way = WAYS[self.cuts.total() % len(WAYS)]
        self.cuts[way] += 1
        return way


class Line:
    """One connection, both its ends."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        # Whether the next answer is kept from the client.
        self.is_mute = False

    def hang_up(self) -> None:
        """Cut both ends."""
        hang_up(self.client)
        hang_up(self.server)


def hang_up(end: socket.socket) -> None:
    """End a connection; whoever waits on it is woken."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
