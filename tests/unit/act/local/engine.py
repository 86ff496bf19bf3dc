"""A container engine on a socket file, by the contract of the Engine API.

It keeps containers, resolves a whole name or the beginning of an id, writes
logs in frames, and restarts: 204, 404, or 500 with a message.
"""

import json
import socket
import socketserver
import struct
import threading
from contextlib import suppress
from copy import deepcopy
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

Tree = dict[str, Any]
OLD = "2026-11-20T08:00:00.123456789Z"
NEW = "2026-11-21T09:00:00.987654321Z"
ID = "3f2a9c0d1e5b" + "0" * 52


def container(name: str = "shop", **state: Any) -> Tree:
    """Return a container that runs, as the engine inspects it."""
    return {
        "Id": ID,
        "Created": OLD,
        "Name": f"/{name}",
        "RestartCount": 0,
        "State": {
            "Status": "running",
            "Running": True,
            "Paused": False,
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": 4242,
            "ExitCode": 0,
            "Error": "",
            "StartedAt": OLD,
            "FinishedAt": "0001-01-01T00:00:00Z",
            **state,
        },
        "Image": "sha256:" + "a" * 64,
        "Config": {
            "Image": "registry.example.net:5000/shop/front:1.2",
            "Labels": {"smokejumper.restart": "allowed"},
            "Tty": False,
        },
        "HostConfig": {
            "AutoRemove": False,
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        },
        "Mounts": [],
    }


class Engine:
    """One engine with a socket of its own.

    Attributes:
        known: its containers.
        then: what of a container's state is shown after a restart, look by
            look; the last of it stays.
        refusal: a status and a message instead of a restart.
        is_lossy: whether it restarts, and hangs up without a word.
        log: what its containers wrote: which way out, and what.
        asked: what it was asked, without what is only looked at.
    """

    def __init__(self, folder: Path, *known: Tree) -> None:
        self.socket = folder / "d.sock"
        self.known = {one["Id"]: deepcopy(one) for one in known}
        self.then: list[Tree] = [{"Status": "running", "StartedAt": NEW}]
        self.refusal: tuple[int, str] | None = None
        self.is_lossy = False
        self.log = [(1, "open"), (2, "no space left")]
        self.asked: list[str] = []
        self._is_restarted = False
        engine = self

        class Door(BaseHTTPRequestHandler):
            """Takes requests."""

            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Show something."""
                engine.get(self)

            def do_POST(self) -> None:
                """Do something."""
                engine.asked.append(self.path)
                engine.post(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(socketserver.ThreadingUnixStreamServer):
            """Speaks HTTP on a socket file."""

            daemon_threads = True

            def get_request(self) -> tuple[socket.socket, Any]:
                """Return a caller, who has no address here."""
                caller, _ = super().get_request()
                return caller, ("local", 0)

        self._server = Server(str(self.socket), Door)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,)
        )

    def __enter__(self) -> Self:
        """Take callers."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def get(self, door: BaseHTTPRequestHandler) -> None:
        """Inspect a container, or show its log."""
        found, what = self._find(door.path)
        if found is None:
            self._say(door, 404, "No such container")
        elif what == "json":
            if self._is_restarted and self.then:
                one = self.then[0] if len(self.then) == 1 else self.then.pop(0)
                found["State"].update(one)
            self._send(door, 200, json.dumps(found).encode())
        elif what == "logs":
            self._send(door, 200, self._logs(found))

    def post(self, door: BaseHTTPRequestHandler) -> None:
        """Restart a container."""
        found, what = self._find(door.path)
        if found is None:
            self._say(door, 404, "No such container")
        elif what != "restart":
            self._say(door, 404, "page not found")
        elif self.refusal is not None:
            self._say(door, *self.refusal)
        else:
            self._is_restarted = True
            if self.is_lossy:
                door.close_connection = True
                with suppress(OSError):
                    door.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._send(door, 204, b"")

    def _find(self, path: str) -> tuple[Tree | None, str]:
        """Return which container a path names, and what is wanted."""
        _, kind, name, what = unquote(urlsplit(path).path).split("/")
        assert kind == "containers"
        for one in self.known.values():
            if one["Name"] == f"/{name}":
                return one, what
        for one in self.known.values():
            if one["Id"].startswith(name):
                return one, what
        return None, what

    def _logs(self, found: Tree) -> bytes:
        """Return a log, in frames unless the container has a terminal."""
        if found["Config"]["Tty"]:
            return b"".join(f"{text}\r\n".encode() for _, text in self.log)
        return b"".join(
            struct.pack(">BxxxI", kind, len(text) + 1) + f"{text}\n".encode()
            for kind, text in self.log
        )

    def _say(
        self, door: BaseHTTPRequestHandler, status: int, text: str
    ) -> None:
        """Say what is wrong."""
        self._send(door, status, json.dumps({"message": text}).encode())

    def _send(
        self, door: BaseHTTPRequestHandler, status: int, body: bytes
    ) -> None:
        """Send an answer."""
        door.send_response(status)
        door.send_header("content-length", str(len(body)))
        door.end_headers()
        door.wfile.write(body)
