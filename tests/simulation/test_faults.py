"""Single faults that the engine met, each told as a short story."""

import pytest

from tests.simulation.dealing import Deal
from tests.simulation.hosts import BROKEN, CALM
from tests.simulation.loop import SECOND
from tests.simulation.people import People
from tests.simulation.reckoning import reckon
from tests.simulation.sim import Simulation
from tests.simulation.stories import begin, lose_lease, until


def test_a_lease_counts_from_before_it_was_written() -> None:
    """Who hears late that it has a mission has it no longer for that."""
    sim = begin(Deal())
    try:
        until(sim, "turned", "claim_due")
        (node,) = sim.nodes
        sim.freeze(node)
        sim.advance(8 * SECOND)
        sim.thaw(node)
        sim.release(sim.points[0])
        (lease,) = node.chore._leases.values()
        assert lease.is_held()
        sim.stage.clock.pass_by(2 * SECOND)
        assert not lease.is_held()
    finally:
        sim.close()


def test_a_halt_is_seen_before_an_order_is_sent_once_more() -> None:
    """A backend was busy, and all was halted: it is not asked again."""
    sim = begin(Deal(kind="busy"))
    try:
        until(sim, "start")
        people = People(sim)
        people.halt()
        sim.drain(600)
        assert sim.stage.audit.count_starts() == 0
        (job,) = sim.stage.audit.state.jobs.values()
        assert job.state == "failed"
    finally:
        sim.close()


def test_what_may_be_sent_twice_is_not_while_halted() -> None:
    """Nobody knows whether it ran; halted, it is not sent to find out."""
    sim = begin(Deal(kind="breaks"), "sync")
    try:
        until(sim, "start")
        people = People(sim)
        people.halt()
        sim.drain(600)
        assert sim.stage.audit.count_starts() == 0
        (job,) = sim.stage.audit.state.jobs.values()
        assert job.state == "unknown"
    finally:
        sim.close()


def break_twice(nodes: int = 1) -> Simulation:
    """Return a story in which an order was sent twice, and nobody knows.

    Its node waits for the moment to send it for the third time.
    """
    sim = begin(Deal(kind="breaks"), "sync", nodes)
    for _ in range(2):
        until(sim, "start", "sj-")
        sim.release(sim.points[0])
    return sim


def expect_unknown(sim: Simulation) -> None:
    """Fail unless nothing ran, and nobody says that it did not."""
    sim.drain(600)
    assert sim.stage.audit.count_starts() == 0
    (job,) = sim.stage.audit.state.jobs.values()
    assert job.state == "unknown"
    reckon(sim)


@pytest.mark.parametrize("is_file", [False, True])
def test_a_halt_between_two_tries_ends_them(*, is_file: bool) -> None:
    """What does no harm twice is not tried for a third time, either."""
    sim = break_twice()
    try:
        if is_file:
            sim.stage.halt_by_file("the file is there")
        else:
            People(sim).halt()
        expect_unknown(sim)
    finally:
        sim.close()


def test_an_alert_that_ends_between_two_tries_ends_them() -> None:
    """Nothing is sent any more for what went away by itself."""
    sim = break_twice()
    try:
        sim.stage.hosts.all["web-1"].value = CALM
        sim.monitor()
        sim.fold()
        expect_unknown(sim)
    finally:
        sim.close()


def test_a_lease_that_is_lost_between_two_tries_ends_them() -> None:
    """A frozen node was to try again; another one took over: it tries."""
    sim = break_twice(nodes=2)
    try:
        lose_lease(sim, next(one for one in sim.nodes if one.leases))
        assert sim.stage.audit.count_starts() == 1
        reckon(sim)
    finally:
        sim.close()


def test_who_wakes_after_a_takeover_sends_nothing_more() -> None:
    """A frozen node had been told to come again; another one took over."""
    sim = begin(Deal(kind="busy"), nodes=2)
    try:
        until(sim, "start")
        point = sim.points[0]
        owner = sim.node_of(point)
        sim.release(point)
        sim.freeze(owner)
        sim.advance(12 * SECOND)
        until(sim, "turned", "end")
        sim.thaw(owner)
        sim.drain(600)
        assert sim.stage.audit.count_starts() == 0
    finally:
        sim.close()


def test_an_abort_that_is_first_is_no_bug_of_the_start() -> None:
    """A person aborts what is about to start: it just does not start."""
    sim = begin(Deal())
    try:
        until(sim, "turn", "start")
        people = People(sim)
        assert people.abort(1) == ""
        sim.drain(600)
        assert sim.stage.audit.count_starts() == 0
        (mission,) = sim.stage.audit.state.missions.values()
        assert mission.end == "escalated"
    finally:
        sim.close()


def test_what_is_open_again_is_not_left_alone() -> None:
    """It flapped, so that nothing was done; when it stays, it is decided."""
    sim = begin(Deal(), host="app-1")
    try:
        sim.run(5)
        for value in (CALM, BROKEN, CALM, BROKEN, CALM, BROKEN):
            sim.stage.hosts.all["app-1"].value = value
            sim.monitor()
            sim.run(3)
        missions = sim.stage.audit.state.missions
        assert missions[max(missions)].end == "suppressed"
        sim.run(100)
        missions = sim.stage.audit.state.missions
        assert missions[max(missions)].stage == "awaiting_approval"
        sim.drain(600)
        reckon(sim)
    finally:
        sim.close()


def test_a_halt_is_told_once_and_wakes_nobody_twice() -> None:
    """While a worker waits for an answer, a halt keeps no node busy."""
    sim = begin(Deal(kind="hangs"))
    try:
        until(sim, "start")
        sim.pump()
        People(sim).halt()
        before = sim.stage.vault.turns
        sim.run(2)
        assert sim.stage.vault.turns - before < 5
        sim.drain(600)
    finally:
        sim.close()
