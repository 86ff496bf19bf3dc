"""The small programs of the images: the bill of materials, and the start."""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real.waiting import wait_for

DOCKER = Path(__file__).parents[2] / "docker"
SBOM = DOCKER.parent / "scripts" / "sbom.py"
RUN = DOCKER / "simulator" / "run.py"
# Says that it runs, and how it ends; ends by itself when it is told to.
CHILD = """
import pathlib, signal, sys, time
here = pathlib.Path(sys.argv[1])
def end(*_):
    here.with_suffix(".ended").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
here.touch()
deadline = time.monotonic() + 60
while time.monotonic() < deadline and not here.with_suffix(".die").exists():
    time.sleep(0.02)
sys.exit(7)
"""
START = """
import runpy, sys
from pathlib import Path
found = runpy.run_path(sys.argv[1])
folder, python = Path(sys.argv[2]), sys.executable
child = str(folder / "child.py")
words = {n: [python, child, str(folder / n)] for n in ("one", "two")}
run = found["run"]
run.__globals__.update(
    HOME=folder,
    SETTINGS=folder,
    TOKEN=folder / "token",
    programs=lambda _: words,
)
sys.exit(run())
"""


def make_bill(epoch: str = "1767225600") -> str:
    """Return the bill of this interpreter, made by the program itself."""
    done = subprocess.run(
        [sys.executable, SBOM],
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_bill_names_what_is_installed() -> None:
    """Each distribution by name, version and licence, and Debian's, too."""
    bill = json.loads(make_bill())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["timestamp"] == "2026-01-01T00:00:00Z"
    parts = {one["purl"]: one for one in bill["components"]}
    assert len(parts) == len(bill["components"])
    version = metadata.version("uvicorn")
    assert parts[f"pkg:pypi/uvicorn@{version}"]["licenses"]
    if Path("/usr/bin/dpkg-query").exists():
        (libc,) = [one for one in parts if one.startswith("pkg:deb/debian/li")
                   and "/libc6@" in one]  # fmt: skip
        assert "?arch=" in libc


def test_the_same_parts_make_the_same_bill() -> None:
    """To the byte; another date changes the date only."""
    first = make_bill()
    assert first == make_bill()
    other = json.loads(make_bill("1767312000"))
    assert other["metadata"]["timestamp"] == "2026-01-02T00:00:00Z"
    other["metadata"] = json.loads(first)["metadata"]
    assert other == json.loads(first)


def test_a_changed_part_changes_the_number() -> None:
    """The serial number is that of the parts."""
    found = runpy.run_path(str(SBOM))
    part: Callable[..., dict[str, Any]] = found["part"]
    some = [part("a", "1", "pkg:pypi/a@1"), part("b", "1", "pkg:pypi/b@1")]
    bill: Callable[..., dict[str, Any]] = found["bill"]
    number = bill(some, 0)["serialNumber"]
    assert bill(some[::-1] + some, 0)["serialNumber"] == number
    assert bill(some[:1], 0)["serialNumber"] != number


class Started:
    """The start program with two children that do nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "child.py").write_text(CHILD)
        (folder / "token").write_text("a 'token'\n")
        (folder / "simulator.yaml").write_text("enabled: true\n")
        self.settings = folder / "made.yaml"
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, RUN, folder],
            env={**os.environ, "SIMULATOR_CONFIG": str(self.settings)},
            stderr=subprocess.PIPE,
        )
        wait_for("children", self.runs)

    def runs(self) -> bool:
        """Tell whether both children run."""
        return all((self.folder / one).exists() for one in ("one", "two"))

    def end(self) -> tuple[int, str]:
        """Return the exit status and what was said."""
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said.decode()


def test_all_end_when_the_container_does(tmp_path: Path) -> None:
    """SIGTERM is passed on, and the children are waited for."""
    started = Started(tmp_path)
    started.process.send_signal(signal.SIGTERM)
    assert started.end() == (0, "")
    for name in ("one", "two"):
        assert (tmp_path / f"{name}.ended").exists()


def test_one_that_ends_takes_the_container_along(tmp_path: Path) -> None:
    """The engine then starts it anew; nobody goes on without the other."""
    started = Started(tmp_path)
    (tmp_path / "one.die").touch()
    assert started.end() == (1, "one ended: 7\n")
    assert (tmp_path / "two.ended").exists()


def test_the_token_is_written_for_ourselves_only(tmp_path: Path) -> None:
    """And as it is, whatever is in it."""
    started = Started(tmp_path)
    started.process.send_signal(signal.SIGTERM)
    started.end()
    made = yaml.safe_load(started.settings.read_text())
    assert made == {"enabled": True, "token": "a 'token'"}
    assert started.settings.stat().st_mode & 0o777 == 0o600


def test_without_a_service_nothing_watches() -> None:
    """An empty SMOKEJUMPER_WATCH leaves it to another monitoring system."""
    programs = runpy.run_path(str(RUN))["programs"]
    assert set(programs({})) == {"simulator", "hands"}
    named = programs({"SMOKEJUMPER_WATCH": "http://web:8080"})
    assert "http://web:8080" in named["watch"]


class Well(BaseHTTPRequestHandler):
    """Says that the simulator is well."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def test_health_asks_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is well when the simulator answers and the hands listen."""
    health = runpy.run_path(str(RUN))["health"]
    place = tmp_path / "s"
    with HTTPServer(("127.0.0.1", 0), Well) as server:
        port = server.server_address[1]
        health.__globals__.update(PORT=port, HANDS=place)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert health() == 1
            with socket.socket(socket.AF_UNIX) as hands:
                hands.bind(str(place))
                hands.listen()
                assert health() == 0
        finally:
            server.shutdown()
            thread.join()
    assert health() == 1
    assert "not well" in capsys.readouterr().out
