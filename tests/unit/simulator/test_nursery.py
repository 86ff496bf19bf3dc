"""Children have their own names, are in the journal, and always end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from simulator import nursery as nursery_module
from simulator.journal import Journal
from simulator.nursery import GRACE_SECONDS, Child, Nursery, Task
from simulator.problem import Unable
from simulator.processes import birth_of
from tests.unit.simulator.scene import HERE, wait_for

CPU = Task("cpu", "sim-cpu", 60, {"level": 1, "nice": 0})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a journal of its own."""
    return Journal(tmp_path)


@pytest.fixture
def child(journal: Journal) -> Iterator[Child]:
    """Start a child that hardly does anything."""
    one = Nursery(journal).start(CPU)
    yield one
    one.end()


def test_it_is_called_what_it_is(child: Child) -> None:
    """Both names that monitors read: its own, and the first word."""
    found = psutil.Process(child.pid)
    assert found.name() == "sim-cpu"
    assert Path(found.cmdline()[0]).name == "sim-cpu"
    assert os.getsid(child.pid) == child.pid


def test_it_is_in_the_journal_while_it_is_there(
    journal: Journal, child: Child
) -> None:
    """With its birth, so that nobody else is taken for it."""
    (made,) = journal.read()
    assert (made.what, made.pid, made.name) == ("child", child.pid, "sim-cpu")
    assert made.birth == birth_of(child.pid)
    child.end()
    assert journal.read() == []
    assert not child.is_alive()
    child.end()


def test_another_hand_can_end_it(child: Child) -> None:
    """It ends at the first polite signal, as an ordinary program."""
    os.kill(child.pid, signal.SIGTERM)
    wait_for(lambda: not child.is_alive())


def test_one_that_is_stopped_is_ended(child: Child) -> None:
    """It hears nothing, so it is killed."""
    os.kill(child.pid, signal.SIGSTOP)
    child.end()
    assert not psutil.pid_exists(child.pid)


def test_it_ends_by_itself_when_its_time_is_over(journal: Journal) -> None:
    """Whoever should have ended it forgot."""
    task = Task("cpu", "sim-cpu", 1 - GRACE_SECONDS, CPU.words)
    one = Nursery(journal).start(task)
    wait_for(lambda: not one.is_alive())
    one.end()


def test_why_it_did_not_begin_is_said(
    journal: Journal, tmp_path: Path
) -> None:
    """In the child's own words, and nothing is left of it."""
    words = {"path": str(tmp_path / "none" / "x"), "level": 1, "cap_mb": 1}
    with pytest.raises(Unable, match="cannot be written: No such file"):
        Nursery(journal).start(Task("io", "sim-io", 60, words))
    assert journal.read() == []


def test_a_program_that_breaks_is_said(journal: Journal) -> None:
    """One that says nothing at all too."""
    with pytest.raises(Unable, match="sim-x could not begin"):
        Nursery(journal).start(Task("none", "sim-x", 60, {}))
    assert journal.read() == []


def test_one_that_does_not_begin_in_time_is_ended(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage waits for nobody without end."""
    monkeypatch.setattr(nursery_module, "READY_SECONDS", 0.0)
    with pytest.raises(Unable, match="did not begin in time"):
        Nursery(journal).start(CPU)
    assert journal.read() == []


def test_a_python_that_is_not_there_is_said(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The system's own words reach whoever asked."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(Unable, match="could not be started: No such file"):
        Nursery(journal).start(CPU)


@pytest.mark.parametrize(
    "said", [b"", b'{"seconds": 60', b'{"parent": 1, "name": "x"']
)
def test_untold_it_does_nothing_and_ends(said: bytes) -> None:
    """Its parent was killed between its start and the word to go."""
    words = [sys.executable, "-m", "simulator.children.memory"]
    done = subprocess.run(
        words,
        cwd=HERE,
        input=said,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_without_its_own_parent_it_does_nothing() -> None:
    """Who was adopted meanwhile has nobody to end with."""
    words = [sys.executable, "-m", "simulator.children.memory"]
    said = b'{"parent": 1, "name": "sim-memory", "seconds": 60}\n'
    done = subprocess.run(
        words,
        cwd=HERE,
        input=said,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")
