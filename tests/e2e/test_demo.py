"""The demo as a newcomer runs it: each fault is caused, noticed and fixed."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import psutil
import pytest

from scripts.demo.stage import HOME
from scripts.demo.touring import FAULTS
from tests.programs import free_port
from tests.real.waiting import wait_for

STORY = ("fault", "alert", "decision", "ruling", "job", "verdict")
# All faults take a minute or two.
MOST_SECONDS = 600.0


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Return a place for temporary files of which nobody else knows."""
    with tempfile.TemporaryDirectory(prefix="demo-") as place:
        yield Path(place)


@pytest.fixture
def run(temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """Return a demo of all faults, as a process of its own."""
    own = {
        "SMOKEJUMPER_SERVER__PORT": str(free_port()),
        "TMPDIR": str(temporary),
    }
    environ = {**os.environ, **own}
    with subprocess.Popen(
        [sys.executable, "-m", "scripts.demo", "all"],
        cwd=HOME,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        # Its output ends with it, so nobody waits for more of it for ever.
        limit = threading.Timer(MOST_SECONDS, demo.kill)
        limit.start()
        try:
            yield demo
        finally:
            limit.cancel()
            if demo.poll() is None:
                demo.kill()


def leftovers(temporary: Path) -> list[Path]:
    """Return what a demo has left in the file system."""
    return [*(HOME / "var").glob("demo-*"), *temporary.iterdir()]


def children_of(pid: int) -> list[psutil.Process]:
    """Return all that a process has started."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def read_until(run: subprocess.Popen[str], word: str) -> str:
    """Return what a demo says until a word comes, that line included."""
    assert run.stdout is not None
    said = ""
    for line in run.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(f"it never said {word!r}: {said}")


def check_console(said: str) -> None:
    """Look for the incident of the first story where the demo says."""
    (page,) = re.findall(r"console +(http\S+)", said)
    (number,) = re.findall(r", incident (\d+)", said)
    with httpx.Client(timeout=10, trust_env=False) as browser:
        assert browser.get(page).status_code == 200
        assert browser.get(f"{page}/{number}").status_code == 200
        # The list of the page is this, drawn by its script.
        rows = browser.get(urljoin(page, "/api/v1/incidents")).json()["items"]
    (found,) = [row for row in rows if row["id"] == int(number)]
    assert found["problem"] == "ProcessRunaway"
    assert found["mission"]["end"] == "fixed"


def test_every_fault_is_fixed(
    run: subprocess.Popen[str], temporary: Path
) -> None:
    """Each step of each story is told, the verdict is measured: fixed."""
    # The service is there until the last story is told.
    said = read_until(run, "From fault to fixed")
    check_console(said)
    assert run.stdout is not None
    # Not communicate(): it passes by what the lines above have read ahead.
    said += run.stdout.read()
    run.wait(timeout=60)
    assert run.returncode == 0, said
    stories = re.split(r"^A fault: ", said, flags=re.MULTILINE)[1:]
    assert [story.split()[0] for story in stories] == FAULTS
    for story in stories:
        steps = re.findall(r"^ +[\d.]+ s  (\w+)", story, flags=re.MULTILINE)
        assert tuple(steps) == STORY, story
        assert "From fault to fixed" in story
        assert "confidence" in story
        assert ", from labels." in story
    assert leftovers(temporary) == []


def test_ended_in_the_middle_nothing_stays(
    run: subprocess.Popen[str], temporary: Path
) -> None:
    """When somebody ends it, the fault, its programs and files are gone."""
    assert run.stdout is not None
    for line in run.stdout:
        if " fault " in line:
            break
    found = children_of(run.pid)
    assert any(one.name().startswith("demo") for one in found)
    run.send_signal(signal.SIGTERM)
    said, _ = run.communicate(timeout=60)
    assert "Ended." in said
    wait_for("an end", lambda: not any(one.is_running() for one in found))
    assert leftovers(temporary) == []
