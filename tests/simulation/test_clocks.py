"""F17: the clock on the wall jumps an hour, on or back, at any stage."""

from collections.abc import Callable

import pytest

from app.models.approval import Answer
from tests.simulation.dealing import Deal
from tests.simulation.history import HOUR
from tests.simulation.loop import SECOND
from tests.simulation.people import People
from tests.simulation.reckoning import reckon
from tests.simulation.sim import Simulation
from tests.simulation.stories import begin, until

# A deadline is a moment on the wall, so that it outlives every process:
# set back by an hour, it comes an hour later and no more.
PATIENCE = (2 * HOUR / SECOND) + 1_200
ON, BACK = HOUR, -HOUR


def asked(sim: Simulation) -> int:
    """Return the question, once it is asked."""
    until(sim, "turned", "rule")
    sim.pump()
    (number,) = sim.asked
    return number


def states(sim: Simulation) -> list[str]:
    """Return what became of each question."""
    approvals = sim.stage.audit.state.approvals.values()
    return [one.state for one in approvals]


def ends(sim: Simulation) -> list[str]:
    """Return how each mission ended."""
    return [one.end for one in sim.stage.audit.state.missions.values()]


def starts(sim: Simulation) -> int:
    """Return how many jobs ran."""
    return len(sim.stage.receiver.works)


def test_a_question_that_expired_does_not_revive() -> None:
    """Set back to when it was open, it is as over as it was."""
    sim = begin(Deal(), host="app-1")
    try:
        number = asked(sim)
        sim.run(70)
        assert states(sim) == ["expired"]
        sim.jump(BACK)
        assert People(sim).answer(number, Answer.GRANT)
        sim.drain(PATIENCE)
        assert (states(sim), ends(sim)) == (["expired"], ["escalated"])
        assert starts(sim) == 0
        reckon(sim)
    finally:
        sim.close()


def test_a_clock_set_on_ends_a_question() -> None:
    """Who grants then is told so, though little time has passed."""
    sim = begin(Deal(), host="app-1")
    try:
        number = asked(sim)
        sim.jump(ON)
        assert People(sim).answer(number, Answer.GRANT)
        sim.drain(PATIENCE)
        assert (states(sim), ends(sim)) == (["expired"], ["escalated"])
        assert starts(sim) == 0
        reckon(sim)
    finally:
        sim.close()


def test_a_grant_is_too_old_when_the_clock_is_set_on() -> None:
    """It was granted in time; before it starts an hour is gone."""
    sim = begin(Deal(), host="app-1")
    try:
        number = asked(sim)
        assert not People(sim).answer(number, Answer.GRANT)
        sim.jump(ON)
        sim.drain(PATIENCE)
        assert ends(sim) == ["escalated"]
        assert starts(sim) == 0
        reckon(sim)
    finally:
        sim.close()


def test_what_was_seen_is_no_younger_when_the_clock_is_set_back() -> None:
    """What people saw when they were asked is old, whatever the wall says."""
    sim = begin(Deal(), host="app-1")
    try:
        number = asked(sim)
        sim.jump(BACK)
        sim.run(1_800)
        People(sim).answer(number, Answer.GRANT)
        sim.drain(PATIENCE)
        assert ends(sim) == ["escalated"]
        assert starts(sim) == 0
        reckon(sim)
    finally:
        sim.close()


# Where a mission can be when it happens: what to wait for.
STAGES: dict[str, Callable[[Simulation], None]] = {
    "deciding": lambda sim: until(sim, "brain"),
    "ruling": lambda sim: until(sim, "turn", "rule"),
    "claiming": lambda sim: until(sim, "turn", "claim"),
    "starting": lambda sim: until(sim, "turn", "start"),
    "sending": lambda sim: until(sim, "start"),
    "watching": lambda sim: until(sim, "watch"),
    "measuring": lambda sim: until(sim, "turn", "take"),
}


@pytest.mark.parametrize("span", [ON, BACK], ids=["on", "back"])
@pytest.mark.parametrize("stage", STAGES)
def test_at_every_stage_it_starts_once_and_comes_to_an_end(
    stage: str, span: int
) -> None:
    """It is fixed, or people have it; nothing runs twice or for ever."""
    sim = begin(Deal(seconds=3.0))
    try:
        STAGES[stage](sim)
        sim.jump(span)
        sim.drain(PATIENCE)
        assert set(ends(sim)) <= {"fixed", "escalated"}
        assert starts(sim) <= 1
        reckon(sim)
    finally:
        sim.close()


def test_what_cannot_be_measured_any_more_is_handed_over_at_once() -> None:
    """Set back, no reading would count for an hour: people need not wait."""
    sim = begin(Deal(seconds=3.0))
    try:
        STAGES["measuring"](sim)
        sim.jump(BACK)
        sim.drain(60)
        assert ends(sim) == ["escalated"]
        (job,) = sim.stage.audit.state.jobs.values()
        assert job.verdict == "unknown"
        reckon(sim)
    finally:
        sim.close()


@pytest.mark.parametrize("span", [ON, BACK], ids=["on", "back"])
def test_a_lease_knows_no_wall(span: int) -> None:
    """Who has a mission keeps it as long as before, on its own clock."""
    sim = begin(Deal())
    try:
        until(sim, "turned", "claim_due")
        (node,) = sim.nodes
        sim.release(sim.points[0])
        (lease,) = node.chore._leases.values()
        sim.jump(span)
        assert lease.is_held()
        sim.stage.clock.pass_by(10 * SECOND)
        assert not lease.is_held()
    finally:
        sim.close()


def pass_by(what: str, about: str) -> Callable[[Simulation], None]:
    """Return what leads right behind a point, so that all rests there."""

    def lead(sim: Simulation) -> None:
        """Come to the point, and go on from it."""
        until(sim, what, about)
        sim.release(sim.points[0])

    return lead


# Where something is done about it at once, or in some seconds.
BUSY = {
    **{
        name: STAGES[name]
        for name in ("ruling", "claiming", "starting", "sending", "watching")
    },
    "between two looks": pass_by("turned", "note"),
    "between two readings": pass_by("turned", "take"),
}


@pytest.mark.parametrize("dies", [False, True], ids=["goes on", "dies"])
@pytest.mark.parametrize("stage", BUSY)
def test_what_is_under_way_does_not_wait_until_the_clock_is_there_again(
    stage: str, dies: bool
) -> None:
    """Set back, it is looked after with the next sweep, whoever had it."""
    sim = begin(Deal(seconds=3.0))
    try:
        BUSY[stage](sim)
        if dies:
            sim.kill(sim.nodes[0])
        sim.jump(BACK)
        sim.drain(120)
        assert set(ends(sim)) <= {"fixed", "escalated"}
        assert starts(sim) <= 1
        reckon(sim)
    finally:
        sim.close()
