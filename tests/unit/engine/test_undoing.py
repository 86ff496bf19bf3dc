"""What takes something back has its time, and its place, to itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.quieting import quiet
from app.engine.undecided import find_due
from app.fold.muting import add_mute, plan_mute
from app.models.alert import Severity
from app.models.approval import Answer
from app.models.decision_tables import DecisionRow
from app.models.matcher import read_matchers
from app.models.mission import SECOND
from app.models.mission_tables import MissionRow
from app.models.mute import Wish
from app.models.timetable import Timetable
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import ASKS, Theatre

LONG = 1_800
PATIENT = f"{ASKS}\nask: {{for: 30m}}"


@pytest.fixture
def theatre(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which people are asked, for half an hour."""
    ledger = Ledger(location, 2.0)
    yield Theatre(inbox, ledger, tmp_path, PATIENT)
    ledger.close()


def do_harm(theatre: Theatre, after: float = 0.0) -> int:
    """Let an action make it worse, so that its undo is asked about."""
    theatre.health.value = 0.5
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    theatre.go()
    theatre.play(after)
    theatre.answer(Answer.GRANT)
    theatre.go()
    theatre.robot.end_all()
    theatre.health.value = 0.1
    theatre.play(40)
    asked = theatre.asked()
    assert (asked.action, asked.state) == ("unmend", "asked")
    return number


def mute(theatre: Theatre, host: str) -> None:
    """Let somebody work on a host for two hours, from now on."""
    now = theatre.clock.now()
    wish = Wish(
        matchers=read_matchers(f'target="{host}"'),
        times=Timetable(starts_at=now, ends_at=now + 7_200 * SECOND),
        author="bo",
        comment="we work on it",
    )
    theatre.turn(lambda c: add_mute(c, plan_mute(wish, now), now))
    theatre.fold()


def test_an_undo_is_asked_about_for_as_long_as_anything_else(
    theatre: Theatre,
) -> None:
    """What did harm may have taken all the time that there was."""
    theatre.moves.limits = type(theatre.moves.limits)(deadline=LONG * SECOND)
    do_harm(theatre, after=LONG - 60)
    asked = theatre.asked()
    assert asked.expires_at - asked.asked_at == LONG * SECOND
    theatre.play(LONG - 120)
    theatre.answer(Answer.GRANT)
    theatre.go()
    assert theatre.job().action == "unmend"


def test_no_brain_takes_the_place_of_an_undo(theatre: Theatre) -> None:
    """That harm makes it worse is news, and no reason to leave it."""
    number = do_harm(theatre)
    theatre.fire("web-01", severity=Severity.CRITICAL)
    due = theatre.turn(lambda c: find_due(c, [number], 0.0))
    assert not due
    theatre.answer(Answer.GRANT)
    theatre.go()
    assert theatre.job().action == "unmend"


def test_what_a_person_does_instead_is_no_undo(theatre: Theatre) -> None:
    """It helped, and that was measured: nobody has to look at it."""
    number = do_harm(theatre)
    theatre.propose(number, "other", "web-01")
    theatre.go()
    theatre.answer(Answer.GRANT, "cleo")
    theatre.go()
    theatre.robot.end_all()
    theatre.health.value = 1.0
    mission = theatre.play(60)
    assert (mission.stage, mission.end) == ("closed", "fixed")
    actions = [row.action for row in theatre.rows(DecisionRow)]
    assert actions == ["mend", "unmend", "other"]
    assert len(theatre.rows(MissionRow)) == 1


def test_an_undo_that_is_edited_is_still_one(theatre: Theatre) -> None:
    """No brain takes its place, and people hear that it was left out."""
    number = do_harm(theatre)
    first = theatre.asked().id
    theatre.answer(Answer.EDIT, host="web-01")
    theatre.go()
    asked = theatre.asked()
    assert (asked.action, asked.state) == ("unmend", "asked")
    assert asked.id != first
    theatre.fire("web-01", severity=Severity.CRITICAL)
    assert not theatre.turn(lambda c: find_due(c, [number], 0.0))
    theatre.end("web-01")
    going = theatre.mission().id
    theatre.turn(lambda c: quiet(c, theatre.moves, going))
    mission = theatre.mission()
    assert mission.end == "escalated"
    assert mission.reason.startswith("what made it worse is not taken back: ")


@pytest.mark.parametrize("way", ["over", "muted"])
def test_harm_that_is_not_taken_back_is_for_people(
    theatre: Theatre, way: str
) -> None:
    """Its undo never ran: nobody may take that for a quiet end."""
    number = do_harm(theatre)
    if way == "over":
        theatre.end("web-01")
    else:
        mute(theatre, "web-01")
    going = theatre.mission().id
    theatre.turn(lambda c: quiet(c, theatre.moves, going))
    mission = theatre.mission()
    assert (mission.stage, mission.end) == ("escalated", "escalated")
    assert mission.reason.startswith("what made it worse is not taken back: ")
    assert theatre.asked().state == "withdrawn"
    assert theatre.incident(number).state in ("resolved", "suppressed")
