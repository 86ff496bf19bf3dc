"""One kill on one host, by whichever deed, and never of what is protected."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.act.local.deed import Done
from app.act.local.deeds import (
    free_memory,
    kill_process,
    restart_container,
    restart_service,
)
from app.act.local.hand import Unwilling
from app.act.local.notes import FileNotes
from app.act.local.restart.containers import Container
from app.act.local.runaway.identity import identify
from app.act.local.runaway.sparing import refuse_told
from app.act.local.wire import Asked, Call, read_call
from app.core.daemons import Daemons
from app.core.errors import NotAccepted
from app.core.host import HostSettings
from app.core.warden import Standing, State
from app.models.job import Bounds, JobState, Order
from tests.unit.act.backends.making import order
from tests.unit.act.local.test_free_memory import FLOOD, LIMITS
from tests.unit.act.local.victims import (
    REST,
    SPIN,
    EnvOfATest,
    HandOfATest,
    Victim,
)

pytestmark = pytest.mark.usefixtures("alone")
NAME = f"one-of-{os.getpid()}"
SOON: Mapping[str, Any] = {
    "users": [os.getuid()],
    "window_seconds": 1,
    "cpu_percent": 40,
}


def kill(hand: HandOfATest, **more: Any) -> Done:
    """Return what comes of kill-process."""
    env = EnvOfATest("kill-process", {**SOON, **more})
    arguments = kill_process.Arguments("web-1", NAME)
    return kill_process.plugin(env).do(arguments, hand)


def free(hand: HandOfATest, **more: Any) -> Done:
    """Return what comes of free-memory that may end the victim."""
    env = EnvOfATest("free-memory", {**LIMITS, "end": [NAME], **more})
    arguments = free_memory.Arguments("web-1")
    return free_memory.plugin(env).do(arguments, hand)


def test_both_deeds_share_one_kill(tmp_path: Path) -> None:
    """After one of them the other has to wait, whatever ran before it."""
    with (
        Victim(tmp_path, NAME, SPIN) as spins,
        Victim(tmp_path, NAME, FLOOD) as grows,
    ):
        done = kill(HandOfATest(tmp_path))
        assert done.state is JobState.SUCCEEDED
        assert not spins.runs
        hand = HandOfATest(tmp_path)
        with pytest.raises(Unwilling, match="within the last 600 s"):
            free(hand)
        assert grows.runs
        assert "sent" not in hand.said
        free(HandOfATest(tmp_path), rest_seconds=0)
        assert not grows.runs


def test_it_is_counted_on_disk_by_whichever_job(tmp_path: Path) -> None:
    """A span, and what else was written, do not disturb it."""
    assert FileNotes(tmp_path, "job-1").once("a kill", 600)
    assert not FileNotes(tmp_path, "job-2").once("a kill", 600)
    assert FileNotes(tmp_path, "job-2").once("another", 600)
    assert FileNotes(tmp_path, "job-3").once("a kill", 0)
    assert FileNotes(tmp_path, "job-3").count("a kill", 600) == 2
    with pytest.raises(NotAccepted, match="cannot be written down"):
        FileNotes(tmp_path / "none", "job-4").once("a kill", 600)


def test_a_kill_that_cannot_be_counted_is_none(tmp_path: Path) -> None:
    """Else the next one would be taken for the first."""
    hand = HandOfATest(tmp_path / "none")
    with Victim(tmp_path, NAME, SPIN) as spins:
        with pytest.raises(NotAccepted, match="cannot be written down"):
            kill(hand)
        assert spins.runs


@pytest.mark.parametrize("deed", [kill, free])
def test_only_what_was_ruled_destructive_ends_anything(
    tmp_path: Path, deed: Any
) -> None:
    """The settings of the hands alone are one lock of two."""
    code = SPIN if deed is kill else FLOOD
    with Victim(tmp_path, NAME, code) as victim:
        with pytest.raises(Unwilling, match="ruled on as destructive"):
            deed(HandOfATest(tmp_path, bounds=Bounds()))
        assert victim.runs


@pytest.mark.parametrize("deed", [kill, free])
def test_what_the_policy_protects_is_spared(tmp_path: Path, deed: Any) -> None:
    """Whoever chose it, and though it was not named."""
    bounds = Bounds(may_end=True, processes=("java", "ONE-of-*"))
    code = SPIN if deed is kill else FLOOD
    with Victim(tmp_path, NAME, code) as victim:
        with pytest.raises(Unwilling, match="by the policy, as ONE-of"):
            deed(HandOfATest(tmp_path, bounds=bounds))
        assert victim.runs


class Kept(Daemons):
    """Daemons of which one keeps the grower of a test."""

    def __init__(self, pid: int) -> None:
        super().__init__(HostSettings())
        self._pid = pid

    def state(self, name: str, seconds: float = 5.0) -> Standing:
        """Return how the one is."""
        del seconds
        return Standing(
            name=name,
            names=(name, "payd"),
            warden="systemd",
            state=State.ACTIVE,
            says="fine",
            pid=self._pid,
        )


@pytest.mark.parametrize(
    "bounds", [Bounds(services=("pay*",)), Bounds(processes=("one-of-*",))]
)
def test_memory_restarts_nothing_that_the_policy_protects(
    tmp_path: Path, bounds: Bounds
) -> None:
    """Neither the service by any of its names, nor what runs in it."""
    hand = HandOfATest(tmp_path, bounds=bounds)
    env = EnvOfATest("free-memory", {**LIMITS, "restart": ["shop"]})
    with Victim(tmp_path, NAME, FLOOD) as grows:
        deed = free_memory.FreeMemory(env, Kept(grows.pid))
        with pytest.raises(Unwilling, match="protected"):
            deed.do(free_memory.Arguments("web-1"), hand)
    assert "will be restarted" not in hand.said


def test_a_service_is_protected_by_any_of_its_names(tmp_path: Path) -> None:
    """The guard has seen the one that was said only."""
    settings = restart_service.RestartSettings(services=("shop",))
    deed = restart_service.RestartService(settings, Kept(4_204_242))
    arguments = restart_service.ServiceArguments("web-1", "shop")
    hand = HandOfATest(tmp_path, bounds=Bounds(services=("payd",)))
    with pytest.raises(Unwilling, match="payd is protected"):
        deed.do(arguments, hand)


def test_a_container_is_protected_by_its_image() -> None:
    """The same."""
    settings = restart_container.ContainerSettings(containers=("shop",))
    deed = restart_container.RestartContainer(settings)
    said = {
        "Id": "a" * 64,
        "Name": "/shop",
        "State": {"Status": "running"},
        "Config": {"Image": "x/payd:1"},
    }
    found = msgspec.convert(said, Container)
    with pytest.raises(Unwilling, match="is protected by the settings or the"):
        deed._admit(found, ("payd",))


@pytest.mark.parametrize(
    ("group", "pattern", "is_spared"),
    [
        ("/system.slice/vault-x.service", "vault-x", True),
        ("/system.slice/Pay@7.service/sub", "pay@*", True),
        ("/system.slice/pay.service", "pa", False),
        ("/user.slice/session-1.scope", "pay", False),
    ],
)
def test_a_process_of_a_protected_service_is_spared(
    tmp_path: Path, group: str, pattern: str, *, is_spared: bool
) -> None:
    """By the control group that it is in."""
    bounds = Bounds(services=(pattern,))
    with Victim(tmp_path, NAME, REST) as rests:
        who = identify(rests.pid)
        assert who is not None
    if not is_spared:
        refuse_told({who.name}, [group], bounds)
        return
    with pytest.raises(Unwilling, match="is of a service that is protected"):
        refuse_told({who.name}, [group], bounds)


def wire(said: Order) -> bytes:
    """Return a call as it is sent to the hands."""
    asked = Asked(**msgspec.structs.asdict(said))
    return msgspec.json.encode(Call("start", asked, 0.0))


def test_the_hands_are_told_and_only_where_there_is_something() -> None:
    """An order without bounds is the one that older hands know."""
    bounds = Bounds(may_end=True, processes=("java",), services=("vault",))
    assert read_call(wire(order("x", bounds=bounds))).order.bounds == bounds
    assert b"bounds" not in wire(order("x"))
    said = wire(order("x", bounds=bounds)).replace(b"processes", b"programs")
    with pytest.raises(ValueError, match="unknown field"):
        read_call(said)
