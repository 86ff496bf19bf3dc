"""An action runs where its target is reached, and nowhere else."""

import asyncio

from app.core.errors import OutgoingFailed
from app.models.mission import Stage
from tests.unit.engine.theatre import Theatre


def rule(theatre: Theatre) -> None:
    """Let the guard rule, and nothing start yet."""
    (mission,) = theatre.claim()

    async def work() -> None:
        """Do what one stage asks for."""
        await theatre.advancer._stages[Stage.RULING](mission, theatre.hold)

    asyncio.run(work())
    theatre.clock.advance(10)


def test_the_first_way_that_reaches_it_is_taken(theatre: Theatre) -> None:
    """Even when others would reach it, too."""
    theatre.decide(theatre.fire("web-01"), "twice")
    theatre.go()
    assert (theatre.job().backend, theatre.job().name) == ("robot", "first")
    assert not theatre.spare.starts


def test_what_the_first_does_not_reach_runs_elsewhere(
    theatre: Theatre,
) -> None:
    """With the time that is declared there."""
    theatre.robot.is_blind = True
    theatre.decide(theatre.fire("web-01"), "twice")
    theatre.go()
    job = theatre.job()
    assert (job.backend, job.name) == ("spare", "second")
    assert job.started_at is not None
    assert job.until == job.started_at + 90_000_000
    assert not theatre.robot.starts
    assert len(theatre.spare.starts) == 1


def test_what_nothing_reaches_is_left_to_people(theatre: Theatre) -> None:
    """They are told what might be done, and by whom."""
    theatre.robot.is_blind = theatre.spare.is_blind = True
    theatre.decide(theatre.fire("web-01"), "twice")
    assert theatre.go().stage == "escalated"
    assert "not reaching the target" in theatre.mission().reason


def test_it_never_starts_where_it_does_not_reach_any_more(
    theatre: Theatre,
) -> None:
    """Another node took it over: its own hands are on another machine."""
    theatre.decide(theatre.fire("web-01"), "twice")
    rule(theatre)
    assert theatre.job().backend == "robot"
    theatre.robot.is_blind = True
    assert theatre.go().stage == "escalated"
    assert "way-is-gone" in theatre.mission().reason
    assert not theatre.robot.starts
    assert not theatre.spare.starts


def test_it_is_not_sent_again_where_it_does_not_reach(
    theatre: Theatre,
) -> None:
    """Even what does no harm twice: it would be another machine."""
    theatre.robot.failures = [OutgoingFailed("cut")]
    theatre.robot.finds, theatre.robot.is_away = False, True
    theatre.decide(theatre.fire("web-01"), "touch")
    theatre.go()
    assert theatre.job().state == "started"
    theatre.robot.is_blind, theatre.robot.is_away = True, False
    theatre.play(30)
    assert theatre.job().state == "unknown"
    assert "from here" in theatre.job().reason
    assert not theatre.robot.starts
