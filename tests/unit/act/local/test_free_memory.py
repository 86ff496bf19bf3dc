"""Giving memory back: the grower is named, and one thing is done at most."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.act.local.deed import Done, read_arguments
from app.act.local.deeds.free_memory import (
    Arguments,
    FreeMemory,
    MemorySettings,
    plugin,
)
from app.act.local.hand import Stopped, Unwilling
from app.act.local.runaway.burden import find_program
from app.act.local.runaway.caches import drop_caches, show_memory
from app.act.local.runaway.owning import is_of_unit
from app.core.daemons import FORGETFUL, Daemons
from app.core.errand import Errand
from app.core.errors import NotAccepted
from app.core.host import HostSettings
from app.core.warden import Standing, State
from app.models.job import JobState
from tests.real.supervisor import need_supervisor
from tests.unit.act.local.victims import (
    REST,
    SPIN,
    EnvOfATest,
    HandOfATest,
    Victim,
    wait_for,
)
from tests.unit.act.local.wards import Systemctl, systemctl

__all__ = ["systemctl"]
pytestmark = pytest.mark.usefixtures("alone")
NAME = "grower-of-a-test"
# Faster than a program grows that just starts, and it ends with little.
FLOOD = """
ready()
held = []
while len(held) < 120:
    held.append(bytearray(os.urandom(1024)) * 10240)
    time.sleep(0.05)
while True: time.sleep(60)
"""
LIMITS: Mapping[str, Any] = {
    "users": [os.getuid()],
    "memory_percent": 90,
    "growth_mb_per_minute": 4_500,
    "growth_floor_percent": 0,
    "window_seconds": 1.5,
}
NONE: Mapping[str, Any] = {**LIMITS, "growth_mb_per_minute": 1_000_000}
RPC = "supervisor.rpcinterface:make_main_rpcinterface"
SUPERVISED = """
[supervisord]
user={user}
pidfile={folder}/d.pid
logfile={folder}/d.log
childlogdir={folder}
[unix_http_server]
file={folder}/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = {rpc}
[program:shop]
command={program} -I {folder}/shop.py {folder}/ready
startsecs=1
"""


def free(
    hand: HandOfATest, host: HostSettings | None = None, **more: Any
) -> Done:
    """Return what comes of the deed."""
    env = EnvOfATest("free-memory", {**LIMITS, **more}, host)
    return plugin(env).do(Arguments("web-1"), hand)


def test_the_grower_ends_when_its_program_is_listed(tmp_path: Path) -> None:
    """Whoever holds still lives, and whoever works."""
    hand = HandOfATest(tmp_path)
    with (
        Victim(tmp_path, NAME, FLOOD) as grows,
        Victim(tmp_path, NAME, REST) as rests,
        Victim(tmp_path, NAME, SPIN) as spins,
    ):
        done = free(hand, end=[NAME], drop_caches=True)
        assert not grows.runs
        assert rests.runs
        assert spins.runs
    assert done.state is JobState.SUCCEEDED
    assert "its growth of" in done.reason
    assert f"grower: {NAME[:15]}[{grows.pid}]: " in hand.said
    assert hand.said.startswith("before: MemFree")
    assert "after: MemFree" in hand.said
    # One thing was done; the other was allowed, too.
    assert "caches" not in hand.said


def test_the_grower_is_named_when_nothing_is_allowed(tmp_path: Path) -> None:
    """With the evidence: a person goes on."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, FLOOD) as grows:
        with pytest.raises(Unwilling, match="nothing was done") as caught:
            free(hand, end=["other-of-a-test"], restart=[])
        assert grows.runs
    assert f"{NAME[:15]}[{grows.pid}] grows" in str(caught.value)
    assert "cgroup " in hand.said
    assert "sent" not in hand.said


def test_a_database_is_not_ended(tmp_path: Path) -> None:
    """Not even when its program is listed."""
    with Victim(tmp_path, "postgres", FLOOD) as grows:
        with pytest.raises(Unwilling, match="postgres is protected"):
            free(HandOfATest(tmp_path), end=["postgres"])
        assert grows.runs


