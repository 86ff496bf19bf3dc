"""Single faults that the engine met, each told as a short story."""

from tests.simulation.dealing import Deal
from tests.simulation.hosts import BROKEN, CALM
from tests.simulation.loop import SECOND
from tests.simulation.people import People
from tests.simulation.reckoning import reckon
from tests.simulation.stories import begin, until


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
