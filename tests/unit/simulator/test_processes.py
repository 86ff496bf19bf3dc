"""A process is ended only if it is the one that was meant."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from simulator import processes
from simulator.processes import birth_of, end_process
from tests.programs import need
from tests.unit.simulator.scene import wait_for

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """Start a process that does nothing."""
    with subprocess.Popen(SLEEPER) as child:
        yield child
        child.kill()


def test_a_birth_stays_the_same(sleeper: "subprocess.Popen[bytes]") -> None:
    """It is of one process, and of no other."""
    assert birth_of(sleeper.pid)
    assert birth_of(sleeper.pid) == birth_of(sleeper.pid)
    assert birth_of(sleeper.pid) != birth_of(1)
    assert birth_of(0) == birth_of(-1) == ""


def test_who_was_meant_is_ended(sleeper: "subprocess.Popen[bytes]") -> None:
    """Also while nobody asks how it ended."""
    birth = birth_of(sleeper.pid)
    assert end_process(sleeper.pid, birth)
    assert sleeper.wait(10) == -9
    assert birth_of(sleeper.pid) == ""
    assert end_process(sleeper.pid, birth)


@pytest.mark.parametrize("birth", ["", "another"])
def test_somebody_else_of_that_pid_lives(
    sleeper: "subprocess.Popen[bytes]", birth: str
) -> None:
    """A pid that was given anew is left alone."""
    assert end_process(sleeper.pid, birth)
    assert sleeper.poll() is None


def test_one_born_in_between_lives(
    sleeper: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at again once it is held."""
    told = iter(["meant", "other", "other"])
    monkeypatch.setattr(processes, "birth_of", lambda _: next(told))
    assert end_process(sleeper.pid, "meant")
    assert sleeper.poll() is None


def test_one_that_waits_to_be_reaped_is_none() -> None:
    """It does nothing any more."""
    pid = os.fork()
    if not pid:
        os._exit(0)
    wait_for(lambda: not birth_of(pid))
    os.waitpid(pid, 0)


def test_ps_tells_where_there_is_no_proc(
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    """Another system has the same care."""
    need("ps", "procps")
    birth = processes._birth_by_ps(sleeper.pid)
    assert birth
    assert birth == processes._birth_by_ps(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert processes._birth_by_ps(sleeper.pid) == ""