def test_nobody_grows(tmp_path: Path) -> None:
    """Then there is nobody to blame."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, REST) as victim:
        with pytest.raises(Unwilling, match="no process is above the limits"):
            free(hand, **{**NONE, "end": [NAME]})
        assert victim.runs
    assert " processes, 1.5 s" in hand.said


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[HostSettings]:
    """Return a host with a real supervisord whose program grows."""
    need_supervisor()
    program = tmp_path / NAME
    program.symlink_to(sys.executable)
    code = "import os, signal, sys, time\nsignal.alarm(120)\n"
    code += f"def ready(): open(sys.argv[1], 'w')\n{FLOOD}"
    (tmp_path / "shop.py").write_text(code)
    file = tmp_path / "d.conf"
    file.write_text(
        SUPERVISED.format(
            user=os.getuid(), folder=tmp_path, program=program, rpc=RPC
        )
    )
    run = (
        f"sys.path += {sys.path!r}\n"
        "ready()\n"
        f"sys.argv = ['d', '-n', '-c', {str(file)!r}]\n"
        "import warnings\n"
        "from supervisor.supervisord import main\n"
        "main()"
    )
    with Victim(tmp_path, "keeper-of-a-test", run):
        wait_for((tmp_path / "ready").exists)
        yield HostSettings(supervisor=f"unix://{tmp_path}/s.sock")
    # Its warden is gone by now: nobody starts them again.
    for proc in find_program(NAME):
        os.kill(proc.pid, signal.SIGKILL)


def test_the_grower_of_a_listed_daemon_is_restarted(
    tmp_path: Path, supervised: HostSettings
) -> None:
    """By its warden; nothing else is done, though all is allowed."""
    hand = HandOfATest(tmp_path)
    daemons = Daemons(supervised)
    before = daemons.state("shop")
    assert [proc.pid for proc in find_program(NAME)] == [before.pid]
    done = free(
        hand,
        supervised,
        restart=["absent-of-a-test", "shop"],
        end=[NAME],
        drop_caches=True,
    )
    after = daemons.state("shop")
    assert after.state is State.ACTIVE
    assert after.pid not in (0, before.pid)
    assert done.state is JobState.SUCCEEDED
    assert f"shop was restarted, as {NAME[:15]}[{before.pid}]" in done.reason
    assert "sent" not in hand.said
    assert "caches" not in hand.said


def test_a_grower_that_ended_meanwhile_restarts_nobody(
    tmp_path: Path, supervised: HostSettings
) -> None:
    """Its warden has started another one, which has grown by nothing yet."""
    daemons = Daemons(supervised)
    before = daemons.state("shop")

    def end_it(text: str) -> None:
        """End it at the last moment."""
        if "will be restarted: shop" in text:
            os.kill(before.pid, signal.SIGKILL)
            wait_for(lambda: daemons.state("shop").pid not in (0, before.pid))

    hand = HandOfATest(tmp_path, hears=end_it)
    with pytest.raises(Unwilling, match="is not what was measured: it is go"):
        free(hand, supervised, restart=["shop"])
    now = daemons.state("shop")
    time.sleep(0.5)
    assert daemons.state("shop").pid == now.pid


class Kept(Daemons):
    """Daemons of which one keeps the grower of a test."""

    def __init__(self, **standing: Any) -> None:
        super().__init__(HostSettings())
        self._standing = Standing(
            **{
                "name": "shop",
                "warden": "systemd",
                "state": State.ACTIVE,
                "says": "fine",
                **standing,
            }
        )

    def state(self, name: str, seconds: float = 5.0) -> Standing:
        """Return how the one is."""
        del name, seconds
        return self._standing

    def restart(
        self, name: str, seconds: float = 30.0, errand: Errand = FORGETFUL
    ) -> Standing:
        """Fail: nothing may be restarted here."""
        del seconds, errand
        raise AssertionError(name)


@pytest.mark.parametrize(
    ("standing", "says"),
    [
        ({"takes_along": ("postgresql",)}, "postgresql holds data"),
        ({"names": ("shop", "sshd")}, "sshd is protected"),
        ({"name": "shop-mysql"}, "shop-mysql holds data"),
    ],
)
def test_what_is_never_restarted_is_not_for_memory_either(
    tmp_path: Path, standing: Mapping[str, Any], says: str
) -> None:
    """The same rules as for restart-service."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, FLOOD) as grows:
        env = EnvOfATest("free-memory", {**LIMITS, "restart": ["shop"]})
        deed = FreeMemory(env, Kept(pid=grows.pid, **standing))
        with pytest.raises(Unwilling, match=says):
            deed.do(Arguments("web-1"), hand)
        assert grows.runs
    assert "will be restarted" not in hand.said


OWN = "/system.slice/payd.service"


