"""Ending a runaway: who is none, though it takes much, and who shields."""

import os
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from app.act.local.hand import Unwilling
from app.act.local.runaway.identity import identify
from app.core.clock import SystemClock
from app.core.look.past import Past
from app.core.look.snapshot import TICKS, Snapshot, read_proc
from tests.unit.act.local.test_kill import NAME, kill
from tests.unit.act.local.victims import (
    REST,
    SPIN,
    HandOfATest,
    Victim,
    wait_for,
)


def test_who_holds_much_and_rests_lives(tmp_path: Path) -> None:
    """A heap is there to be filled: 30 % of memory is no harm by itself."""
    with Victim(tmp_path, NAME, REST) as heap:
        with pytest.raises(Unwilling, match="no process is above the limits"):
            kill(HandOfATest(tmp_path), memory_percent=0.001, window_seconds=1)
        assert heap.runs


def remember(pid: int, share: float) -> Past:
    """Return a past in which a process took such a part of a core."""
    proc = read_proc(pid)
    assert proc is not None
    past = Past(SystemClock())
    began = time.monotonic()
    for second in range(20):
        ticks = int(second * share * TICKS)
        then = msgspec.structs.replace(proc, ticks=ticks)
        snapshot = Snapshot(
            monotonic=began + second, procs={then.key: then}, figures={}
        )
        past.keep(snapshot, {})
    return past


def test_who_was_always_as_busy_is_for_a_person(tmp_path: Path) -> None:
    """That is perhaps what it is for; settings may allow it."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, SPIN) as spins:
        past = remember(spins.pid, 1.0)
        with pytest.raises(Unwilling, match="as busy all that time") as caught:
            kill(hand, past=past, window_seconds=1)
        assert spins.runs
        assert "sent" not in hand.said
        assert f"[{spins.pid}]" in str(caught.value)
        kill(hand, past=past, window_seconds=1, usual=True)
        assert not spins.runs


def test_who_is_busier_than_usual_ends(tmp_path: Path) -> None:
    """The past is known, and it was another."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, SPIN) as spins:
        kill(hand, past=remember(spins.pid, 0.05), window_seconds=1)
        assert not spins.runs
    assert "past: it usually took 5 % of one core" in hand.said


def test_a_stranger_shields_nobody(tmp_path: Path) -> None:
    """Whoever spins beside it as another user is left out, and it is said."""
    if os.geteuid() != 0:
        pytest.skip("only root starts a process of another user")
    hand = HandOfATest(tmp_path)
    become = SPIN.replace("ready()", "ready()\nos.setuid(65534)")
    with (
        Victim(tmp_path, NAME, SPIN) as ours,
        Victim(tmp_path, NAME, become) as stranger,
    ):
        wait_for(lambda: getattr(identify(stranger.pid), "uid", 0) == 65534)
        kill(hand, window_seconds=2)
        assert not ours.runs
        assert stranger.runs
    assert "left out: 1 processes of users whose processes may" in hand.said
    assert f"[{stranger.pid}]" in hand.said.partition("left out")[2]


def test_a_name_is_one_line(tmp_path: Path) -> None:
    """Whatever a process calls itself, it writes no line of the output."""
    code = f"open('/proc/self/comm', 'w').write('x\\nsent: KILL')\n{SPIN}"
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, code) as victim:
        kill(hand, window_seconds=1)
        assert not victim.runs
    assert "\nsent: KILL" not in hand.said
    assert f"x sent: KILL[{victim.pid}]" in hand.said


# Its first thread ends by itself; the other one spins.
HEADLESS = """
import ctypes, platform, threading
ready()
def spin():
    while True: pass
threading.Thread(target=spin, daemon=True).start()
number = {"x86_64": 60, "aarch64": 93}[platform.machine()]
ctypes.CDLL(None).syscall(number, 0)
"""


def test_who_works_on_without_its_first_thread_is_seen(
    tmp_path: Path,
) -> None:
    """It looks like a dead one, and takes a core; nobody says it is gone."""
    with Victim(tmp_path, NAME, HEADLESS) as one:
        wait_for(lambda: is_dead(one.pid))
        with pytest.raises(Unwilling, match="its first thread has ended"):
            kill(HandOfATest(tmp_path), window_seconds=1, cpu_percent=5)
        proc = read_proc(one.pid)
        assert proc is not None
        assert not proc.is_over
    # One that nobody has buried is over.
    with subprocess.Popen(["/bin/true"]) as child:
        wait_for(lambda: is_dead(child.pid))
        proc = read_proc(child.pid)
        assert proc is not None
        assert proc.is_over


def is_dead(pid: int) -> bool:
    """Tell whether a process looks like one that has ended."""
    proc = read_proc(pid)
    return proc is not None and proc.state == "Z"
