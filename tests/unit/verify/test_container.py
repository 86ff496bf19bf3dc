"""Containers: a real socket on which something like Docker answers."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import OutgoingFailed
from app.models.verdict import Judgement, Reading
from tests.unit.verify.making import here, make_check, measure

GOOD, BAD = Judgement.GOOD, Judgement.BAD


@contextmanager
def engine(folder: Path, status: int, body: bytes) -> Iterator[list[str]]:
    """Yield what is asked of a container engine on a socket of its own."""
    asked: list[str] = []

    class Door(BaseHTTPRequestHandler):
        """Answers as it is told."""

        def do_GET(self) -> None:
            """Answer one request."""
            asked.append(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(socketserver.ThreadingUnixStreamServer):
        """Speaks HTTP on a socket file."""

        daemon_threads = True

        def get_request(self) -> tuple[socket.socket, Any]:
            """Return a caller, who has no address here."""
            caller, _ = super().get_request()
            return caller, ("local", 0)

    server = Server(str(folder / "d.sock"), Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def container(folder: Path, name: str = "shop") -> tuple[Reading, Judgement]:
    """Return a reading of a container, and what it means."""
    settings = {"socket": str(folder / "d.sock")}
    check = make_check("container_is_healthy", settings)
    found = measure(check, here(arguments={"container": name}))
    return found, check.judge(None, found)


@pytest.mark.parametrize(
    ("state", "expected", "says"),
    [
        ({"Status": "running"}, GOOD, "shop is running"),
        ({"Status": "running", "Health": {"Status": "healthy"}}, GOOD,
         "shop is running, healthy"),
        ({"Status": "running", "Health": {"Status": "none"}}, GOOD,
         "shop is running"),
        ({"Status": "running", "Health": {"Status": "starting"}}, BAD,
         "shop is running, starting"),
        ({"Status": "running", "Health": {"Status": "unhealthy"}}, BAD,
         "shop is running, unhealthy"),
        ({"Status": "restarting"}, BAD, "shop is restarting"),
        ({"Status": "exited"}, BAD, "shop is exited"),
    ],
)  # fmt: skip
def test_a_container_runs_and_is_not_ill(
    tmp_path: Path, state: Any, expected: Judgement, says: str
) -> None:
    """What has no health check of its own need only run."""
    body = json.dumps({"State": state}).encode()
    with engine(tmp_path, 200, body) as asked:
        found, judgement = container(tmp_path)
    assert (judgement, found.says) == (expected, says)
    assert asked == ["/containers/shop/json"]


def test_a_container_that_is_gone_is_bad(tmp_path: Path) -> None:
    """The engine knows all of them."""
    with engine(tmp_path, 404, b"{}"):
        found, judgement = container(tmp_path)
    assert (judgement, found.says) == (BAD, "there is no container shop")


def test_a_name_of_a_container_is_one_part_of_a_path(tmp_path: Path) -> None:
    """It leads to no other method of the engine."""
    with engine(tmp_path, 404, b"{}") as asked:
        container(tmp_path, "../images/x")
    assert asked == ["/containers/..%2Fimages%2Fx/json"]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"", "status 500"),
        (200, b"[]", "no container"),
        (200, b'{"State": 5}', "no container"),
        (200, b"x" * 1_100_000, "too long"),
    ],
)
def test_what_is_no_container_is_a_failure(
    tmp_path: Path, status: int, body: bytes, why: str
) -> None:
    """Nothing is made of it."""
    with (
        engine(tmp_path, status, body),
        pytest.raises(OutgoingFailed, match=why),
    ):
        container(tmp_path)


def test_without_an_engine_there_is_no_reading(tmp_path: Path) -> None:
    """It says which socket it asked."""
    with pytest.raises(OutgoingFailed, match=r"d\.sock does not answer"):
        container(tmp_path)
