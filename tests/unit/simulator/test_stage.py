"""The stage: begins, watches, ends; refuses what must not be."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from simulator import home as home_module
from simulator.fault import Order
from simulator.problem import Conflict, Forbidden, Refused, Unable, Unknown
from simulator.stage import Stage
from simulator.truth import parse_iso
from tests.unit.simulator.scene import (
    processes,
    settings_at,
    wait_for,
)

CPU = Order("cpu", level=5, seconds=60)


def test_a_fault_is_known_from_its_beginning_to_its_end(stage: Stage) -> None:
    """Its truth says what, on what, from when to when, and why."""
    order = Order("cpu", 5, 60, scenario="neighbour", step="one")
    begun = stage.start(order)
    assert stage.running() == [begun] == stage.truths.since()
    assert (begun.fault, begun.level, begun.seconds) == ("cpu", 5, 60)
    assert (begun.scenario, begun.step) == ("neighbour", "one")
    assert begun.target == {"host": "simulator", "process": "sim-cpu"}
    assert begun.expects == ("kill_process",)
    (ended,) = stage.stop("cpu")
    assert (ended.id, ended.ended_by) == (begun.id, "person")
    assert ended.ended_at is not None
    assert parse_iso(begun.began_at) <= parse_iso(ended.ended_at)
    assert stage.truths.since() == [ended]
    assert stage.stop("cpu") == stage.stop() == stage.running() == []


def test_it_ends_by_time(stage: Stage) -> None:
    """Nobody has to do anything."""
    stage.start(Order("cpu", level=5, seconds=1))
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["time"]
    assert processes("sim-cpu") == []


def test_what_somebody_else_ended_is_noted(stage: Stage) -> None:
    """That is what a remedy looks like from here."""
    stage.start(CPU)
    (child,) = processes("sim-cpu")
    child.terminate()
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["remedy"]


def test_one_of_a_kind_at_a_time(stage: Stage) -> None:
    """The second is told what runs, and how to end it."""
    stage.start(CPU)
    with pytest.raises(Conflict, match="cpu runs already: 5 %") as caught:
        stage.start(CPU)
    assert caught.value.status == 409
    assert "off cpu" in caught.value.remedy
    assert len(processes("sim-cpu")) == 1


def test_without_room_for_a_guard_it_goes_on_and_nothing_new_begins(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again until there is room, as after a fault of ours."""
    begun = stage.start(CPU)
    gone = stage._guard.pid
    with monkeypatch.context() as patch:
        patch.setattr("simulator.guard.HERE", tmp_path / "not there")
        os.kill(gone, signal.SIGKILL)
        wait_for(lambda: stage._guard.pid == 0)
        with pytest.raises(Unable, match="the guard could not be") as caught:
            stage.start(Order("files", level=20))
        assert "room for a program" in caught.value.remedy
        assert stage.running() == [begun]
    wait_for(lambda: stage._guard.pid not in {0, gone})
    stage.start(Order("files", level=20))
    assert [one.fault for one in stage.stop()] == ["cpu", "files"]


def test_nothing_begins_without_its_guard(stage: Stage) -> None:
    """One that has just gone is there again before anything is made."""
    gone = stage._guard.pid
    os.kill(gone, signal.SIGKILL)
    # Its end is seen here without being taken; the stage may be faster.
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, gone, os.WEXITED | os.WNOWAIT)
    stage.start(CPU)
    assert psutil.Process(stage._guard.pid).is_running()
    assert stage._guard.pid != gone


def test_all_can_be_ended_at_once(stage: Stage) -> None:
    """Every kind that runs, in the order in which they began."""
    stage.start(CPU)
    stage.start(Order("files", level=20))
    assert [one.fault for one in stage.stop()] == ["cpu", "files"]


@pytest.mark.parametrize(
    ("order", "kind", "field"),
    [
        (Order("cpu", level=101), Refused, "level"),
        (Order("cpu", seconds=901), Refused, "seconds"),
        (Order("cpu", options={"processes": 5}), Refused, "options.processes"),
        (Order("memory", level=65), Refused, "level"),
        (Order("meteor"), Unknown, "kind"),
    ],
)
def test_what_is_beyond_its_caps_is_refused(
    stage: Stage, order: Order, kind: type[Refused], field: str
) -> None:
    """With the field and what to do; nothing is begun."""
    with pytest.raises(kind) as caught:
        stage.start(order)
    assert caught.value.field == field
    assert caught.value.remedy
    assert stage.truths.since() == []


def test_an_unknown_kind_cannot_be_ended(stage: Stage) -> None:
    """A slip of the pen is told."""
    with pytest.raises(Unknown, match="no kind of fault 'cpuu'"):
        stage.stop("cpuu")


def test_where_the_settings_say_off_nothing_is_touched(home: Path) -> None:
    """Not even the folder is made."""
    stage = Stage(settings_at(home, enabled=False))
    with pytest.raises(Forbidden, match="the simulator is off"):
        stage.open()
    with pytest.raises(Forbidden, match="the simulator is off"):
        stage.start(CPU)
    assert not home.exists()
    assert stage.state()["enabled"] is False


def test_what_is_closed_says_so(home: Path) -> None:
    """Before its start and after its end."""
    stage = Stage(settings_at(home))
    for _ in range(2):
        with pytest.raises(Conflict, match="not running"):
            stage.start(CPU)
        assert stage.state()["running"] == []
        stage.open()
        stage.close()
        stage.close()


