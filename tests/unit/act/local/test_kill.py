"""Ending a runaway: real ones, beside real ones that must live."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.act.local.deed import Done, read_arguments
from app.act.local.deeds.kill_process import (
    Arguments,
    KillProcess,
    KillSettings,
    plugin,
)
from app.act.local.hand import Stopped, Unwilling
from app.act.local.runaway.burden import Burden, find_program
from app.act.local.runaway.ending import Ender, EndSettings, find_keeper
from app.act.local.runaway.identity import identify
from app.core.clock import SystemClock
from app.core.errors import NotAccepted
from app.core.look.past import Past
from app.core.look.snapshot import Proc, read_proc
from app.models.job import JobState
from tests.unit.act.local.victims import (
    BUSY,
    DEAF,
    LEAK,
    REST,
    SPIN,
    EnvOfATest,
    HandOfATest,
    Victim,
)

# Others may run the same tests beside us.
NAME = f"killed-by-{os.getpid()}"
OURS: Mapping[str, Any] = {"users": [os.getuid()]}


# Watched for a second only, in which the whole machine may pause: who spins
# is told from who rests, and no more.
SOON: dict[str, Any] = {"window_seconds": 1, "cpu_percent": 40}


def kill(
    hand: HandOfATest,
    name: str = NAME,
    past: Past | None = None,
    **more: Any,
) -> Done:
    """Return what comes of the deed."""
    settings = {**OURS, **more}
    deed = plugin(EnvOfATest("kill-process", settings, past=past))
    return deed.do(Arguments("web-1", name), hand)


def test_the_runaway_ends_and_its_busy_twin_lives(tmp_path: Path) -> None:
    """With who it was, and the figures before and after."""
    hand = HandOfATest(tmp_path)
    with (
        Victim(tmp_path, NAME, SPIN) as spins,
        Victim(tmp_path, NAME, BUSY) as busy,
        Victim(tmp_path, NAME, REST) as rests,
        Victim(tmp_path, "other-of-a-test", SPIN) as other,
    ):
        who = identify(spins.pid)
        done = kill(hand)
        assert not spins.runs
        assert busy.runs
        assert rests.runs
        assert other.runs
    assert done.state is JobState.SUCCEEDED
    assert f"[{spins.pid}] ended on SIGTERM (its CPU of" in done.reason
    assert f"{NAME}: 3 processes, 3 s watched" in hand.said
    assert f"before: {NAME[:15]}[{spins.pid}]: " in hand.said
    assert "because: its CPU of" in hand.said
    assert "past: nothing is known of it" in hand.said
    assert f"will be ended: {who}" in hand.said
    assert "sent: SIGTERM" in hand.said
    assert "SIGKILL" not in hand.said
    after = hand.said.partition(f"after: 2 processes {NAME}")[2]
    assert f"[{busy.pid}]" in after
    assert f"[{spins.pid}]" not in after


def test_a_leak_ends(tmp_path: Path) -> None:
    """By its growth; one that holds as much and does not grow lives."""
    hand = HandOfATest(tmp_path)
    with (
        Victim(tmp_path, NAME, LEAK) as leaks,
        Victim(tmp_path, NAME, REST) as rests,
    ):
        done = kill(
            hand,
            growth_mb_per_minute=120,
            growth_floor_percent=0,
            window_seconds=2,
        )
        assert not leaks.runs
        assert rests.runs
    assert "its growth of" in done.reason


def test_who_does_not_listen_is_killed(tmp_path: Path) -> None:
    """After it was asked, and had time."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, DEAF) as deaf:
        done = kill(hand, grace_seconds=0.3, **SOON)
        assert not deaf.runs
    assert done.state is JobState.SUCCEEDED
    assert "ended on SIGKILL only" in done.reason
    assert hand.said.index("SIGTERM") < hand.said.index("SIGKILL")


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        ((SPIN, SPIN), "a person must choose"),
        ((REST, REST), "no process is above the limits"),
        ((BUSY,), "no process is above the limits"),
        ((), "there is no process"),
    ],
)
def test_nobody_ends_without_a_clear_culprit(
    tmp_path: Path, codes: tuple[str, ...], says: str
) -> None:
    """The figures are for a person."""
    hand = HandOfATest(tmp_path)
    victims = [Victim(tmp_path, NAME, code) for code in codes]
    try:
        with pytest.raises(Unwilling, match=says) as caught:
            kill(hand, window_seconds=2)
        for victim in victims:
            assert victim.runs
            assert f"[{victim.pid}]: " in str(caught.value)
    finally:
        for victim in victims:
            victim.__exit__()
    assert "sent" not in hand.said


