"""The dummy service: it behaves as its file says."""

import email.utils
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from simulator.dummy import (
    CRASHED,
    NO_SPACE,
    NOT_BOUND,
    Mood,
    NoSpace,
    Spool,
    read_mood,
)
from simulator.kept import DUMMY

Start = Callable[..., "Dummy"]


class Dummy:
    """A dummy service of a test."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.mood = folder / "shop.json"
        self.spool = folder / "spool"
        self.child = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(DUMMY),
                "shop",
                f"--mood={self.mood}",
                f"--spool={self.spool}",
                *words,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdout is not None
        self.port = int(self.child.stdout.readline() or 0)

    def be(self, mode: str, skew: float = 0) -> None:
        """Have it behave in a way."""
        draft = self.mood.with_suffix(".new")
        draft.write_text(json.dumps({"mode": mode, "skew_seconds": skew}))
        draft.replace(self.mood)

    def get(self, path: str, seconds: float = 20) -> httpx.Response:
        """Return what it answers."""
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.get(url, timeout=seconds)

    def ended(self) -> tuple[int, str]:
        """Return how it ended, and what it said."""
        _, said = self.child.communicate(timeout=30)
        return self.child.returncode, said


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start dummies; all of them end with the test."""
    begun: list[Dummy] = []

    def make(*words: str) -> Dummy:
        """Start one."""
        begun.append(Dummy(tmp_path, *words))
        return begun[-1]

    yield make
    for one in begun:
        one.child.kill()
        one.child.communicate(timeout=30)


def test_it_is_fine_and_then_as_its_file_says(start: Start) -> None:
    """Health, errors and metrics follow the mode without a restart."""
    shop = start()
    assert shop.get("/health").json() == {"service": "shop", "status": "ok"}
    assert 'sim_service_up{service="shop"} 1' in shop.get("/metrics").text
    assert shop.get("/else").status_code == 404
    shop.be("500")
    assert shop.get("/health").status_code == 500
    figures = shop.get("/metrics").text
    assert 'sim_service_up{service="shop"} 0' in figures
    assert 'requests_total{service="shop",code="500"} 1' in figures


@pytest.mark.parametrize("mode", ["slow", "hang"])
def test_it_keeps_its_askers_waiting(start: Start, mode: str) -> None:
    """Slow and hanging, no answer comes in the time that is waited."""
    shop = start()
    shop.be(mode)
    with pytest.raises(httpx.ReadTimeout):
        shop.get("/health", 0.3)


def test_a_crash_ends_it_while_it_runs_and_at_its_start(start: Start) -> None:
    """Told to crash it ends, and so does the next one at once."""
    shop = start()
    shop.be("crash")
    assert shop.child.wait(30) == CRASHED
    again = start()
    status, said = again.ended()
    assert (again.port, status) == (0, CRASHED)
    assert "crashes at its start" in said


def test_its_clock_can_be_wrong(start: Start) -> None:
    """The date of its answers is as wrong as is wished; no clock is set."""
    shop = start()
    shop.be("ok", 3600)
    said = shop.get("/health").headers["date"]
    ahead = email.utils.parsedate_to_datetime(said).timestamp() - time.time()
    assert 3500 < ahead < 3700


def test_it_cannot_start_where_the_disk_is_full(start: Start) -> None:
    """A spool without room ends it, with a status and words for that."""
    shop = start("--spool-write=8192", "--spool-most=4096")
    status, said = shop.ended()
    assert (shop.port, status) == (0, NO_SPACE)
    assert "no space left" in said
    assert list(shop.spool.iterdir()) == []


def test_it_leaves_its_spool_empty(start: Start) -> None:
    """What it wrote at its start is gone once it runs."""
    shop = start()
    assert shop.port
    assert list(shop.spool.iterdir()) == []


def test_what_the_kernel_says_of_a_full_disk_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that finds no room is NoSpace, and nothing is left of it."""

    def full(_file: int) -> None:
        """Say what a full disk says."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("simulator.dummy.os.fsync", full)
    with pytest.raises(NoSpace, match="No space left"):
        Spool(tmp_path, 4096).try_out("shop")
    assert list(tmp_path.iterdir()) == []


def test_it_says_when_its_port_is_taken(start: Start) -> None:
    """Two cannot listen in one place: the second says so."""
    first = start()
    second = start(f"--port={first.port}")
    status, said = second.ended()
    assert status == NOT_BOUND
    assert "cannot start" in said


def test_it_ends_with_whoever_keeps_it(start: Start) -> None:
    """At the end of its input it ends, and says why."""
    shop = start()
    status, said = shop.ended()
    assert status == 0
    assert "is gone" in said


def test_it_ends_when_told_to(start: Start) -> None:
    """SIGTERM ends it at once, as a good service."""
    shop = start()
    shop.child.send_signal(signal.SIGTERM)
    assert shop.child.wait(30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux")
def test_it_is_called_by_its_name(start: Start) -> None:
    """A monitor sees it as sim-shop."""
    assert psutil.Process(start().child.pid).name() == "sim-shop"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"mode": 5}',
        '{"mode": "ok", "skew_seconds": []}',
        '{"mode": "ok", "skew_seconds": 1e99}',
        '{"skew_seconds": 5}',
    ],
)
def test_a_file_that_says_nothing_changes_nothing(
    tmp_path: Path, text: str
) -> None:
    """What cannot be understood is as if nothing was wrong."""
    path = tmp_path / "shop.json"
    path.write_text(text)
    assert read_mood(path) == Mood()
    path.unlink()
    assert read_mood(path) == Mood()


def test_a_file_is_understood(tmp_path: Path) -> None:
    """A mode and a wrong clock are read."""
    path = tmp_path / "shop.json"
    said: dict[str, Any] = {"mode": "slow", "skew_seconds": -5}
    path.write_text(json.dumps(said))
    assert read_mood(path) == Mood("slow", -5.0)
