"""What goes wrong in one fault harms neither its truth nor the others."""

from pathlib import Path

from simulator.acts import Acts
from simulator.fault import Fault, Order, Plan, Running, Spec
from simulator.problem import Unable
from simulator.truth import TruthLog


class Trouble(Running):
    """One that can be told to break."""

    def __init__(self) -> None:
        self.is_there = True
        self.cannot_look = False
        self.cannot_end = False
        self.ends = 0

    def is_going(self) -> bool:
        """Tell whether it goes on, unless that cannot be seen."""
        if self.cannot_look:
            raise OSError(5, "cannot be looked at")
        return self.is_there

    def end(self) -> None:
        """Count that, unless it cannot be ended."""
        if self.cannot_end:
            raise OSError(5, "cannot be ended")
        self.ends += 1


class Kind(Fault):
    """A kind whose troubles a test holds in its hands."""

    def __init__(self, name: str) -> None:
        self.spec = Spec(name, "It is.", "of it", 1, 9, 5, 60, ("escalate",))
        self.running = Trouble()
        self.prepared = 0
        self.put_aways = 0
        self.is_broken = False

    def target(self, plan: Plan) -> dict[str, str]:
        """Return a label."""
        return {"host": f"level-{plan.level}"}

    def begin(self, plan: Plan) -> Running:
        """Return what the test holds."""
        del plan
        return self.running

    def prepare(self) -> None:
        """Count that."""
        if self.is_broken:
            raise Unable("it is broken")
        self.prepared += 1

    def put_away(self) -> None:
        """Count that, and break if told to."""
        self.put_aways += 1
        if self.is_broken:
            raise Unable("it is broken")


class Scene:
    """Two kinds, a clock, and what acts on them."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.log = TruthLog(folder)
        self.one, self.two = Kind("one"), Kind("two")
        kinds = {"one": self.one, "two": self.two}
        self.acts = Acts(kinds, self.log, 900, lambda: self.now)

    def ends(self) -> list[str]:
        """Return how faults ended, as it is written down."""
        return [truth.ended_by for truth in self.log.since()]


def test_it_ends_when_its_time_is_over_and_no_sooner(tmp_path: Path) -> None:
    """By a clock that nobody can set back."""
    scene = Scene(tmp_path)
    scene.acts.begin(Order("one", seconds=10))
    scene.now = 9.9
    scene.acts.look()
    assert scene.ends() == [""]
    scene.now = 10.0
    scene.acts.look()
    scene.acts.look()
    assert scene.ends() == ["time"]
    assert scene.one.running.ends == 1


def test_who_looks_late_knows_of_no_remedy(tmp_path: Path) -> None:
    """A simulator that was stopped finds children that ended by themselves."""
    scene = Scene(tmp_path)
    scene.acts.begin(Order("one", seconds=10))
    scene.one.running.is_there = False
    scene.now = 60.0
    scene.acts.look()
    assert scene.ends() == ["time"]


def test_what_cannot_be_seen_goes_on(tmp_path: Path) -> None:
    """Until its time is over."""
    scene = Scene(tmp_path)
    scene.acts.begin(Order("one", seconds=10))
    scene.one.running.cannot_look = True
    scene.acts.look()
    assert [truth.fault for truth in scene.acts.running()] == ["one"]
    scene.now = 10.0
    scene.acts.look()
    assert scene.ends() == ["time"]


def test_one_that_cannot_be_ended_keeps_no_other_from_it(
    tmp_path: Path,
) -> None:
    """Its truth ends; the journal has what is left of it."""
    scene = Scene(tmp_path)
    scene.acts.begin(Order("one"))
    scene.acts.begin(Order("two"))
    scene.one.running.cannot_end = True
    assert len(scene.acts.end(None)) == 2
    assert scene.two.running.ends == 1
    assert scene.ends() == ["person", "person"]


def test_each_kind_is_made_ready_once_and_put_away(tmp_path: Path) -> None:
    """One that breaks stops no other."""
    scene = Scene(tmp_path)
    scene.acts.prepare()
    scene.acts.begin(Order("two"))
    assert (scene.one.prepared, scene.two.prepared) == (1, 1)
    scene.one.is_broken = True
    scene.acts.put_away()
    assert (scene.one.put_aways, scene.two.put_aways) == (1, 1)
    assert scene.ends() == ["person"]
    scene.acts.put_away()
    assert scene.two.put_aways == 1