@pytest.mark.parametrize("name", ["postgres", "redis-server", "sshd", "init"])
def test_protected_programs_are_not_even_measured(
    tmp_path: Path, name: str
) -> None:
    """Their name is enough."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, name, SPIN) as victim:
        with pytest.raises(Unwilling, match=f"{name} is protected"):
            kill(hand, name, window_seconds=0.5)
        assert victim.runs
    assert hand.said == ""


def test_another_name_of_a_protected_program_is_no_way(
    tmp_path: Path,
) -> None:
    """It is asked for by its file, and the kernel calls it otherwise."""
    code = f"open('/proc/self/comm', 'w').write('mysqld')\n{SPIN}"
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, code) as victim:
        with pytest.raises(Unwilling, match="mysqld is protected"):
            kill(hand, window_seconds=1)
        assert victim.runs
    assert f"mysqld[{victim.pid}]: " in hand.said


def test_our_own_child_is_left_alone(tmp_path: Path) -> None:
    """Whatever it does: it is of our own tree."""
    program = tmp_path / NAME
    program.symlink_to(sys.executable)
    code = "import signal\nsignal.alarm(60)\nwhile True: pass"
    hand = HandOfATest(tmp_path)
    with subprocess.Popen(
        [program, "-S", "-c", code], env={"PYTHONHOME": sys.base_prefix}
    ) as child:
        with pytest.raises(Unwilling, match="descends from us"):
            kill(hand, window_seconds=2)
        assert child.poll() is None
        child.kill()
    assert "sent" not in hand.said


def test_strangers_need_to_be_listed(tmp_path: Path) -> None:
    """Nobody is listed: a process of root's stays, or another user's."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, SPIN) as victim:
        with pytest.raises(Unwilling, match="may be ended here"):
            kill(hand, users=[4_000_000], window_seconds=1)
        assert victim.runs
    assert "sent" not in hand.said


def test_a_group_of_the_settings_protects(tmp_path: Path) -> None:
    """Every process is in one that begins with a slash."""
    with Victim(tmp_path, NAME, SPIN) as victim:
        with pytest.raises(Unwilling, match="protected cgroup"):
            kill(
                HandOfATest(tmp_path),
                protected_cgroups=["/*"],
                window_seconds=1,
            )
        assert victim.runs


def test_who_is_not_shown_is_left_alone(tmp_path: Path) -> None:
    """And who waits in the kernel: no signal reaches it."""
    with Victim(tmp_path, NAME, REST) as victim:
        proc = read_proc(victim.pid)
        assert proc is not None
        hand = HandOfATest(tmp_path)
        with pytest.raises(Unwilling, match="we are not shown who"):
            _ender().end(_burden(proc), "why", hand)
        stuck = _burden(proc, is_stuck=True, identity=identify(victim.pid))
        with pytest.raises(Unwilling, match="uninterruptible sleep, in "):
            _ender().end(stuck, "why", hand)
        assert victim.runs


def _ender() -> Ender:
    """Return who ends processes of our own user."""
    settings = EndSettings(users=(os.getuid(),))
    return Ender(settings, Past(SystemClock()))


def _burden(proc: Proc, **more: Any) -> Burden:
    """Return what a process takes."""
    return Burden(proc=proc, given=99, cpu=99, memory=1, growth=0, **more)


