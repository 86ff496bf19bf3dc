"""What measures well right before a start gets a moment to end by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.approval import Answer
from app.models.job import JobState
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import ASKS, POLICY, Theatre

WELL, BAD = 1.0, 0.0


@pytest.fixture(params=[POLICY], ids=["auto"])
def theatre(
    location: Location,
    inbox: SqlInbox,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Theatre]:
    """Return a theatre under a policy."""
    ledger = Ledger(location, 2.0)
    yield Theatre(inbox, ledger, tmp_path, request.param)
    ledger.close()


def begin(theatre: Theatre) -> int:
    """Let something be wrong that measures well; return the incident."""
    theatre.health.value = WELL
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    theatre.go()
    return number


def test_what_is_well_already_is_not_touched(theatre: Theatre) -> None:
    """The alert ends while it is waited: nothing was ever started."""
    begin(theatre)
    theatre.play(10)
    assert theatre.job().state == JobState.CLAIMED
    assert "health measures well already" in theatre.mission().reason
    theatre.end("web-01")
    theatre.fold()
    mission = theatre.play(60)
    assert (mission.stage, mission.end) == ("closed", "resolved")
    assert theatre.robot.starts == {}
    assert theatre.kinds().count("job.postponed") == 1


def test_an_alert_that_goes_on_is_acted_upon(theatre: Theatre) -> None:
    """A check may measure something else than the alert is about."""
    begin(theatre)
    theatre.play(29)
    assert theatre.robot.starts == {}
    theatre.play(2)
    assert list(theatre.robot.starts.values()) == [1]


def test_what_turns_bad_is_acted_upon_at_once(theatre: Theatre) -> None:
    """Nobody waits any longer than it measures well."""
    begin(theatre)
    theatre.health.value = BAD
    theatre.play(6)
    assert list(theatre.robot.starts.values()) == [1]


def test_what_cannot_be_measured_is_acted_upon(theatre: Theatre) -> None:
    """Unknown is not well."""
    theatre.health.value = None
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    theatre.go()
    assert list(theatre.robot.starts.values()) == [1]


@pytest.mark.parametrize("theatre", [ASKS], indirect=True)
def test_what_a_person_granted_is_done_at_once(theatre: Theatre) -> None:
    """Whoever said yes has looked."""
    begin(theatre)
    theatre.answer(Answer.GRANT)
    theatre.go()
    assert list(theatre.robot.starts.values()) == [1]