def test_a_closed_stage_can_be_opened_again(home: Path) -> None:
    """What ran then has ended as by a person."""
    stage = Stage(settings_at(home))
    with stage:
        stage.start(CPU)
    with stage:
        assert stage.running() == []
        assert [one.ended_by for one in stage.truths.since()] == ["person"]


def test_a_folder_that_cannot_be_had_starts_nothing(
    stage: Stage,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is another simulator's, or somebody's own."""
    with pytest.raises(Unable, match="not the simulator's"):
        Stage(settings_at(tmp_path)).open()
    second = Stage(settings_at(home))
    monkeypatch.setattr(home_module, "TAKE_SECONDS", 0.0)
    with pytest.raises(Conflict, match="another simulator"):
        second.open()
    assert stage.running() == []


def test_a_kind_that_cannot_be_made_ready_stops_no_other(
    open_stage: Callable[..., Stage], tmp_path: Path
) -> None:
    """It says why when it is asked for, and works once that is mended."""
    place = tmp_path / "place"
    place.write_text("in the way")
    disk = {"kind": "folder", "path": str(place)}
    stage = open_stage(disk=disk)
    with pytest.raises(Unable, match="cannot be used"):
        stage.start(Order("disk"))
    stage.start(CPU)
    place.unlink()
    assert stage.start(Order("disk")).target["mountpoint"] == str(place)


def test_a_truth_that_cannot_be_written_begins_nothing(
    stage: Stage, home: Path
) -> None:
    """What nobody would know of is not done."""
    (home / "truth.jsonl").mkdir()
    with pytest.raises(Unable, match="truth cannot be written"):
        stage.start(CPU)
    assert processes("sim-cpu") == []
    (home / "truth.jsonl").rmdir()
    assert stage.start(CPU)


def test_an_end_that_cannot_be_written_is_written_later(
    stage: Stage, home: Path
) -> None:
    """The disk may be full just then."""
    stage.start(CPU)
    path = home / "truth.jsonl"
    text = path.read_bytes()
    path.unlink()
    path.mkdir()
    assert [one.ended_by for one in stage.stop()] == ["person"]
    path.rmdir()
    path.write_bytes(text)
    wait_for(lambda: stage.truths.open_ones() == [])
    assert [one.ended_by for one in stage.truths.since()] == ["person"]


def test_many_may_ask_at_once(stage: Stage) -> None:
    """One of them begins it, whoever was first."""
    told: list[str] = []

    def ask() -> None:
        """Start it, and keep what came of it."""
        try:
            told.append(stage.start(CPU).fault)
        except Conflict:
            told.append("conflict")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["conflict"] * 7 + ["cpu"]
    assert len(processes("sim-cpu")) == 1


def test_a_child_outlives_the_thread_that_asked(stage: Stage) -> None:
    """Linux ends a child with the thread that started it: never theirs."""
    asker = threading.Thread(target=lambda: stage.start(CPU))
    asker.start()
    asker.join()
    (child,) = processes("sim-cpu")
    used = child.cpu_times().user
    wait_for(lambda: child.cpu_times().user > used)
    assert [one.fault for one in stage.running()] == ["cpu"]


def test_a_fault_whose_end_is_late_is_ended_by_its_own_children(
    stage: Stage,
) -> None:
    """The stage hangs, say: its thread is stopped from looking."""
    stage.start(Order("cpu", level=5, seconds=1))
    (child,) = processes("sim-cpu")
    held = threading.Event()
    asker = threading.Thread(target=lambda: stage._ask(held.wait))
    asker.start()
    try:
        wait_for(lambda: child.status() == psutil.STATUS_ZOMBIE)
    finally:
        held.set()
        asker.join()
    wait_for(lambda: not stage.running())


def test_what_went_wrong_is_told_to_who_asked(stage: Stage) -> None:
    """The stage itself goes on."""
    with pytest.raises(ZeroDivisionError):
        stage._ask(lambda: 1 // 0)
    assert stage.start(CPU)


def test_the_guard_is_there_while_it_is_open(stage: Stage) -> None:
    """And started anew when somebody ends it."""
    first = stage._guard.pid
    assert psutil.pid_exists(first)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: stage._guard.pid not in {0, first})


def test_its_state_says_all_that_a_page_needs(stage: Stage) -> None:
    """What there is, and what runs."""
    begun = stage.start(CPU)
    state = stage.state()
    assert (state["enabled"], state["host"]) == (True, "simulator")
    kinds = {one["kind"] for one in state["faults"]}
    wanted = {"cpu", "memory", "disk", "io", "files", "zombies", "clock"}
    assert kinds >= wanted
    assert state["running"] == [begun.as_json()]


def test_a_scenario_may_know_better_what_is_right(stage: Stage) -> None:
    """A red herring is a fault that nobody should act upon."""
    order = Order("cpu", level=5, expects=("no_action",))
    assert stage.start(order).expects == ("no_action",)


def test_the_time_is_counted_from_when_it_has_begun(stage: Stage) -> None:
    """It lasts at least as long as was asked for."""
    begun = time.monotonic()
    stage.start(Order("files", level=20, seconds=1))
    wait_for(lambda: not stage.running())
    assert time.monotonic() - begun >= 1


def test_what_is_over_ends_however_much_is_asked(stage: Stage) -> None:
    """Those who ask all the time keep no fault going."""
    stage.start(Order("clock", level=60, seconds=1))
    is_over = threading.Event()

    def ask() -> None:
        """Ask as fast as can be."""
        while not is_over.is_set():
            stage.running()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        wait_for(lambda: not stage.running())
    finally:
        is_over.set()
        for asker in askers:
            asker.join()
    assert [one.ended_by for one in stage.truths.since()] == ["time"]
