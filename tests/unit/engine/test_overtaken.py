"""A brain's choice is for one problem: when that is over, it is chosen anew.

An incident may have several; that another one goes on is no reason to act.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.undecided import find_due
from app.models.approval import Answer
from app.models.mission import Mission
from app.models.tables import EpisodeRow
from app.models.verdict import Reading, Subject
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.test_missions import Hall
from tests.unit.engine.theatre import ASKS, Theatre

FIRST = "HighMemory"


@pytest.fixture
def hall(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Hall]:
    """Return a theatre with chores, in which people grant all."""
    ledger = Ledger(location, 2.0)
    yield Hall(inbox, ledger, tmp_path, ASKS)
    ledger.close()


def fire_both(theatre: Theatre) -> int:
    """Let two things be wrong with a host; return the one incident."""
    number = theatre.fire("web-01", FIRST, begins=-20)
    assert theatre.fire("web-01", begins=-10) == number
    return number


def expect_anew(theatre: Theatre, mission: Mission) -> None:
    """Fail unless nothing has started, and a brain is to choose anew."""
    assert not theatre.robot.starts
    assert mission.stage == "deciding"
    assert not mission.approval_id
    (line,) = theatre.log("mission.overtaken")
    assert FIRST in line.summary


def test_nothing_is_planned_for_a_problem_that_is_over(
    theatre: Theatre,
) -> None:
    """The guard says so; what is chosen next is for what goes on."""
    number = fire_both(theatre)
    theatre.decide(number, "mend")
    theatre.end("web-01", FIRST)
    expect_anew(theatre, theatre.go())
    assert theatre.log("ruling.made")[-1].actor == "rule:not-firing"
    theatre.decide(number, "other")
    mission = theatre.go()
    assert (mission.stage, mission.round) == ("acting", 1)
    assert theatre.job().action == "other"


def test_a_planned_job_does_not_start_for_what_is_over(
    theatre: Theatre,
) -> None:
    """It ends while it is measured right before the start."""
    number = fire_both(theatre)
    measure = theatre.health.measure

    async def ending(subject: Subject) -> Reading:
        """Measure; meanwhile the problem ends."""
        assert theatre.job().state == "claimed"
        theatre.end("web-01", FIRST)
        return await measure(subject)

    vars(theatre.health)["measure"] = ending
    theatre.decide(number, "mend")
    expect_anew(theatre, theatre.go())
    assert (theatre.job().state, theatre.job().started_at) == ("aborted", None)


def test_a_question_about_what_is_over_is_withdrawn(hall: Hall) -> None:
    """Nobody is to answer it; the next answer is to another question."""
    chore = hall.chore()
    number = fire_both(hall)
    hall.decide(number, "mend")
    hall.go()
    assert hall.asked().state == "asked"
    hall.round(chore)
    hall.end("web-01", FIRST)
    hall.round(chore)
    expect_anew(hall, hall.mission())
    assert hall.asked().state == "withdrawn"
    assert FIRST in hall.asked().says
    assert hall.mission().end == ""


def test_a_grant_of_what_is_over_starts_nothing(hall: Hall) -> None:
    """A person may be faster than the look that withdraws it."""
    number = fire_both(hall)
    hall.decide(number, "mend")
    hall.go()
    hall.end("web-01", FIRST)
    hall.answer(Answer.GRANT)
    expect_anew(hall, hall.go())


def test_a_sweep_finds_what_was_overtaken_before_it(hall: Hall) -> None:
    """A node that was away finds the question all the same."""
    number = fire_both(hall)
    hall.decide(number, "mend")
    hall.go()
    hall.end("web-01", FIRST)
    chore = hall.chore()
    hall.round(chore)
    expect_anew(hall, hall.mission())


def test_what_another_symptom_ends_changes_nothing(theatre: Theatre) -> None:
    """What the choice is for goes on: it runs."""
    number = fire_both(theatre)
    theatre.decide(number, "mend")
    theatre.end("web-01")
    assert theatre.go().stage == "acting"
    assert theatre.job().action == "mend"


def test_what_comes_back_is_still_the_same(theatre: Theatre) -> None:
    """It ended and began anew before anything was to start."""
    number = fire_both(theatre)
    theatre.decide(number, "mend")
    theatre.end("web-01", FIRST)
    theatre.clock.advance(1.0)
    assert theatre.fire("web-01", FIRST) == number
    assert theatre.go().stage == "acting"


def test_what_a_person_proposes_is_for_the_whole_incident(
    theatre: Theatre,
) -> None:
    """They saw what goes on, and mean it as long as anything does."""
    number = fire_both(theatre)
    theatre.propose(number, "mend", "web-01")
    theatre.end("web-01", FIRST)
    assert theatre.go().stage == "acting"


def test_a_running_job_is_told_that_its_problem_is_over(
    theatre: Theatre,
) -> None:
    """That another one of the incident goes on is nothing to it."""
    number = fire_both(theatre)
    theatre.decide(number, "mend")
    assert theatre.go().stage == "acting"
    theatre.play(5)
    assert not theatre.robot.heard
    theatre.end("web-01", FIRST)
    theatre.play(5)
    (heard,) = theatre.robot.heard
    assert heard.endswith("alert_resolved")


def test_what_is_to_end_with_its_problem_ends(theatre: Theatre) -> None:
    """The declaration says when_resolved: abort."""
    number = fire_both(theatre)
    theatre.decide(number, "brief")
    assert theatre.go().stage == "acting"
    theatre.end("web-01", FIRST)
    theatre.play(5)
    assert theatre.robot.aborts
    assert theatre.job().state == "aborted"


@pytest.mark.parametrize("action", ["mend", "brief"])
def test_what_a_person_split_off_goes_on(
    theatre: Theatre, action: str
) -> None:
    """Nobody is told that it went away, and nothing is ended for that."""
    number = fire_both(theatre)
    theatre.decide(number, action)
    assert theatre.go().stage == "acting"
    episodes = theatre.rows(EpisodeRow)
    split = [row.id for row in episodes if row.problem == FIRST]
    other = theatre.split(number, *split)
    theatre.play(5)
    assert (theatre.robot.heard, theatre.robot.aborts) == ([], [])
    theatre.end("web-01", FIRST)
    assert theatre.incident(other).state == "resolved"
    theatre.play(5)
    told = theatre.robot.heard if action == "mend" else theatre.robot.aborts
    assert len(told) == 1


def why_due(theatre: Theatre, number: int) -> str:
    """Return why an incident needs a decision, or nothing."""
    due = theatre.turn(lambda c: find_due(c, [number], 0.0)).get(number)
    return due.why if due else ""


def test_what_was_right_for_one_problem_is_not_for_the_next(
    theatre: Theatre,
) -> None:
    """Nothing was to be done about it; now it is over, the other is not."""
    number = fire_both(theatre)
    assert theatre.decide(number, "no_action").end == "no_action"
    assert not why_due(theatre, number)
    theatre.end("web-01", FIRST)
    assert why_due(theatre, number) == "over"
    assert theatre.decide(number, "mend").stage == "ruling"
    assert not why_due(theatre, number)


def test_what_was_fixed_leaves_the_other_problem_to_a_brain(
    theatre: Theatre,
) -> None:
    """It did what it was to do, and nobody has decided on the rest."""
    number = fire_both(theatre)
    theatre.decide(number, "mend")
    theatre.go()
    theatre.robot.end_all()
    theatre.health.value = 1.0
    assert theatre.play(60).end == "fixed"
    theatre.end("web-01", FIRST)
    assert why_due(theatre, number) == "over"


def test_what_people_have_is_theirs(theatre: Theatre) -> None:
    """That one of its problems ends is no reason to take it back."""
    number = fire_both(theatre)
    assert theatre.decide(number, "escalate").stage == "escalated"
    theatre.end("web-01", FIRST)
    assert not why_due(theatre, number)
