"""ctl.py: the commands that a host's settings name for a service."""

import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from simulator import ctl
from simulator.ctl import FINE, NOT_SO, NOT_THERE, REFUSED, WRONG_USE, Ask
from tests.programs import free_port
from tests.unit.simulator.running import Simulator, wait_for


@pytest.fixture(scope="module")
def simulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Simulator]:
    """Share one running simulator."""
    running = Simulator(tmp_path_factory.mktemp("ctl"))
    try:
        yield running.start()
    finally:
        assert running.stop() == 0


def test_it_says_how_a_service_is_and_restarts_it(
    simulator: Simulator,
) -> None:
    """Fine, then stopped, then fine again: the exit status says so."""
    assert simulator.ctl("status", "shop").returncode == FINE
    order = {"options": {"shape": "stopped"}, "seconds": 60}
    simulator.ask("POST", "/api/faults/service", json=order)
    down = simulator.ctl("status", "shop")
    assert down.returncode == NOT_SO
    assert "shop is stopped" in down.stderr
    assert simulator.ctl("restart", "shop").returncode == FINE
    assert simulator.ctl("status", "shop").returncode == FINE
    wait_for(
        lambda: simulator.truths()[-1]["ended_by"] == "remedy",
        "the truth knows who healed it",
    )


def test_it_sees_a_service_that_hangs(simulator: Simulator) -> None:
    """Stopped by a signal it listens and does not answer: that is down."""
    url = "/api/services/shop"
    pid = simulator.ask("GET", url).json()["pid"]
    child = psutil.Process(pid)
    child.send_signal(signal.SIGSTOP)
    wait_for(lambda: child.status() == psutil.STATUS_STOPPED, "it stops")
    hung = simulator.ctl("status", "shop")
    assert hung.returncode == NOT_SO
    assert "does not answer" in hung.stderr
    assert simulator.ctl("restart", "shop").returncode == FINE


def test_a_service_that_is_not_there_is_refused(simulator: Simulator) -> None:
    """The simulator's own words are passed on."""
    said = simulator.ctl("status", "till")
    assert said.returncode == REFUSED
    assert "nobody keeps a service 'till'" in said.stderr


def test_no_simulator_is_a_status_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever does not run is told from a service that is down."""
    url = f"http://127.0.0.1:{free_port()}"
    assert ctl.main(["status", "shop", "--url", url]) == NOT_THERE
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["status", "../shop"],
        ["status", "shop", "--url", "https://example.com"],
        ["status", "shop", "--url", "http://127.0.0.1:80/x"],
        ["restart", "shop", "--token-file", "/nowhere/token"],
    ],
)
def test_wrong_words_are_refused(words: list[str]) -> None:
    """Nobody is asked."""
    assert ctl.main(words) == WRONG_USE


def test_a_token_is_shown(tmp_path: Path) -> None:
    """What a file holds goes into the request, and nothing else of it."""
    token = tmp_path / "token"
    token.write_text("secret\n")
    assert ctl.read_token(str(token)) == "secret"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        port = server.getsockname()[1]
        heard: list[bytes] = []

        def answer() -> None:
            """Answer once."""
            line, _ = server.accept()
            with line:
                line.settimeout(20)
                heard.append(line.recv(4096))
                line.sendall(b"HTTP/1.0 200 OK\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        found = Ask("127.0.0.1", port, "/", token="secret").send(10)
        thread.join(30)
    assert found.status == 200
    assert b"Authorization: Bearer secret\r\n" in heard[0]


def test_an_answer_that_drips_does_not_hold_it() -> None:
    """The deadline is for the whole answer, not for each part of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        port = server.getsockname()[1]
        is_over = threading.Event()

        def drip() -> None:
            """Send a byte now and then, without an end."""
            line, _ = server.accept()
            with line:
                try:
                    while not is_over.wait(0.02):
                        line.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(OSError, match=r"no answer within|timed out"):
                Ask("127.0.0.1", port, "/health").send(0.2)
        finally:
            is_over.set()
            thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("said", [b"", b"\r\n\r\n", b"HTTP/1.0 x\r\n\r\n"])
def test_what_is_no_answer_is_no_health(said: bytes) -> None:
    """Something else that listens there is not the service."""
    with pytest.raises(ConnectionError):
        ctl._parse(said)
