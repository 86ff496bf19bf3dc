"""What changes between a decision and its start is seen before the start."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.models.approval import Answer
from app.models.inventory import Thing
from app.models.mission import Mission
from app.models.verdict import Reading, Subject
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import POLICY, Theatre

ONLY_LAB = POLICY.replace(
    "{otherwise: auto}",
    "{ladder: [{mode: auto, environment: lab}], otherwise: approve}",
)
OTHER = Thing(kind="host", name="db-01", environment="lab")


@pytest.fixture
def theatre(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which all may run by itself in the lab only."""
    ledger = Ledger(location, 2.0)
    found = Theatre(inbox, ledger, tmp_path, ONLY_LAB)
    found.things = (OTHER, host("lab"))
    yield found
    ledger.close()


def host(environment: str) -> Thing:
    """Return the host that is sick, in an environment."""
    return Thing(kind="host", name="web-01", environment=environment)


def between(
    theatre: Theatre, change: Callable[[], None], action: str = "mend"
) -> Mission:
    """Let something change when a job is planned, and not started yet.

    It is ruled on by then; the last thing before the start is to measure.
    """
    measure = theatre.health.measure

    async def changing(subject: Subject) -> Reading:
        """Measure; meanwhile it changes."""
        assert theatre.log("ruling.made")[-1].summary.startswith("allow")
        assert theatre.job().state == "claimed"
        change()
        return await measure(subject)

    vars(theatre.health)["measure"] = changing
    theatre.decide(theatre.fire("web-01"), action)
    return theatre.go()


def expect_unstarted(theatre: Theatre, says: str) -> None:
    """Fail unless nothing started, people have it, and why is told."""
    assert not theatre.robot.starts
    assert theatre.job().state == "aborted"
    assert theatre.job().started_at is None
    assert "job.started" not in theatre.kinds()
    (line,) = theatre.log("incident.escalated")
    assert says in line.summary
    assert says in theatre.job().reason


def test_what_nothing_changes_for_is_started(theatre: Theatre) -> None:
    """Else the other tests would say nothing."""
    between(theatre, lambda: None, "careful")
    assert list(theatre.robot.starts.values()) == [1]


def test_a_host_that_leaves_the_inventory_is_not_touched(
    theatre: Theatre,
) -> None:
    """No action has a target there any more."""

    def leave() -> None:
        """Take the host out of it."""
        theatre.things = (OTHER,)

    assert between(theatre, leave).stage == "escalated"
    expect_unstarted(theatre, "not started: ungrounded: 'mend' is not on the")
    assert theatre.log("ruling.made")[-1].summary.startswith("escalate")


def test_a_host_that_leaves_its_environment_is_asked_about(
    theatre: Theatre,
) -> None:
    """What was allowed in the lab is not allowed where it is now."""

    def move() -> None:
        """Let the host be of production."""
        theatre.things = (OTHER, host("production"))

    assert between(theatre, move).stage == "escalated"
    expect_unstarted(theatre, "not started: trust:approve: mend is trusted")


def test_a_precondition_that_fails_meanwhile_starts_nothing(
    theatre: Theatre,
) -> None:
    """It held when it was ruled on, and does not right before the start."""

    def fail() -> None:
        """Let it not hold any more."""
        theatre.ready.value = 0.0

    assert between(theatre, fail, "careful").stage == "escalated"
    expect_unstarted(theatre, "not started: precondition: ready")


def test_a_grant_covers_no_doubt_that_came_later(theatre: Theatre) -> None:
    """Whoever granted it was told that what must hold does."""
    theatre.things = (OTHER, host("production"))
    theatre.decide(theatre.fire("web-01"), "careful")
    theatre.go()
    theatre.answer(Answer.GRANT, "cleo")
    theatre.ready.value = None
    mission = theatre.go()
    assert not theatre.robot.starts
    assert "job.started" not in theatre.kinds()
    last = theatre.log("ruling.made")[-1].summary
    assert "Nobody who granted it could know" in last
    assert mission.stage == "awaiting_approval"


def test_a_doubt_that_was_granted_is_no_obstacle(theatre: Theatre) -> None:
    """People were told that nobody can tell, and want it nevertheless."""
    theatre.ready.value = None
    theatre.decide(theatre.fire("web-01"), "careful")
    theatre.go()
    assert "Nobody can tell" in theatre.asked().reason
    theatre.answer(Answer.GRANT, "cleo")
    theatre.go()
    assert list(theatre.robot.starts.values()) == [1]
