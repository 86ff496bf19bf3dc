"""Memory is really held, up to a cap, and only where there is room."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from simulator.fault import Order, Plan
from simulator.faults import memory
from simulator.nursery import Task
from simulator.problem import Unable
from simulator.stage import Stage
from tests.unit.simulator.scene import MB, processes, wait_for

STEP = Order("memory", level=32, seconds=60, options={"shape": "step"})


def test_a_step_is_held_at_once(stage: Stage) -> None:
    """Every page of it is really there."""
    stage.start(STEP)
    (child,) = processes("sim-memory")
    assert child.memory_info().rss > 32 * MB
    stage.stop()
    assert not child.is_running()


def test_a_leak_grows(stage: Stage) -> None:
    """As long as it may."""
    stage.start(Order("memory", level=64, seconds=60))
    (child,) = processes("sim-memory")
    before = child.memory_info().rss
    wait_for(lambda: child.memory_info().rss > before + MB)


def test_a_leak_ends_at_its_cap_and_holds(stage: Stage) -> None:
    """The kernel holds it to that too."""
    words = {"level": 60_000, "shape": "leak", "cap_mb": 16}
    task = Task("memory", "sim-memory", 60, words)
    child = stage._ask(lambda: stage.env.children.start(task))
    found = psutil.Process(child.pid)
    wait_for(lambda: found.memory_info().rss > 16 * MB)
    assert found.memory_info().rss < 48 * MB
    soft, hard = found.rlimit(psutil.RLIMIT_AS)
    assert soft == hard
    assert soft < found.memory_info().vms + 64 * MB
    assert child.is_alive()
    stage._ask(child.end)


def test_memory_that_the_kernel_refuses_is_said(stage: Stage) -> None:
    """A step that is larger than its cap cannot be had."""
    words = {"level": 32, "shape": "step", "cap_mb": 16}
    task = Task("memory", "sim-memory", 60, words)
    with pytest.raises(Unable, match="the memory could not be had"):
        stage._ask(lambda: stage.env.children.start(task))


def test_where_there_is_no_room_nothing_is_taken(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that it may take must be free, and some more for the others."""
    room = SimpleNamespace(available=(32 + 255) * MB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: room)
    with pytest.raises(Unable, match="has 287 MB free") as caught:
        stage.start(STEP)
    assert caught.value.field == "level"
    room.available += MB
    assert stage.start(STEP)


@pytest.mark.parametrize(
    ("level", "seconds", "shape", "cap"),
    [
        (64, 900, "leak", 64),
        (30, 60, "leak", 31),
        (30, 1, "leak", 1),
        (30, 1, "step", 30),
    ],
)
def test_it_never_takes_more_than_it_can_grow(
    stage: Stage, level: int, seconds: int, shape: str, cap: int
) -> None:
    """A short leak needs little room; the settings cap a long one."""
    plan = Plan(level, seconds, {"shape": shape})
    assert memory.Memory(stage.env)._cap(plan) == cap


def test_the_machine_ends_it_before_others(stage: Stage) -> None:
    """Should memory run out all the same."""
    stage.start(STEP)
    (child,) = processes("sim-memory")
    path = Path(f"/proc/{child.pid}/oom_score_adj")
    assert path.read_text().strip() == "1000"
