"""Probes at servers: a container engine, listeners, who writes to disks."""

import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory

import pytest

from app.core.host import HostSettings
from tests.unit.act.local.rounds import Round, write
from tests.unit.act.local.test_probes_machines import HEAD, NOBODY, row

ILL, WELL, DONE = "1" * 64, "2" * 64, "3" * 64
LISTED = [
    {
        "Id": ILL,
        "Names": ["/mailer"],
        "Image": "mailer:4",
        "State": "restarting",
        "Status": "Restarting (137) 3 seconds ago",
    },
    {
        "Id": WELL,
        "Names": ["/web"],
        "Image": "web:7",
        "State": "running",
        "Status": "Up 3 hours (healthy)",
    },
    {
        "Id": DONE,
        "Names": ["/job"],
        "Image": "job:1",
        "State": "exited",
        "Status": "Exited (0) 2 days ago",
    },
]
INSPECTED = {
    "State": {
        "ExitCode": 137,
        "OOMKilled": True,
        "Error": "",
        "StartedAt": "2026-11-21T02:14:02Z",
    },
    "RestartCount": 41,
}
STATS = {"memory_stats": {"usage": 950_000_000, "limit": 1_000_000_000}}
LOG = b"\x02\0\0\0\0\0\0\x0ecannot connect\x01\0\0\0\0\0\0\x05token"


class Answers(BaseHTTPRequestHandler):
    """Answers as the API of a container engine does; only GET."""

    def do_GET(self) -> None:
        """Answer what is asked for."""
        path = self.path.partition("?")[0]
        known = {
            "/containers/json": json.dumps(LISTED).encode(),
            f"/containers/{ILL}/json": json.dumps(INSPECTED).encode(),
            f"/containers/{ILL}/logs": LOG,
            f"/containers/{WELL}/stats": json.dumps(STATS).encode(),
        }
        body = known.get(path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def address_string(self) -> str:
        """Return who asks: a socket file has no address."""
        return "local"

    def log_message(self, *_: object) -> None:
        """Be silent."""


@contextmanager
def engine(known: type[BaseHTTPRequestHandler]) -> Iterator[Path]:
    """Run an engine; return the root of its machine."""
    # The path of a socket is short, that of a test is not.
    with TemporaryDirectory() as folder:
        file = Path(folder) / "run/docker.sock"
        file.parent.mkdir()
        with socketserver.ThreadingUnixStreamServer(
            str(file), known
        ) as server:
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield Path(folder)
            finally:
                server.shutdown()
                thread.join()


def test_containers_that_are_not_well_come_with_reasons() -> None:
    """What was ended and restarts, what is nearly full; the job is fine."""
    with engine(Answers) as root:
        found = Round("containers", root=root)
    assert found.first == [
        (
            "container mailer is Restarting (137) 3 seconds ago: exit code"
            " 137,"
            " ended for want of memory, restarted 41 times,"
            " started 2026-11-21T02:14:02Z"
        ),
        "container web holds 950 MB of 1.0 GB (95 %)",
    ]
    assert found.lines("container mailer")[1:] == ["cannot connecttoken"]
    lines = found.lines("containers")
    assert lines[0].startswith("mailer (mailer:4): Restarting")
    assert "job (job:1): Exited (0) 2 days ago" in lines


def test_an_engine_that_fails_says_so() -> None:
    """One that answers with an error, and none at all."""

    class Fails(Answers):
        """Answers with an error."""

        def do_GET(self) -> None:
            """Fail."""
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with engine(Fails) as root:
        assert Round("containers", root=root).lines("containers") == [
            "not readable: the engine answers 500"
        ]
        nowhere = root / "nowhere"
    assert Round("containers", root=nowhere).lines("containers") == [
        "not readable: no container engine runs here"
    ]


def listening(port: int) -> str:
    """Return a line of /proc/net/tcp: it listens on this port."""
    return row(f"0100007F:{port:04X}", NOBODY, "0A")


def test_listeners_are_called(tmp_path: Path) -> None:
    """One that answers; one that refuses, though it is said to listen."""
    with create_server(("127.0.0.1", 0)) as gone:
        closed = gone.getsockname()[1]
    with create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        port = server.getsockname()[1]
        rows = listening(port) + listening(closed)
        # MySQL at an address that others use, too, is left alone.
        rows += row("0A00000A:0CEA", NOBODY, "0A")
        write(tmp_path, "proc/net/tcp", HEAD + rows)
        found = Round("latency", root=tmp_path)
        caller, _ = server.accept()
        with caller:
            caller.settimeout(20)
            assert caller.recv(10) == b""
    lines = found.lines("local listeners")
    assert len(lines) == 2
    assert any(
        line.startswith(f"127.0.0.1 port {port}: connected in ")
        for line in lines
    )
    assert found.first == [
        f"127.0.0.1 port {closed} listens and refuses connections"
    ]


def test_where_nothing_listens_that_is_said(tmp_path: Path) -> None:
    """And where it cannot be read, that."""
    write(tmp_path, "proc/net/tcp", HEAD)
    title = "local listeners"
    found = Round("latency", root=tmp_path).lines(title)
    assert found == ["nothing listens here"]
    found = Round("latency", root=tmp_path / "nowhere").lines(title)
    assert found == ["not readable: no such file or directory"]


def test_who_writes_to_a_disk_is_named(tmp_path: Path) -> None:
    """A real child that writes and syncs, with its rate."""
    asked = ["stat", "-f", "-c", "%T", str(tmp_path)]
    kind = subprocess.run(asked, capture_output=True, text=True, check=True)
    if kind.stdout.strip() == "tmpfs":
        pytest.skip("what is written to memory is written to no disk")
    code = (
        "import os, sys\n"
        "f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    os.pwrite(f, os.urandom(1 << 20), 0)\n    os.fsync(f)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "written")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            found = Round("io")
        finally:
            child.kill()
    lines = found.lines("processes by disk")
    (mine,) = [line for line in lines if f"[{child.pid}]" in line]
    assert " writes " in mine


def test_declared_daemons_are_looked_at() -> None:
    """By their own commands; one that is down stands out."""
    host = HostSettings.model_validate(
        {
            "services": {
                "up": {"status": ["/bin/true"], "restart": ["/bin/true"]},
                "down": {"status": ["/bin/false"], "restart": ["/bin/true"]},
            }
        }
    )
    found = Round("units", host=host)
    lines = found.lines("daemons")
    assert any(line.startswith("up (command): ") for line in lines)
    assert any(line.startswith("down (command): ") for line in found.first)
    assert not any(line.startswith("up ") for line in found.first)
