"""A wire to a server that can be cut, can go silent, and can be mended.

Each node has one of its own to the database: so one node can be parted from
it while the other one works on.
"""

import socket
import threading
from contextlib import suppress
from typing import Self

from tests.chaos.cutting import hang_up

CHUNK = 65_536
PATIENCE = 10.0


class Wire:
    """Passes bytes on in both directions, as long as it is whole.

    Cut, it hangs up on everybody and takes no caller. Silent, it takes
    callers and their words, and passes nothing on: what was under way
    arrives when it is mended.
    """

    def __init__(self, port: int) -> None:
        """Take the port of the server on this machine."""
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_open = True
        self._is_cut = False
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        """Take callers."""
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up on everybody, for good."""
        self._is_open = False
        # Whoever waits for a caller gets a last one.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join(PATIENCE)
        self._listener.close()
        self.cut()
        self._flows.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def cut(self) -> None:
        """Hang up on everybody, and on whoever calls."""
        with self._lock:
            self._is_cut = True
            ends, self._ends = self._ends, []
        for end in ends:
            hang_up(end)

    def silence(self) -> None:
        """Take what is said, and pass nothing on."""
        self._flows.clear()

    def mend(self) -> None:
        """Let all pass again."""
        with self._lock:
            self._is_cut = False
        self._flows.set()

    def _accept(self) -> None:
        """Take callers, each with two threads."""
        while self._is_open:
            client, _ = self._listener.accept()
            if self._is_cut or not self._is_open:
                client.close()
                continue
            thread = threading.Thread(target=self._connect, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _connect(self, client: socket.socket) -> None:
        """Call the server for a caller, and pass on what they say."""
        self._flows.wait()
        with (
            client,
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self._port)) as server,
        ):
            with self._lock:
                if self._is_cut:
                    return
                self._ends += [client, server]
            back = threading.Thread(target=self._pass, args=(server, client))
            back.start()
            self._pass(client, server)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        """Pass on what one end says, until it says no more."""
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                self._flows.wait()
                target.sendall(chunk)
        # Not even that somebody hung up is heard through a silent wire.
        self._flows.wait()
        hang_up(source)
        hang_up(target)
