"""The demo as a newcomer runs it: each fault is caused, noticed and fixed."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scripts.demo.stage import HOME
from scripts.demo.touring import FAULTS
from tests.programs import free_port
from tests.real.waiting import wait_for

SECONDS = 240
STORY = ("fault", "alert", "decision", "ruling", "job", "verdict")


@pytest.fixture
def run() -> Iterator[subprocess.Popen[str]]:
    """Return a demo of all faults, as a process of its own."""
    environ = {**os.environ, "SMOKEJUMPER_SERVER__PORT": str(free_port())}
    with subprocess.Popen(
        [sys.executable, "-m", "scripts.demo", "all"],
        cwd=HOME,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        yield demo
        if demo.poll() is None:
            demo.kill()


def leftovers() -> set[str]:
    """Return what demos have left in the file system."""
    places = ((HOME / "var", "demo-*"), (temporary(), "smokejumper-[0-9]*"))
    return {str(one) for top, glob in places for one in top.glob(glob)}


def temporary() -> Path:
    """Return where temporary files are."""
    return Path(tempfile.gettempdir())


def children_of(pid: int) -> list[psutil.Process]:
    """Return all that a process has started."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def test_every_fault_is_fixed(run: subprocess.Popen[str]) -> None:
    """Each step of each story is told, the verdict is measured: fixed."""
    before = leftovers()
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 0, said
    stories = re.split(r"^A fault: ", said, flags=re.MULTILINE)[1:]
    assert [story.split()[0] for story in stories] == FAULTS
    for story in stories:
        steps = re.findall(r"^ +[\d.]+ s  (\w+)", story, flags=re.MULTILINE)
        assert tuple(steps) == STORY, story
        assert "From fault to fixed" in story
        assert "confidence" in story
        assert ", from labels." in story
    assert leftovers() <= before


def test_ended_in_the_middle_nothing_stays(
    run: subprocess.Popen[str],
) -> None:
    """When somebody ends it, the fault, its programs and files are gone."""
    before = leftovers()
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
    assert leftovers() <= before
