"""Signals reach the process that was looked at, and no other."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.act.local.hand import Stopped, Unwilling
from app.act.local.runaway.identity import Identity, differences, identify
from app.act.local.runaway.pidfd import Grip
from app.models.job import JobState
from tests.unit.act.local.victims import DEAF, REST, HandOfATest, Victim

NAME = "held-of-a-test"


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    """Return a process that rests."""
    with Victim(tmp_path, NAME, REST) as one:
        yield one


def known(victim: Victim) -> Identity:
    """Return who it is."""
    found = identify(victim.pid)
    assert found is not None
    return found


def test_an_identity_is_all_of_it(victim: Victim) -> None:
    """File, user and group as the system says them."""
    found = known(victim)
    file = Path(f"/proc/{victim.pid}/exe")
    assert found.exe == str(file.readlink())
    assert (found.device, found.inode) == (
        file.stat().st_dev,
        file.stat().st_ino,
    )
    assert (found.uid, found.effective_uid) == (os.getuid(), os.geteuid())
    assert found.cgroups == Path(f"/proc/{victim.pid}/cgroup").read_text()
    assert found.name == NAME[:15]
    assert found.inner_pid == victim.pid or found.is_contained
    for part in (str(victim.pid), str(found.start), found.exe):
        assert part in str(found)


def test_a_signal_ends_it(victim: Victim, tmp_path: Path) -> None:
    """Its end is seen on the descriptor."""
    with Grip(known(victim)) as grip:
        assert grip.send(signal.SIGTERM)
        assert grip.wait(30, HandOfATest(tmp_path))
        assert not victim.runs
        assert not grip.send(signal.SIGTERM)
    assert not victim.runs


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", 1),
        ("exe", "/usr/bin/other"),
        ("device", 1),
        ("inode", 1),
        ("uid", 4_000_000),
        ("effective_uid", 4_000_000),
        ("cgroups", "0::/other.slice\n"),
    ],
)
def test_one_difference_saves_it(
    victim: Victim, field: str, value: object
) -> None:
    """Whatever is not as it was: it is another, or became another."""
    other = msgspec.structs.replace(known(victim), **{field: value})
    with pytest.raises(Unwilling, match=f"{field} was .*, is ") as caught:
        Grip(other)
    assert NAME[:15] in str(caught.value)
    assert victim.runs


def test_its_own_word_does_not_count(victim: Victim) -> None:
    """A process may call itself as it likes."""
    other = msgspec.structs.replace(known(victim), name="sshd")
    with Grip(other) as grip:
        assert not grip.has_ended
    assert differences(known(victim), other) == []


def test_a_process_that_becomes_another_program_is_not_the_same(
    tmp_path: Path,
) -> None:
    """Its number and its start stay; its file does not."""
    code = "import os, sys\nsys.stdin.readline()\n"
    code += "os.execv('/bin/sleep', ['sleep', '60'])"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code], stdin=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        before = identify(child.pid)
        assert before is not None
        with Grip(before) as grip:
            child.stdin.write(b"go\n")
            child.stdin.flush()
            hand = HandOfATest(tmp_path)
            while not differences(before, identify(child.pid)):
                hand.wait(0.01)
            with pytest.raises(Unwilling, match="exe was"):
                grip.compare()
        child.kill()


def test_who_is_gone_gets_nothing(victim: Victim) -> None:
    """Not even when it is a zombie still."""
    before = known(victim)
    victim.kill()
    assert identify(victim.pid) is None
    with pytest.raises(Unwilling, match=r"gone|has ended meanwhile"):
        Grip(before)
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert identify(child.pid) is None


def test_a_wait_ends_with_its_deed(tmp_path: Path) -> None:
    """When it is told to, and when its time is over."""
    with Victim(tmp_path, NAME, DEAF) as deaf, Grip(known(deaf)) as grip:
        assert grip.send(signal.SIGTERM)
        assert not grip.wait(0.1, HandOfATest(tmp_path))
        with pytest.raises(Stopped) as caught:
            grip.wait(30, HandOfATest(tmp_path, seconds=0.1))
        assert caught.value.state is JobState.TIMED_OUT
        hand = HandOfATest(tmp_path)
        hand.stop_file.touch()
        with pytest.raises(Stopped) as caught:
            grip.wait(30, hand)
        assert caught.value.state is JobState.ABORTED
        assert deaf.runs


def test_descriptors_are_given_back(victim: Victim) -> None:
    """Also when nothing is held in the end."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    other = msgspec.structs.replace(known(victim), start=1)
    for _ in range(20):
        with pytest.raises(Unwilling):
            Grip(other)
        with Grip(known(victim)) as grip:
            grip.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
