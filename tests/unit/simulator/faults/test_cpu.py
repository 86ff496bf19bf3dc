"""The CPU is really used, as much as asked for."""

import time

from simulator.fault import Order
from simulator.stage import Stage
from tests.unit.simulator.scene import processes, wait_for


def test_a_process_uses_what_it_was_told(stage: Stage) -> None:
    """It goes on using it, and never more than its share."""
    begun = time.monotonic()
    stage.start(Order("cpu", level=50, seconds=60))
    (child,) = processes("sim-cpu")

    def used() -> float:
        """Return the CPU time that it used."""
        times = child.cpu_times()
        return times.user + times.system

    before = used()
    wait_for(lambda: used() > before + 0.5)
    # A start of Python is no part of its share, nor is a slice at the end.
    assert used() < 0.5 * (time.monotonic() - begun) + 0.5


def test_who_is_busy_rests_on_a_full_machine_too(stage: Stage) -> None:
    """It does not make up for what others took: it is no runaway."""
    options = {"processes": 4}
    stage.start(Order("cpu", level=100, seconds=60, options=options))
    begun = time.monotonic()
    stage.start(Order("busy", level=40, seconds=60, options={"processes": 1}))
    (child,) = processes("sim-busy")
    # How often it slept by itself: once in each second, never more.
    before = child.num_ctx_switches().voluntary
    wait_for(lambda: time.monotonic() > begun + 3)
    rests = child.num_ctx_switches().voluntary - before
    assert 1 <= rests <= 2 * (time.monotonic() - begun)


def test_more_than_one_and_all_of_them_last(stage: Stage) -> None:
    """Each stands behind all others; one that is left is still a fault."""
    options = {"processes": "2", "nice": "19"}
    stage.start(Order("cpu", level=5, seconds=60, options=options))
    first, second = processes("sim-cpu")
    assert first.nice() == second.nice() == 19
    first.kill()
    wait_for(lambda: len(processes("sim-cpu")) == 1)
    assert [one.fault for one in stage.running()] == ["cpu"]
    second.kill()
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["remedy"]
