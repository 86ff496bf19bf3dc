"""What the fakes of automation platforms share: a process, a ledger, a door.

Each is a real HTTP server in a process of its own. What it did is a line in
a file, on disk before anybody is told, and all its state is made of these
lines: so it can be killed and begins anew where it was.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from tests.programs import free_port

HOME = Path(__file__).parent.parent
WAIT_SECONDS = 20.0
HANG_SECONDS = 60.0
TOKEN = "opens-the-machine"


class Ledger:
    """The lines of a file: what happened, in order."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.lock = threading.RLock()

    def lines(self) -> list[dict[str, Any]]:
        """Return all that happened."""
        if not self._file.exists():
            return []
        text = self._file.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def note(self, what: str, **more: object) -> None:
        """Write a line, on disk before anybody is told."""
        line = {"what": what, "at": time.time(), **more}
        with self.lock, self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def of(self, number: int) -> list[dict[str, Any]]:
        """Return the lines about one job."""
        return [line for line in self.lines() if line.get("id") == number]

    def count(self, what: str, number: int) -> int:
        """Return how often something happened to a job."""
        return sum(line["what"] == what for line in self.of(number))

    def started(self) -> list[dict[str, Any]]:
        """Return the jobs that were started, the oldest first."""
        return [line for line in self.lines() if line["what"] == "start"]


class Door(BaseHTTPRequestHandler):
    """Reads a request, and calls the method whose route it fits."""

    ledger: ClassVar[Ledger]
    routes: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a question."""
        self._go()

    def do_POST(self) -> None:
        """Take an order."""
        self._go()

    def is_welcome(self) -> bool:
        """Tell whether the token is right; answer when it is not."""
        raise NotImplementedError

    def nothing(self) -> None:
        """Answer that there is no such page."""
        self.answer(404, {"detail": "Not found."})

    def _go(self) -> None:
        """Find the route."""
        length = int(self.headers.get("content-length") or 0)
        self.raw = self.rfile.read(length)
        parts = urlsplit(self.path)
        self.query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        if not self.is_welcome():
            return
        for method, pattern, name in self.routes:
            found = re.fullmatch(pattern, parts.path)
            if found and method == self.command:
                getattr(self, name)(*found.groups())
                return
        self.nothing()

    def answer(
        self,
        status: int,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Write an answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        raw = b"" if body is None else raw
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def hang_up(self) -> None:
        """Close the line without an answer."""
        self.close_connection = True

    def stall(self) -> None:
        """Say nothing for a long time."""
        time.sleep(HANG_SECONDS)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Machine:
    """A fake as a process of its own; its ledger outlives it."""

    def __init__(self, folder: Path, module: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ledger = Ledger(folder / f"{module.rpartition('.')[2]}.jsonl")
        self._file = folder / f"{module.rpartition('.')[2]}.jsonl"
        self._module = module
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Begin to listen."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self.kill()

    def start(self) -> None:
        """Start the process, and wait until it listens."""
        words = [sys.executable, "-m", self._module]
        words += [str(self.port), str(self._file)]
        self._running = subprocess.Popen(words, cwd=HOME)
        until = time.monotonic() + WAIT_SECONDS
        while not self._listens():
            assert self._running.poll() is None, "the machine has ended"
            assert time.monotonic() < until, "the machine does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        """End the process at once."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def noted(self, what: str, key: str | None = None) -> int:
        """Return how often something happened, to one job or to all."""
        return sum(
            line["what"] == what and key in (None, line.get("key"))
            for line in self.ledger.lines()
        )

    def _listens(self) -> bool:
        """Tell whether it answers."""
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return True
        except OSError:
            return False
        return True


def serve(door: type[Door]) -> None:
    """Listen until the end."""
    port, file = sys.argv[1:]
    door.ledger = Ledger(Path(file))
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), door)
    server.daemon_threads = True
    server.serve_forever()
