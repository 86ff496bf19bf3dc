"""model pull without a terminal: who reads its output sees how far it is."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.core.line import ONLY_TO

HOME = Path(__file__).parents[2]
TOTAL = 2_019_393_200
PATIENCE_SECONDS = 30.0


def step(percent: int) -> dict[str, Any]:
    """Return what a server says when so much is there."""
    return {
        "status": "pulling dde5aa3fc5ff",
        "digest": "sha256:dde5",
        "total": TOTAL,
        "completed": TOTAL * percent // 100,
    }


class Pulling(BaseHTTPRequestHandler):
    """Says how far it is to a half, and the rest when it is told to."""

    go_on = threading.Event()

    def do_POST(self) -> None:
        """Answer in pieces."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson")
        self.end_headers()
        self._say({"status": "pulling manifest"})
        for percent in range(51):
            self._say(step(percent))
        self.go_on.wait(PATIENCE_SECONDS)
        for percent in range(51, 101):
            self._say(step(percent))
        self._say({"status": "success"})

    def _say(self, said: dict[str, Any]) -> None:
        """Send one line of the answer."""
        self.wfile.write(json.dumps(said).encode() + b"\n")
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def netloc() -> Iterator[str]:
    """Return where a server downloads a model."""
    Pulling.go_on.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pulling)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    Pulling.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_pipe_is_told_of_each_five_percent(netloc: str) -> None:
    """As it comes: the half is told while the rest is not there yet."""
    words = ["model", "pull", "llama3.2", "--url", f"http://{netloc}"]
    with subprocess.Popen(
        [sys.executable, "main.py", *words],
        cwd=HOME,
        env={**os.environ, ONLY_TO: netloc},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pull:
        assert pull.stdout is not None
        limit = threading.Timer(PATIENCE_SECONDS, pull.kill)
        limit.start()
        said = []
        for line in pull.stdout:
            said.append(line)
            if " 50 %" in line:
                break
        assert " 50 % (1009 of 2019 MB)" in said[-1], said
        assert not Pulling.go_on.is_set()
        Pulling.go_on.set()
        said += pull.stdout
        pull.wait(PATIENCE_SECONDS)
        limit.cancel()
    assert pull.returncode == 0, said
    told = re.findall(r"pulling dde5aa3fc5ff (\d+) %", "".join(said))
    assert [int(one) for one in told] == list(range(0, 101, 5))
    # No terminal, so nothing that steers one.
    assert all(line.rstrip("\n").isprintable() for line in said)
    assert "llama3.2 is there" in said[-1]


def read_all(terminal: int) -> str:
    """Return all that is written to a terminal, until nobody has it."""
    said = b""
    # Linux says that the other side is gone by an error.
    with suppress(OSError):
        while piece := os.read(terminal, 65_536):
            said += piece
    os.close(terminal)
    return said.decode()


def test_a_terminal_has_bars(netloc: str) -> None:
    """They are drawn in place, to the end."""
    Pulling.go_on.set()
    ours, theirs = pty.openpty()
    words = ["model", "pull", "llama3.2", "--url", f"http://{netloc}"]
    with subprocess.Popen(
        [sys.executable, "main.py", *words],
        cwd=HOME,
        env={**os.environ, ONLY_TO: netloc, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as pull:
        os.close(theirs)
        said = read_all(ours)
    assert pull.returncode == 0, said
    assert "\x1b[" in said
    assert "2.0/2.0 GB" in said
