"""Whatever is open and left alone is handed over, with the reason why."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from app.engine.neglect import find_neglected, take_over
from app.engine.recording import keep
from app.fold.muting import add_mute, end_mute, plan_mute
from app.models.alert import Severity
from app.models.choice import Decision
from app.models.decision_tables import DecisionRow
from app.models.matcher import read_matchers
from app.models.menu import Menu
from app.models.mission_tables import MissionRow
from app.models.mute import Wish
from app.models.record import Record
from app.models.timetable import Timetable
from app.models.word import Kind
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.test_missions import Hall
from tests.unit.engine.theatre import POLICY

WATCHES = POLICY.replace("auto", "observe")
TIME = 601.0
Make = Callable[[str], Hall]


@pytest.fixture
def make(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Make]:
    """Return what makes a theatre with chores, by a policy."""
    ledger = Ledger(location, 2.0)
    yield lambda policy: Hall(inbox, ledger, tmp_path, policy)
    ledger.close()


def test_what_nobody_may_decide_on_is_handed_over(make: Make) -> None:
    """While deciding is switched off people get all, in the usual time."""
    hall = make(POLICY)
    hall.is_deciding = False
    chore = hall.chore()
    hall.fire("web-01")
    hall.round(chore)
    assert not hall.rows(MissionRow)
    hall.clock.advance(TIME)
    hall.round(chore)
    mission = hall.mission()
    assert mission.stage == "escalated"
    assert "deciding is switched off" in mission.reason
    hall.clock.advance(TIME)
    hall.round(chore)
    assert len(hall.rows(MissionRow)) == 1


def test_what_came_back_while_deciding_was_off_is_handed_over(
    make: Make,
) -> None:
    """Its first mission was over by itself; now nobody decides on it."""
    hall = make(POLICY)
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "careful")
    hall.end("web-01")
    hall.round(chore)
    assert hall.mission().end == "resolved"
    hall.clock.advance(30)
    hall.fire("web-01")
    hall.is_deciding = False
    hall.clock.advance(TIME)
    hall.round(chore)
    mission = hall.mission()
    assert mission.stage == "escalated"
    assert "deciding is switched off" in mission.reason


def test_what_was_only_observed_and_still_fires_is_handed_over(
    make: Make,
) -> None:
    """A policy in the shadow leaves nothing with nobody."""
    hall = make(WATCHES)
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "mend")
    hall.round(chore)
    assert (hall.mission().stage, hall.mission().end) == ("closed", "observed")
    hall.clock.advance(TIME - 60)
    hall.round(chore)
    assert hall.mission().end == "observed"
    hall.clock.advance(TIME)
    hall.round(chore)
    mission = hall.mission()
    assert mission.stage == "escalated"
    assert mission.reason == (
        "observed: would have done mend(host=web-01); it still fires"
    )
    (line,) = hall.log("incident.escalated")
    assert "would have done mend(host=web-01)" in line.summary
    assert not hall.robot.starts
    hall.clock.advance(TIME)
    hall.round(chore)
    assert len(hall.rows(MissionRow)) == 2


def test_what_was_only_observed_and_came_back_has_its_time(
    make: Make,
) -> None:
    """Somebody decides on it anew; it does not still fire."""
    hall = make(WATCHES)
    fire_again(hall, "mend")
    hall.clock.advance(TIME - 60)
    hall.round(hall.chore())
    assert not hall.log("incident.escalated")
    for _ in range(2):
        hall.clock.advance(TIME)
        hall.round(hall.chore())
    (line,) = hall.log("incident.escalated")
    assert "nobody decided on it in its time" in line.summary


def test_what_was_only_observed_and_ended_is_left(make: Make) -> None:
    """Nobody has to hear of it."""
    hall = make(WATCHES)
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "mend")
    hall.round(chore)
    hall.end("web-01")
    hall.clock.advance(TIME)
    hall.round(chore)
    assert len(hall.rows(MissionRow)) == 1


def test_what_code_may_only_say_is_handed_over_once(make: Make) -> None:
    """People have it by then: that nothing was looked at is no news."""
    hall = make(WATCHES.replace("{otherwise", "{ladder: [], otherwise"))
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "mend")
    for _ in range(4):
        hall.round(chore)
        hall.turn(hall.evidence.catch_up)
        hall.round(chore)
        hall.clock.advance(TIME)
    assert hall.mission().end == "observed"
    assert hall.log("ruling.made")[-1].action.startswith("collect_diagnostics")
    assert len(hall.log("incident.escalated")) == 1


def fire_again(hall: Hall, action: str) -> int:
    """Let an incident be over after a decision, and fire once more."""
    chore = hall.chore()
    number = hall.fire("web-01")
    hall.decide(number, action)
    hall.round(chore)
    hall.end("web-01")
    hall.round(chore)
    hall.clock.advance(30)
    assert hall.fire("web-01") == number
    return number


def count_of(hall: Hall) -> int:
    """Return how often people got anything."""
    return len(hall.log("incident.escalated"))


@pytest.mark.parametrize("action", ["no_action", "escalate"])
def test_what_fires_again_is_handed_over_once(make: Make, action: str) -> None:
    """What was decided was about another time, whoever has it since."""
    hall = make(POLICY)
    number = fire_again(hall, action)
    before = count_of(hall)
    hall.is_deciding = False
    chore = hall.chore()
    hall.clock.advance(TIME - 60)
    hall.round(chore)
    assert count_of(hall) == before
    for _ in range(3):
        hall.clock.advance(TIME)
        assert hall.fire("web-01") == number
        hall.round(chore)
        assert count_of(hall) == before + 1
    assert "deciding is switched off" in hall.mission().reason


@pytest.mark.parametrize("action", ["no_action", "escalate"])
def test_what_goes_on_is_not_handed_over_again(
    make: Make, action: str
) -> None:
    """More alerts of it, and time, change nothing."""
    hall = make(POLICY)
    number = hall.fire("web-01")
    hall.decide(number, action)
    chore = hall.chore()
    hall.is_deciding = False
    before = count_of(hall)
    for name in ("LoadHigh", "SwapFull", "InodesFull"):
        hall.round(chore)
        hall.clock.advance(TIME)
        assert hall.fire("web-01", name) == number
    assert count_of(hall) == before
    assert len(hall.rows(MissionRow)) == 1


@pytest.mark.parametrize("action", ["no_action", "escalate"])
def test_what_is_decided_on_in_its_time_is_not_handed_over(
    make: Make, action: str
) -> None:
    """It came back, and that was decided on: nobody gets it besides."""
    hall = make(POLICY)
    number = fire_again(hall, action)
    before = count_of(hall)
    hall.clock.advance(TIME - 60)
    hall.decide(number, "no_action")
    for _ in range(3):
        hall.round(hall.chore())
        hall.clock.advance(TIME)
    assert hall.mission().end == "no_action"
    assert count_of(hall) == before


def test_who_has_acknowledged_what_fires_again_has_it(make: Make) -> None:
    """What was acknowledged before it was over is another story."""
    hall = make(POLICY)
    chore = hall.chore()
    number = hall.fire("web-01")
    hall.decide(number, "escalate")
    hall.say(Kind.ACKNOWLEDGE, number)
    hall.end("web-01")
    hall.clock.advance(30)
    hall.fire("web-01")
    hall.is_deciding = False
    hall.say(Kind.UNACKNOWLEDGE, number)
    hall.say(Kind.ACKNOWLEDGE, number)
    hall.clock.advance(TIME)
    hall.round(chore)
    assert count_of(hall) == 1
    hall.end("web-01")
    hall.clock.advance(30)
    hall.fire("web-01")
    hall.clock.advance(TIME)
    hall.round(chore)
    assert count_of(hall) == 2


def test_who_gives_it_back_has_it_no_more(make: Make) -> None:
    """Then it is handed over as if nobody had ever had it."""
    hall = make(POLICY)
    number = fire_again(hall, "no_action")
    hall.is_deciding = False
    hall.say(Kind.ACKNOWLEDGE, number)
    hall.clock.advance(TIME)
    chore = hall.chore()
    hall.round(chore)
    assert not count_of(hall)
    hall.say(Kind.UNACKNOWLEDGE, number)
    hall.clock.advance(TIME)
    hall.round(chore)
    assert count_of(hall) == 1


def mute(hall: Hall) -> Callable[[], None]:
    """Let people mute a host; return what ends that."""
    now = hall.clock.now()
    wish = Wish(
        matchers=read_matchers('target="web-01"'),
        times=Timetable(starts_at=now, ends_at=now + 36_000_000_000),
        author="ana",
        comment="we work on it",
    )
    made = hall.turn(lambda c: add_mute(c, plan_mute(wish, now), now))

    def unmute() -> None:
        """End it."""
        now = hall.clock.now()
        hall.turn(lambda c: end_mute(c, made.id, ("ana", "done"), now))
        hall.fold()

    hall.fold()
    return unmute


def test_what_comes_back_muted_and_is_released_is_handed_over(
    make: Make,
) -> None:
    """It was over in between, though the log never says reopened."""
    hall = make(POLICY)
    chore = hall.chore()
    number = hall.fire("web-01")
    hall.decide(number, "no_action")
    hall.end("web-01")
    hall.round(chore)
    unmute = mute(hall)
    hall.clock.advance(30)
    assert hall.fire("web-01") == number
    assert hall.incident(number).state == "suppressed"
    hall.clock.advance(TIME)
    hall.round(chore)
    unmute()
    assert hall.incident(number).state == "open"
    hall.round(hall.chore())
    assert not count_of(hall)
    hall.clock.advance(TIME)
    hall.round(chore)
    assert count_of(hall) == 1
    assert "nobody decided on it in its time" in hall.mission().reason


def decide_too_late(hall: Hall, number: int, last: int) -> None:
    """Keep a decision on an incident that is muted meanwhile."""
    found = hall.turn(lambda c: hall.casework.open_file(c, number))
    assert found is not None
    record = Record(
        at=hall.clock.now(),
        standpoint=found.standpoint,
        case=found.case,
        menu=Menu(()),
        decision=Decision(
            action="mend", arguments={"host": "web-01"}, brain="fake"
        ),
    )
    assert hall.turn(lambda c: keep(c, record, last, hall.moves))
    assert "no effect" in hall.rows(DecisionRow)[-1].note


@pytest.mark.parametrize("action", ["", "no_action"])
def test_what_was_decided_on_while_it_was_muted_is_handed_over(
    make: Make, action: str
) -> None:
    """A decision without effect is none, the first or a later one."""
    hall = make(POLICY)
    chore = hall.chore()
    number = hall.fire("web-01")
    if action:
        hall.decide(number, action)
    hall.clock.advance(30)
    hall.fire("web-01", severity=Severity.CRITICAL)
    unmute = mute(hall)
    decide_too_late(hall, number, last=len(hall.rows(DecisionRow)))
    hall.clock.advance(TIME)
    hall.round(chore)
    assert not count_of(hall)
    unmute()
    hall.is_deciding = False
    for _ in range(3):
        hall.clock.advance(TIME)
        hall.round(hall.chore())
        assert count_of(hall) == 1
    assert hall.mission().stage == "escalated"


def test_what_two_find_at_once_is_handed_over_once(make: Make) -> None:
    """Whoever comes second sees that the first one has done it."""
    hall = make(POLICY)
    new, back = hall.fire("web-02"), fire_again(hall, "escalate")
    hall.clock.advance(TIME)
    now = hall.clock.now()
    found = hall.turn(
        lambda c: find_neglected(c, now - 600_000_000, 9, is_deciding=True)
    )
    assert set(found) == {new, back}
    for number in found:
        take = partial(take_over, moves=hall.moves, number=number, found=found)
        given = [hall.turn(take), hall.turn(take)]
        assert given[0] is not None
        assert given[1] is None
