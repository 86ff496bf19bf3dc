"""A scenario is played in its time, one at a time, and ends clean."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from simulator.fault import Order
from simulator.play import Player
from simulator.problem import Conflict, Unable
from simulator.scenario import Scenario, Step
from simulator.scenarios import Scenarios
from simulator.stage import Stage
from simulator.truth import Truth, iso_now
from tests.unit.simulator.scene import processes, settings_at, wait_for

LONG = 60


def scenario(*steps: tuple[float, str], name: str = "one") -> Scenario:
    """Return a scenario: times with kinds; a minus ends one."""
    found = tuple(
        Step(at, stop=kind[1:])
        if kind.startswith("-")
        else Step(at, Order(kind, 5, LONG, expects=("no_action",)))
        for at, kind in steps
    )
    return Scenario(name, "Something.", ("no_action",), found, LONG)


class Recorder:
    """A stage that only writes down what is wanted of it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.orders: list[Order] = []
        self.refuses = ""
        self._runs: dict[str, Truth] = {}
        self._lock = threading.Lock()

    def start(self, order: Order) -> Truth:
        """Begin a fault."""
        with self._lock:
            if order.kind == self.refuses:
                raise Unable("there is no room")
            self.said.append(f"+{order.kind}")
            self.orders.append(order)
            number = f"{order.kind}-{len(self.said)}"
            truth = Truth(number, order.kind, 5, "%", LONG, began_at=iso_now())
            self._runs[order.kind] = truth
            return truth

    def stop(self, kind: str) -> list[Truth]:
        """End a fault."""
        with self._lock:
            self.said.append(f"-{kind}")
            gone = self._runs.pop(kind, None)
            return [gone.ended("person")] if gone else []

    def running(self) -> list[Truth]:
        """Return what runs."""
        with self._lock:
            return list(self._runs.values())

    def heal(self, kind: str) -> None:
        """Let a fault go away by another's hand."""
        with self._lock:
            self._runs.pop(kind)


@pytest.fixture
def recorder() -> Recorder:
    """Return what writes down."""
    return Recorder()


@pytest.fixture
def player(recorder: Recorder) -> Iterator[Player]:
    """Return who plays; it is stopped at the end."""
    found = Player(cast("Stage", recorder))
    yield found
    found.stop()


def ended(player: Player) -> object:
    """Return how the last scenario ended."""
    return (player.last() or {})["ended"]


def test_steps_are_taken_in_order(player: Player, recorder: Recorder) -> None:
    """Each order knows its scenario, its step, and what is right."""
    assert (player.playing(), player.last()) == (None, None)
    player.play(scenario((0, "cpu"), (0.02, "disk"), (0.04, "-cpu")))
    wait_for(lambda: recorder.said == ["+cpu", "+disk", "-cpu"])
    first, second = recorder.orders
    assert (first.scenario, first.step) == ("one", "1-cpu")
    assert (second.scenario, second.step) == ("one", "2-disk")
    assert (first.level, first.seconds) == (5, LONG)
    assert first.expects == ("no_action",)
    told = player.playing()
    assert told is not None
    assert (told["scenario"], told["step"]) == ("one", "3-stop-cpu")
    assert (told["steps"], told["ended"]) == (3, None)


def test_it_ends_when_nothing_of_it_runs(
    player: Player, recorder: Recorder
) -> None:
    """What somebody mended needs no end, and nothing is waited for."""
    player.play(scenario((0, "cpu")))
    wait_for(lambda: recorder.said == ["+cpu"])
    recorder.heal("cpu")
    assert player.wait(20)
    assert ended(player) == "done"
    assert player.playing() is None
    assert recorder.said == ["+cpu"]


def test_to_stop_ends_its_own_faults_only(
    player: Player, recorder: Recorder
) -> None:
    """In the middle of it; the fault of somebody else goes on."""
    recorder.start(Order("memory"))
    player.play(scenario((0, "cpu"), (0, "disk"), (LONG, "io")))
    wait_for(lambda: len(recorder.said) == 3)
    gone = player.stop()
    assert sorted(one.fault for one in gone) == ["cpu", "disk"]
    assert [one.fault for one in recorder.running()] == ["memory"]
    assert ended(player) == "stopped"
    assert player.stop() == []


