"""Two demos do not take each other's ports; a killed one leaves nothing."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from scripts.demo import __main__ as demo
from scripts.demo.holding import LAST_PORT, Janitor, hold_ports
from scripts.demo.janitor import is_there
from scripts.demo.programs import Broken
from scripts.demo.stage import HOME
from tests.real.waiting import wait_for

SLEEP = [sys.executable, "-I", "-c", "import time; time.sleep(600)"]
# Has a janitor for its folder and another program, and is killed.
DEMO = """
import sys
from pathlib import Path
from scripts.demo.holding import Janitor
janitor = Janitor(Path(sys.argv[1]))
janitor.wait_for(int(sys.argv[2]))
print(janitor._process.pid, flush=True)
sys.stdin.read()
"""


def test_two_at_once_take_ports_of_their_own() -> None:
    """Before anybody listens; what was held is free after it."""
    with ExitStack() as one, ExitStack() as other:
        first = hold_ports(20_000, 3, one)
        second = hold_ports(20_000, 3, other)
        assert len({*first, *second}) == 6
        one.close()
        assert hold_ports(first[0], 1, other) == first[:1]


def test_a_port_that_is_taken_is_none() -> None:
    """Somebody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as one:
        taken = server.getsockname()[1]
        (port,) = hold_ports(taken, 1, one)
        assert port > taken


def test_where_ports_end_it_is_said() -> None:
    """Not by a bug: what to do is said, too."""
    with ExitStack() as one, pytest.raises(Broken, match="--port"):
        hold_ports(LAST_PORT - 1, 3, one)


@pytest.mark.parametrize("port", [0, LAST_PORT + 1, 70_000])
def test_a_port_that_is_none_starts_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    port: int,
) -> None:
    """It is wrong use; a server on port 0 would never be found."""
    monkeypatch.setenv("SMOKEJUMPER_SERVER__PORT", str(port))
    assert demo.main([]) == demo.WRONG_USE
    assert f"not {port}" in capsys.readouterr().out


def test_a_port_of_a_connection_is_none() -> None:
    """Nobody listens there, and yet no server could."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        ExitStack() as one,
    ):
        taken = client.getsockname()[1]
        (port,) = hold_ports(taken, 1, one)
        assert port > taken


def test_the_folders_go_with_the_demo(tmp_path: Path) -> None:
    """All of them; one that is gone already is no matter."""
    folder = tmp_path / "demo"
    (folder / "deep").mkdir(parents=True)
    janitor = Janitor(folder, tmp_path / "nothing")
    assert folder.exists()
    janitor.close()
    assert not folder.exists()


@pytest.fixture
def sleeper() -> "subprocess.Popen[bytes]":
    """Return a program that goes on."""
    return subprocess.Popen(SLEEP)


def test_a_demo_that_is_killed_leaves_nothing(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    """Its folder is there as long as its programs run, and no longer."""
    folder = tmp_path / "demo"
    folder.mkdir()
    words = [sys.executable, "-c", DEMO, str(folder), str(sleeper.pid)]
    demo = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HOME
    )
    try:
        assert demo.stdout is not None
        janitor = psutil.Process(int(demo.stdout.readline()))
        os.kill(demo.pid, signal.SIGKILL)
        demo.communicate(timeout=30)
        assert janitor.is_running()
        assert folder.exists()
    finally:
        sleeper.kill()
        sleeper.wait()
    wait_for("its folder is gone", lambda: not folder.exists())
    wait_for("the janitor ends", lambda: not is_there(janitor.pid))


def test_one_that_has_ended_is_not_there() -> None:
    """Nor is it while nobody has buried it."""
    child = subprocess.Popen([sys.executable, "-I", "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_there(child.pid)
    child.wait()
    assert not is_there(child.pid)
    assert is_there(os.getpid())
