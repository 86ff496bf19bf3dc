"""Nobody was there for hours: what ran meanwhile is asked for."""

import pytest

from app.models.job import JobState, Order, Progress
from tests.unit.engine.robot import Robot
from tests.unit.engine.theatre import Theatre

AWAY = 3 * 3_600.0


def begin(theatre: Theatre) -> None:
    """Let an action begin."""
    theatre.decide(theatre.fire("web-01"), "mend")
    assert theatre.go().stage == "acting"


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED])
def test_what_has_ended_meanwhile_is_told_as_it_was(
    theatre: Theatre, state: JobState
) -> None:
    """Its backend knows; whether it helped nobody has seen."""
    begin(theatre)
    theatre.robot.end_all(state)
    theatre.clock.advance(AWAY)
    mission = theatre.go()
    assert theatre.job().state == state
    assert theatre.job().verdict == "unknown"
    assert (mission.end, mission.due_at) == ("escalated", None)


def test_what_runs_still_is_told_to_end(theatre: Theatre) -> None:
    """Its time was over long ago."""
    begin(theatre)
    theatre.clock.advance(AWAY)
    assert theatre.go().end == "escalated"
    assert theatre.robot.aborts == [theatre.job().key]
    assert theatre.job().state == "aborted"


def test_what_does_not_end_is_given_up(theatre: Theatre) -> None:
    """It was told, and people get it."""
    begin(theatre)
    theatre.robot.is_stubborn = True
    theatre.clock.advance(AWAY)
    assert theatre.go().end == "escalated"
    assert theatre.robot.aborts == [theatre.job().key]
    assert theatre.job().state == "timed_out"


def test_what_was_sent_by_a_process_that_died_is_looked_up(
    theatre: Theatre,
) -> None:
    """By its key; then it is ended, as it runs still."""
    theatre.robot.failures = [KeyboardInterrupt()]
    theatre.decide(theatre.fire("web-01"), "mend")
    with pytest.raises(KeyboardInterrupt):
        theatre.go()
    key = theatre.job().key
    theatre.robot.end(key, JobState.STARTED)
    theatre.clock.advance(AWAY)
    assert theatre.go().end == "escalated"
    assert theatre.robot.aborts == [key]
    assert theatre.job().state == "aborted"


def test_what_ended_in_its_time_is_not_ended_by_us(theatre: Theatre) -> None:
    """Nobody was here when it did; it is measured like any other."""
    begin(theatre)
    theatre.robot.end_all()
    theatre.health.value = 1.0
    theatre.clock.advance(120.0)
    assert theatre.play(60.0).end == "fixed"
    assert theatre.job().state == "succeeded"
    assert not theatre.robot.aborts


class Paced(Robot):
    """A robot that is asked now and then only, as most backends are."""

    async def watch(self, order: Order) -> Progress:
        """Say nothing new, unless it was told something since."""
        if not self.aborts:
            return Progress(reference=order.reference, cursor=order.cursor)
        return await super().watch(order)


def test_what_ended_in_its_time_is_so_though_nobody_asked(
    theatre: Theatre,
) -> None:
    """It was asked too lately to be asked again before its time was over."""
    begin(theatre)
    theatre.robot.__class__ = Paced
    theatre.robot.end_all()
    theatre.robot.is_stubborn = theatre.robot.answers_late = True
    theatre.play(70.0)
    assert theatre.robot.aborts == [theatre.job().key]
    assert theatre.job().state == "succeeded"


def test_what_ended_before_all_was_halted_is_told_as_it_was(
    theatre: Theatre,
) -> None:
    """Whoever halts waits for nothing: it is asked for after that."""
    begin(theatre)
    theatre.robot.end_all()
    theatre.robot.is_stubborn = True
    theatre.robot.answers_late = True
    theatre.clock.advance(120.0)
    theatre.halting.file.write_text("fire drill")
    theatre.go()
    assert theatre.robot.aborts == [theatre.job().key]
    assert theatre.job().state == "succeeded"


def test_what_does_not_say_how_it_is_is_told_to_end(theatre: Theatre) -> None:
    """Its time is over, and it may run."""
    begin(theatre)
    theatre.robot.loses_look = True
    theatre.clock.advance(120.0)
    theatre.go()
    assert theatre.robot.aborts == [theatre.job().key]


def test_what_runs_elsewhere_is_given_up(theatre: Theatre) -> None:
    """The node that it runs on is gone for good."""
    begin(theatre)
    theatre.robot.is_elsewhere = True
    theatre.clock.advance(AWAY)
    assert theatre.go().end == "escalated"
    assert theatre.job().state == "unknown"