def test_a_step_does_not_end_what_another_began(
    player: Player, recorder: Recorder
) -> None:
    """Mended, and begun anew by a person: that one is not ours."""
    player.play(scenario((0, "cpu"), (0.5, "-cpu")))
    wait_for(lambda: recorder.said == ["+cpu"])
    recorder.heal("cpu")
    recorder.start(Order("cpu"))
    assert player.wait(20)
    assert recorder.said == ["+cpu", "+cpu"]
    assert ended(player) == "done"


def test_one_at_a_time(player: Player, recorder: Recorder) -> None:
    """The second is told which one is played; after its end it may."""
    player.play(scenario((0, "cpu"), name="first"))
    with pytest.raises(Conflict, match="first is being played"):
        player.play(scenario((0, "disk"), name="second"))
    wait_for(lambda: recorder.said)
    player.stop()
    player.play(scenario((0, "disk"), name="second"))
    wait_for(lambda: "+disk" in recorder.said)


def test_a_fault_that_runs_is_in_the_way(
    player: Player, recorder: Recorder
) -> None:
    """It would be ended with the scenario: a person must say so."""
    recorder.start(Order("cpu"))
    with pytest.raises(Conflict, match="off cpu"):
        player.play(scenario((0, "disk"), (0, "cpu")))
    assert recorder.said == ["+cpu"]
    assert player.last() is None


def test_a_step_that_is_refused_ends_all_of_it(
    player: Player, recorder: Recorder
) -> None:
    """Half a scenario proves nothing; what it began is ended."""
    recorder.refuses = "disk"
    player.play(scenario((0, "cpu"), (0, "disk"), (0, "io")))
    assert player.wait(20)
    told = player.last()
    assert told is not None
    assert told["ended"] == "failed"
    assert told["problem"].startswith("step 2-disk: there is no room")
    assert recorder.said == ["+cpu", "-cpu"]


def test_real_faults_begin_and_end(stage: Stage) -> None:
    """On a real stage: processes, and the truth with scenario and step."""
    player = Player(stage)
    player.play(scenario((0, "cpu"), (0, "busy"), (0.2, "-cpu")))
    wait_for(lambda: (player.last() or {})["step"] == "3-stop-cpu")
    wait_for(lambda: not processes("sim-cpu"))
    assert len(processes("sim-busy")) == 3
    assert [one.fault for one in player.stop()] == ["busy"]
    assert processes("sim-busy") == []
    truths = stage.truths.since()
    assert [(one.scenario, one.step) for one in truths] == [
        ("one", "1-cpu"),
        ("one", "2-busy"),
    ]
    assert [one.ended_by for one in truths] == ["person", "person"]
    assert {one.expects for one in truths} == {("no_action",)}


def test_a_real_file_is_played_to_its_end(
    stage: Stage, tmp_path: Path
) -> None:
    """Its fault ends by its own time, not by the player."""
    (tmp_path / "short.yaml").write_text(
        "name: short\npurpose: It is over soon.\nexpects: [no_action]\n"
        "steps: [{at: 0s, fault: busy, for: 1s, options: {processes: 1}}]\n"
    )
    player = Player(stage)
    player.play(Scenarios(stage.specs(), 900, tmp_path).find("short"))
    assert player.wait(20)
    assert ended(player) == "done"
    (truth,) = stage.truths.since()
    assert (truth.ended_by, truth.scenario) == ("time", "short")


def test_a_stage_that_is_closed_ends_it(home: Path) -> None:
    """Nothing hangs, and nothing is left."""
    stage = Stage(settings_at(home))
    stage.open()
    player = Player(stage)
    player.play(scenario((0, "busy"), (LONG, "cpu")))
    wait_for(lambda: processes("sim-busy"))
    stage.close()
    assert processes("sim-busy") == []
    assert player.stop() == []
    assert player.wait(20)
    assert ended(player) == "stopped"
