"""The programs of a demo end with it, and say why when they do not run."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scripts.demo.programs import Broken, Program
from scripts.demo.stage import HOME
from tests.real.waiting import wait_for

SLEEPS = [sys.executable, "-I", "-c", "import time; time.sleep(600)"]
# Starts a program as the demo does, says its number, and is killed.
PARENT = """
import sys
from pathlib import Path
from scripts.demo.programs import Program
words = [sys.executable, "-I", "-c", "import time; time.sleep(600)"]
one = Program("one", words, Path(sys.argv[1]), {})
print(one.pid, flush=True)
sys.stdin.read()
"""


class Silent(http.server.BaseHTTPRequestHandler):
    """Answers that all is well."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[str]:
    """Return the address of a page that answers."""
    door = ("127.0.0.1", 0)
    with http.server.ThreadingHTTPServer(door, Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_one_that_ends_at_once_is_told(tmp_path: Path) -> None:
    """What it said last is in the error."""
    words = [sys.executable, "-I", "-c", "raise SystemExit('no room')"]
    program = Program("the service", words, tmp_path / "log", {})
    with pytest.raises(Broken, match=r"(?s)the service ended.*no room"):
        program.wait_until_ready("http://127.0.0.1:9/")


def test_it_is_ready_when_it_answers(tmp_path: Path, page: str) -> None:
    """Then waiting ends, and stopping it ends it."""
    program = Program("one", SLEEPS, tmp_path / "log", {})
    program.wait_until_ready(page)
    assert program.is_running
    process = psutil.Process(program.pid)
    program.stop()
    assert not is_alive(process)
    program.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="a call of Linux")
def test_it_does_not_outlive_the_demo(tmp_path: Path) -> None:
    """When the demo is killed, what it started ends."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=HOME,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
    wait_for("an end", lambda: not is_alive(child))


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process works still."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
