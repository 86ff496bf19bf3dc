"""kill -9 of a real simulator leaves nothing, whatever it was doing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from simulator.guard import Guard
from simulator.home import Home
from simulator.journal import CHILD, FILES, Journal, Made
from simulator.processes import birth_of
from simulator.stage import Stage
from simulator.truth import TruthLog
from tests.unit.simulator.scene import (
    HERE,
    can_mount,
    files_below,
    mounts_below,
    settings_at,
    wait_for,
)

ALL = "cpu,memory,disk,io,files,zombies,clock"


class Driven:
    """A simulator in a process of its own."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        """Wait until its faults run, and learn its children."""
        assert child.stdout is not None
        pids = [int(word) for word in child.stdout.readline().split()]
        assert pids, "it did not start"
        self.child = child
        self.guard, *self.pids = pids
        births = {pid: birth_of(pid) for pid in pids}
        # Its zombies were never more than that.
        self.births = {pid: birth for pid, birth in births.items() if birth}

    def kill(self) -> None:
        """End it as nothing should be ended."""
        self.child.kill()
        self.child.wait()

    def is_gone(self, pid: int) -> bool:
        """Tell whether a child is gone."""
        return birth_of(pid) != self.births[pid]


@contextmanager
def driven(
    home: Path, kinds: str, disk: str = "folder", before: Sequence[str] = ()
) -> Iterator[Driven]:
    """Run a simulator, and end what a failed test would leave."""
    module = "tests.unit.simulator.driver"
    words = [*before, sys.executable, "-m", module, str(home), kinds, disk]
    with subprocess.Popen(words, cwd=HERE, stdout=subprocess.PIPE) as child:
        try:
            yield Driven(child)
        finally:
            child.kill()


def is_clean(home: Path) -> bool:
    """Tell whether nothing is left below a folder."""
    journal = (home / "journal.jsonl").read_bytes()
    return not journal and not files_below(home) and not mounts_below(home)


@pytest.mark.parametrize("disk", ["folder", "tmpfs"])
def test_kill_9_leaves_nothing(home: Path, disk: str) -> None:
    """Processes, mounts and files go; the truth says it was a crash."""
    if disk == "tmpfs" and not can_mount():
        pytest.skip("only root may mount a file system")
    with driven(home, ALL, disk) as one:
        assert len(one.pids) >= 5
        assert not is_clean(home)
        assert len(mounts_below(home)) == (disk == "tmpfs")
        one.kill()
        wait_for(lambda: not any(psutil.pid_exists(pid) for pid in one.pids))
        wait_for(lambda: one.is_gone(one.guard))
    assert is_clean(home)
    truths = TruthLog(home).since()
    assert {one.fault for one in truths} == set(ALL.split(","))
    assert {one.ended_by for one in truths} == {"crash"}


def test_an_ordinary_user_has_all_of_it_too(home: Path) -> None:
    """Without any right to mount: a folder stands for the disk."""
    words = ["unshare", "-U", "true"]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nobody can be made an ordinary user here")
    with driven(home, ALL, "auto", ["unshare", "-U"]) as one:
        assert mounts_below(home) == []
        assert "disk/app.log" in files_below(home)
        one.kill()
        wait_for(lambda: all(one.is_gone(pid) for pid in one.births))
    assert is_clean(home)


def test_a_child_that_is_stopped_ends_too(home: Path) -> None:
    """It cannot read the end of its input; the others can end it."""
    with driven(home, "cpu") as one:
        os.kill(one.pids[0], signal.SIGSTOP)
        one.kill()
        wait_for(lambda: all(one.is_gone(pid) for pid in one.births))
    assert is_clean(home)


def test_without_its_guard_the_next_start_sweeps(home: Path) -> None:
    """Both were killed: what is left is undone before anything else."""
    with driven(home, "cpu,disk,clock") as one:
        # Stopped first, so that it cannot start another guard.
        one.child.send_signal(signal.SIGSTOP)
        os.kill(one.guard, signal.SIGKILL)
        one.kill()
        wait_for(lambda: all(one.is_gone(pid) for pid in one.births))
    assert not is_clean(home)
    with Stage(settings_at(home)) as stage:
        assert files_below(home) == set()
        ended = stage.truths.since()
    assert {one.ended_by for one in ended} == {"crash"}
    assert is_clean(home)


def test_a_guard_that_is_gone_is_replaced(home: Path) -> None:
    """The simulator notices, and is guarded again."""
    with driven(home, "disk") as one:
        os.kill(one.guard, signal.SIGKILL)
        driver = psutil.Process(one.child.pid)
        wait_for(
            lambda: any(
                "simulator.guard" in " ".join(found.cmdline())
                for found in driver.children()
                if found.pid != one.guard
            )
        )
        one.kill()
        wait_for(lambda: is_clean(home))


def test_a_guard_hears_no_signal_that_means_the_group(home: Path) -> None:
    """Ctrl-C and a stop of the whole unit reach it, and it stays."""
    with driven(home, "disk") as one:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(one.guard, number)
        assert os.getsid(one.guard) == one.guard
        one.kill()
        wait_for(lambda: all(one.is_gone(pid) for pid in one.births))
    assert is_clean(home)


def test_a_new_simulator_is_not_disturbed(home: Path) -> None:
    """A guard that comes late leaves what a new one has begun."""
    home.mkdir()
    folder = Home(home)
    folder.take()
    journal = Journal(home)
    made = Made(CHILD, pid=os.getpid(), birth=birth_of(os.getpid()))
    guard = Guard(home, home / "disk")
    guard.keep()
    try:
        journal.note(made)
        # Its pipe ends, as after a crash, while the folder is another's.
        guard._close()
        assert guard._child is not None
        assert guard._child.wait(20) == 0
        assert journal.read() == [made]
    finally:
        journal.clear()
        guard.dismiss()
        folder.release()


def test_without_a_farewell_it_undoes_the_rest(home: Path) -> None:
    """As of a simulator that could not read its own journal at its end."""
    place = Home(home)
    place.make()
    (home / "io.bin").write_text("x")
    Journal(home).note(Made(FILES, path=str(home), pattern="io.bin"))
    guard = Guard(home, home / "disk")
    guard.keep()
    guard.dismiss(is_undone=False)
    assert guard.pid == 0
    assert not (home / "io.bin").exists()
    assert Journal(home).read() == []


def test_dismissed_it_goes_at_once_and_sweeps_nothing(home: Path) -> None:
    """The simulator has undone everything itself."""
    home.mkdir()
    guard = Guard(home, home / "disk")
    guard.dismiss()
    guard.keep()
    pid = guard.pid
    guard.keep()
    assert guard.pid == pid
    made = Made(CHILD, pid=1, birth="not that")
    Journal(home).note(made)
    guard.dismiss()
    assert not psutil.pid_exists(pid)
    assert guard.pid == 0
    assert Journal(home).read() == [made]
