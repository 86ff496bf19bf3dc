"""Whatever is open and left alone is handed over, with the reason why."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.models.mission_tables import MissionRow
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