@pytest.mark.parametrize(
    ("cgroup", "is_one"),
    [
        (OWN, True),
        (f"{OWN}/workers", True),
        ("/user.slice/user-7.slice/user@7.service/app.slice/payd.service",
         False),
        ("/system.slice/other.service/payd.service", False),
        (f"/docker/0a1b{OWN}", False),
        (f"{OWN}2", False),
        ("/", False),
        ("", False),
    ],
)  # fmt: skip
def test_a_unit_is_known_by_its_own_group(
    systemctl: Systemctl, cgroup: str, is_one: bool
) -> None:
    """Anybody may call a unit of his own the same."""
    systemctl.unit("payd.service", ControlGroup=OWN)
    systemctl.unit("alias.service", ControlGroup=OWN)
    for name in ("payd", "payd.service"):
        assert is_of_unit(cgroup, name) is is_one
    assert not is_of_unit(cgroup, "absent")
    assert not is_of_unit(cgroup, "payd.slice")


def test_a_unit_without_a_group_has_no_process(systemctl: Systemctl) -> None:
    """It does not run; or it is another name of one that does."""
    systemctl.unit("payd.service", ControlGroup="")
    assert not is_of_unit(OWN, "payd")
    systemctl.unit("real.service", ControlGroup=OWN)
    systemctl.alias("payd.service", "real.service")
    assert not is_of_unit(OWN, "payd")


def test_a_daemon_that_is_not_listed_is_not_restarted(
    tmp_path: Path, supervised: HostSettings
) -> None:
    """Its process grows nevertheless, and stays."""
    daemons = Daemons(supervised)
    before = daemons.state("shop")
    with pytest.raises(Unwilling, match="is of nothing in 'restart'"):
        free(HandOfATest(tmp_path), supervised, restart=["absent-of-a-test"])
    assert daemons.state("shop").pid == before.pid


def test_caches_are_dropped_where_the_settings_ask(tmp_path: Path) -> None:
    """Only when nobody is to blame, or nobody may be touched."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, REST) as victim:
        if os.geteuid() != 0:
            with pytest.raises(Unwilling, match="needs root"):
                free(hand, **{**NONE, "drop_caches": True})
            return
        done = free(hand, **{**NONE, "drop_caches": True})
        assert victim.runs
    assert done.reason.startswith("caches were dropped, ")
    assert "caches will be dropped: no process is above" in hand.said
    assert "after dropping caches: MemFree" in hand.said


def test_an_ordinary_user_drops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is said what is missing."""
    monkeypatch.setattr("os.geteuid", lambda: 1_000)
    with pytest.raises(Unwilling, match="needs root, and we are uid 1000"):
        drop_caches()


def test_a_kernel_that_does_not_let_us(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a container: nothing is told as done."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(
        "app.act.local.runaway.caches.DROP", tmp_path / "no" / "way"
    )
    with pytest.raises(Unwilling, match="cannot be written: No such file"):
        drop_caches()


def test_memory_is_shown_as_it_is() -> None:
    """What is free, and what could be."""
    assert "MemAvailable" in show_memory()
    assert "Cached" in show_memory()


def test_a_stop_while_it_is_watched_does_nothing(tmp_path: Path) -> None:
    """It is told to end before it knows who it is."""
    hand = HandOfATest(tmp_path)
    with Victim(tmp_path, NAME, FLOOD) as victim:
        timer = threading.Timer(0.2, hand.stop_file.touch)
        timer.start()
        with pytest.raises(Stopped) as caught:
            free(hand, end=[NAME], window_seconds=60)
        timer.join()
        assert victim.runs
    assert caught.value.state is JobState.ABORTED


def test_it_takes_a_host_only(tmp_path: Path) -> None:
    """And fits it again."""
    with pytest.raises(NotAccepted, match="the arguments are wrong"):
        read_arguments(FreeMemory.takes, {"host": "a", "process": "b"})
    deed = plugin(EnvOfATest("free-memory", LIMITS))
    with pytest.raises(NotAccepted, match="is no host"):
        deed.do(Arguments("a b"), HandOfATest(tmp_path))


def test_what_holds_without_settings() -> None:
    """Nothing is restarted, ended or dropped until somebody says what."""
    settings = MemorySettings()
    assert (settings.restart, settings.end) == ((), ())
    assert not settings.drop_caches
    assert settings.window_seconds == 10
    with pytest.raises(ValidationError):
        MemorySettings(end=("a b",))
