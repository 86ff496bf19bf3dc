"""What hangs fails by its name, and takes nothing along."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bounds import AGAIN_SECONDS, RUN_SECONDS, TEST_SECONDS
from tests.proofs import HOME

CONFTEST = """
from tests.bounds import Bounds

def pytest_configure(config):
    config.pluginmanager.register(Bounds(config), "bounds")
"""
# When it hears of the last test, whoever leads lets the time be over that is
# set for the run: nothing ends it where none is.
ENDS = """
import signal, sys, pytest

@pytest.hookimpl(trylast=True)
def pytest_runtest_logstart(nodeid):
    if nodeid.endswith("test_waits") and "xdist.dsession" in sys.modules:
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 60
        signal.raise_signal(signal.SIGALRM)
"""
TESTS = """
import threading, pytest

@pytest.fixture
def never():
    yield
    threading.Event().wait()

def test_fails(): assert 1 == 2
def test_hangs(): threading.Event().wait()
def test_hangs_and_so_does_its_end():
    try: threading.Event().wait()
    finally: threading.Event().wait()
def test_is_not_cleared_away(never): pass
def test_fails_and_is_not_cleared_away(never): assert 3 == 4
def test_passes(): pass
"""
SECONDS = {TEST_SECONDS: "2", AGAIN_SECONDS: "0.5"}
WAITS = "import threading\ndef test_waits(): threading.Event().wait()\n"


def run(folder: Path, *words: str, **seconds: str) -> str:
    """Return what pytest says about the tests of a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HOME), **seconds},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {1, 2}, done.stdout + done.stderr
    return done.stdout


def lines_with(said: str, *words: str) -> list[str]:
    """Return the lines in which all of some words stand."""
    lines = said.splitlines()
    return [one for one in lines if all(word in one for word in words)]


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_hangs_fails_and_the_others_run(
    tmp_path: Path, workers: str
) -> None:
    """In the test or after it; with the places of all threads."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(TESTS)
    said = run(tmp_path, f"-n{workers}", **SECONDS)
    assert lines_with(said, "2 passed", "4 failed", "2 errors")
    assert lines_with(said, "::test_fails failed (call):", "1 == 2")
    for name, when in (
        ("test_hangs", "call"),
        ("test_hangs_and_so_does_its_end", "call"),
        ("test_is_not_cleared_away", "teardown"),
        ("test_fails_and_is_not_cleared_away", "teardown"),
    ):
        assert lines_with(said, f"::{name} failed ({when})")
    assert "its time is over" in said
    assert lines_with(said, "threading.Event().wait()")


def test_a_run_that_must_end_says_what_it_knows(tmp_path: Path) -> None:
    """Who failed, and who still ran; who passed is not blamed."""
    (tmp_path / "conftest.py").write_text(CONFTEST + ENDS)
    (tmp_path / "test_some.py").write_text(
        "def test_passes(): pass\ndef test_fails(): assert 1 == 2\n" + WAITS
    )
    seconds = {RUN_SECONDS: "600"}
    said = run(tmp_path, "-n1", "--dist", "loadfile", **seconds)
    assert lines_with(said, "It still ran at the end") == [
        "It still ran at the end: test_some.py::test_waits"
    ]
    assert lines_with(said, "FAILED", "::test_fails")