def test_a_stop_while_it_is_watched_sends_nothing(tmp_path: Path) -> None:
    """It is told to end before it knows who it is."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, SPIN) as victim:
        timer = threading.Timer(0.2, hand.stop_file.touch)
        timer.start()
        with pytest.raises(Stopped) as caught:
            kill(hand, window_seconds=60)
        timer.join()
        assert victim.runs
    assert caught.value.state is JobState.ABORTED
    assert "sent" not in hand.said


def test_a_stop_in_the_grace_sends_no_kill(tmp_path: Path) -> None:
    """What was sent stands in the output; nothing follows."""
    stop = tmp_path / "stop"

    def stop_it(text: str) -> None:
        """Tell it to end as soon as it was asked politely."""
        if "SIGTERM" in text:
            stop.touch()

    hand = HandOfATest(tmp_path, hears=stop_it)
    with Victim(tmp_path, NAME, DEAF) as deaf:
        with pytest.raises(Stopped) as caught:
            kill(hand, **SOON, grace_seconds=60)
        assert deaf.runs
    assert caught.value.state is JobState.ABORTED
    assert "sent: SIGTERM" in hand.said
    assert "SIGKILL" not in hand.said


def test_its_time_ends_in_the_grace(tmp_path: Path) -> None:
    """The same, by the clock."""
    hand = HandOfATest(tmp_path, seconds=4)
    with Victim(tmp_path, NAME, DEAF) as deaf:
        with pytest.raises(Stopped) as caught:
            kill(hand, **SOON, grace_seconds=60)
        assert deaf.runs
    assert caught.value.state is JobState.TIMED_OUT
    assert "SIGKILL" not in hand.said


def test_a_stop_after_the_end_changes_nothing(tmp_path: Path) -> None:
    """It is done by then: only the figures after it are missing."""
    stop = tmp_path / "stop"

    def stop_it(text: str) -> None:
        """Tell it to end as soon as the runaway has."""
        if "ended on SIGTERM" in text:
            stop.touch()

    hand = HandOfATest(tmp_path, hears=stop_it)
    with Victim(tmp_path, NAME, SPIN) as victim:
        done = kill(hand, **SOON)
        assert not victim.runs
    assert done.state is JobState.SUCCEEDED
    assert "after: " not in hand.said


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"host": "web-1", "process": "a b"}, "is no program"),
        ({"host": "web-1", "process": "../x"}, "is no program"),
        ({"host": "web-1", "process": "-9"}, "is no program"),
        ({"host": "a;b", "process": "x"}, "is no host"),
        ({"host": "localhost", "process": "x"}, "is no host"),
    ],
)
def test_arguments_are_fitted_again(
    tmp_path: Path, said: dict[str, str], says: str
) -> None:
    """Whoever sent the order has looked at them, and is not believed."""
    deed = plugin(EnvOfATest("kill-process", OURS))
    with pytest.raises(NotAccepted, match=says):
        deed.do(read_arguments(deed.takes, dict(said)), HandOfATest(tmp_path))


def test_it_takes_a_host_and_a_program_only() -> None:
    """A number is not taken: it would be another's by now."""
    for said in ({"host": "x"}, {"host": "x", "process": "y", "pid": "1"}):
        with pytest.raises(NotAccepted, match="the arguments are wrong"):
            read_arguments(KillProcess.takes, dict(said))


def test_what_holds_without_settings() -> None:
    """The limits of the precondition, and time to end in peace."""
    settings = KillSettings()
    assert (settings.cpu_percent, settings.memory_percent) == (80, 25)
    assert (settings.grace_seconds, settings.factor) == (10, 1.5)
    assert settings.users == ()


@pytest.mark.parametrize(
    ("cgroup", "says"),
    [
        ("/system.slice/web.service", "systemd may start web.service again"),
        ("/user.slice/user@7.service/app.slice/x.scope", ""),
        ("/system.slice/docker-0a1b.scope", "its container may start it"),
    ],
)
def test_who_keeps_it_is_said(tmp_path: Path, cgroup: str, says: str) -> None:
    """So that nobody wonders when it is there again."""
    with Victim(tmp_path, NAME, REST) as victim:
        who = identify(victim.pid)
        assert who is not None
        other = msgspec.structs.replace(who, cgroup=cgroup, is_contained=False)
    assert find_keeper(other, 1).startswith(says)
    assert bool(find_keeper(other, 1)) == bool(says)
    if not says:
        parent = read_proc(os.getpid())
        assert f"its parent {parent} may" in find_keeper(other, os.getpid())


def test_a_program_is_found_by_its_name_only(tmp_path: Path) -> None:
    """Not by what it is told, nor by a part of its name."""
    with Victim(tmp_path, NAME, REST) as victim:
        assert [one.pid for one in find_program(NAME)] == [victim.pid]
        assert find_program(NAME[1:]) == []
        assert find_program("ready") == []
