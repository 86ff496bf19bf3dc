"""F16, F22, F23, F24: flapping, harm that spreads, one cause for many."""

import pytest

from app.models.incident import State
from app.models.tables import IncidentRow
from tests.simulation.dealing import Deal, Dealer
from tests.simulation.hosts import BROKEN, CALM
from tests.simulation.loop import SECOND
from tests.simulation.people import People
from tests.simulation.reckoning import reckon
from tests.simulation.scene import HOSTS, PROTECTED
from tests.simulation.sim import Simulation
from tests.simulation.stories import begin, until

WINDOW = 1_800.0
RUNS = 5
RATE = 0.6
BLAST = 3


def ends(sim: Simulation) -> list[str]:
    """Return how each mission ended."""
    return [one.end for one in sim.stage.audit.state.missions.values()]


def rules(sim: Simulation) -> set[str]:
    """Return the rules that spoke."""
    rows = sim.stage.audit.all_rows("SELECT rule FROM ruling")
    return {row["rule"] for row in rows}


def watched(sim: Simulation) -> bool:
    """Let monitoring say what is so whenever all rests."""
    sim.monitor()
    return sim.can_fold()


@pytest.mark.parametrize(
    "stage",
    [
        ("brain", ""),
        ("turn", "rule"),
        ("turn", "claim"),
        ("check", ""),
        ("turn", "start"),
    ],
    ids=lambda stage: "-".join(stage).strip("-"),
)
def test_what_ends_before_the_start_is_not_acted_on(
    stage: tuple[str, str],
) -> None:
    """It was decided, or ruled on, or claimed: nothing starts, and why."""
    sim = begin(Deal())
    try:
        until(sim, *stage)
        sim.stage.hosts.all["web-1"].value = CALM
        sim.monitor()
        sim.fold()
        sim.drain(600)
        reckon(sim)
        assert sim.stage.receiver.works == []
        # What ends while a brain still thinks never becomes a mission.
        for mission in sim.stage.audit.state.missions.values():
            assert mission.end in ("resolved", "escalated")
            assert mission.reason
        assert len(sim.stage.audit.state.missions) == (stage[0] != "brain")
    finally:
        sim.close()


def test_what_ends_while_it_starts_is_recorded() -> None:
    """The order was on its way: it runs once, and the end is known."""
    sim = begin(Deal(seconds=3.0))
    try:
        until(sim, "start")
        sim.stage.hosts.all["web-1"].value = CALM
        sim.monitor()
        sim.fold()
        sim.drain(600)
        reckon(sim)
        assert len(sim.stage.receiver.works) == 1
        (job,) = sim.stage.audit.state.jobs.values()
        assert job.started_at is not None
        assert job.state == "succeeded"
    finally:
        sim.close()


@pytest.mark.parametrize("host", ["web-1", "app-1"])
@pytest.mark.parametrize(("action", "most"), [("rest", 1), ("clean", 2)])
def test_ten_minutes_of_flapping_are_one_incident(
    host: str, action: str, most: int
) -> None:
    """Every 5 s it comes or goes: at most one job, and a hold.

    What is declared to need no rest may start twice until flapping is known.
    """
    sim = Simulation(Dealer([action]))
    try:
        for turn in range(120):
            is_broken = turn % 2 == 0
            sim.stage.hosts.all[host].value = BROKEN if is_broken else CALM
            sim.monitor()
            sim.run(5)
        incidents = sim.stage.vault.rows(IncidentRow)
        assert [one.state for one in incidents] == [State.SUPPRESSED]
        assert len(sim.stage.receiver.works) <= most
        sim.drain(900)
        reckon(sim)
    finally:
        sim.close()


def test_what_makes_it_worse_is_tried_twice_at_most() -> None:
    """It heals nothing and makes others ill: two tries each, then people."""
    sim = Simulation(Dealer(["clean"], [Deal(effect="spreads")] * 100))
    try:
        sim.on_rest = watched
        sim.stage.hosts.all["web-1"].value = BROKEN
        sim.monitor()
        sim.drain(3_600)
        reckon(sim)
        told = [one.order for one in sim.stage.receiver.works]
        hosts = [str(one.arguments["host"]) for one in told]
        assert 0 < len(hosts) <= RUNS
        assert max(hosts.count(one) for one in hosts) <= 2
        assert set(ends(sim)) == {"escalated"}
    finally:
        sim.close()


def test_the_breaker_stops_what_does_not_help() -> None:
    """After so many runs without any good, no host is tried any more."""
    sim = Simulation(Dealer(["clean", "sync"] * 9, [HARMLESS] * 100))
    people = People(sim)
    try:
        for host in ("web-1", "web-2", "web-3"):
            sim.stage.hosts.all[host].value = BROKEN
            sim.monitor()
            sim.drain(600)
        ran = len(sim.stage.receiver.works)
        assert ran >= RUNS
        sim.stage.hosts.all["web-4"].value = BROKEN
        sim.monitor()
        sim.drain(600)
        assert len(sim.stage.receiver.works) == ran
        assert "breaker" in rules(sim)
        # People who want it all the same are held to it, too.
        assert people.propose(4, "sync", "web-4") == ""
        sim.drain(600)
        assert len(sim.stage.receiver.works) == ran
        reckon(sim)
    finally:
        sim.close()


HARMLESS = Deal(effect="nothing", seconds=2.0)


def test_one_cause_for_all_hosts_touches_few_of_them() -> None:
    """All are ill at once: so many are touched, the rest goes to people."""
    sim = Simulation(Dealer(["clean"], [Deal(seconds=2.0)] * 100))
    try:
        for host in HOSTS:
            sim.stage.hosts.all[host].value = BROKEN
        sim.monitor()
        sim.run(300)
        sim.drain(900)
        reckon(sim)
        told = [one.order for one in sim.stage.receiver.works]
        touched = {str(one.arguments["host"]) for one in told}
        assert len(touched) <= BLAST
        assert PROTECTED not in touched
        assert "blast-radius" in rules(sim)
        assert len(sim.asked) <= 1
        assert ends(sim).count("escalated") >= len(HOSTS) - BLAST - 1
        first, last = sim.stage.clock.ticks, WINDOW * SECOND
        assert first < last, "the window must not have passed meanwhile"
    finally:
        sim.close()
