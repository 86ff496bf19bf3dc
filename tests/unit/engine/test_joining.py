"""Whoever is woken up starts with the evidence: it goes with the letter."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine.joining import WAITS, WENT_WITH
from app.models.evidence import Evidence
from app.models.job import JobState
from app.models.mission_tables import JobRow
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.office import Office

Open = Callable[..., Office]
FULL = "/var is 97 % full, 40 % last week"
SEEN = str(Evidence(topic="disk", host="web-01", at="now", stands_out=(FULL,)))
LEVELS = {
    "levels": [
        {"channels": ["ops"]},
        {"channels": ["mail"], "after_seconds": 600},
    ]
}


@pytest.fixture
def opened(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Open]:
    """Return how an office is opened on each database."""
    ledger = Ledger(location, 2.0)

    def make(**more: Any) -> Office:
        """Open one whose code looks first."""
        report = {"routes": [LEVELS], **more.pop("report", {})}
        return Office(
            inbox, ledger, tmp_path, report, **{"looks": True, **more}
        )

    yield make
    ledger.close()


def look(office: Office, says: str = SEEN) -> None:
    """Let code look at what was handed over, to its end."""
    office.turn(office.evidence.catch_up)
    office.go()
    for key in list(office.robot.running):
        office.robot.end(key, JobState.SUCCEEDED, says)
    office.play(4)


@pytest.mark.parametrize("is_told_first", [True, False])
def test_what_was_seen_goes_with_the_escalation(
    opened: Open, is_told_first: bool
) -> None:
    """One letter, whichever of the two followers of the log is quicker."""
    office = opened()
    office.escalate()
    if is_told_first:
        assert office.report() == ["escalated"]
        assert office.post() == []
        assert office.ways(level=1)[0].reason == WAITS
    look(office)
    assert office.report()[0] == "escalated"
    (letter,) = office.post()
    assert letter.kind == "escalated"
    assert letter.facts.evidence == (FULL,)
    assert FULL in letter.text
    later = office.clock.now() + 3_600_000_000
    assert all(
        one.due_at is None or one.due_at < later for one in office.ways()
    )


def test_the_next_level_has_it_too_and_once(opened: Open) -> None:
    """Nobody gets the same twice, and nobody starts without it."""
    office = opened()
    office.escalate()
    office.report()
    look(office)
    office.report()
    office.post()
    spared = office.ways(kind="evidence")
    assert {one.reason for one in spared} == {WENT_WITH}
    office.clock.advance(700)
    (letter,) = office.post()
    assert (letter.kind, letter.facts.evidence) == ("escalated", (FULL,))


def test_people_do_not_wait_for_long(opened: Open) -> None:
    """What is seen later is a letter of its own."""
    office = opened()
    office.escalate()
    office.report()
    office.clock.advance(19)
    assert office.post() == []
    office.clock.advance(2)
    (first,) = office.post()
    assert (first.kind, first.facts.evidence) == ("escalated", ())
    look(office)
    assert office.report() == ["escalated", "evidence"]
    (second,) = office.post()
    assert (second.kind, second.facts.evidence) == ("evidence", (FULL,))


def test_nobody_waits_where_nothing_can_be_seen(opened: Open) -> None:
    """No backend reaches the target: people are told at once."""
    office = opened()
    office.robot.is_blind = True
    office.escalate()
    office.report()
    (letter,) = office.post()
    assert letter.kind == "escalated"


@pytest.mark.parametrize(
    "more", [{"looks": False}, {"report": {"evidence_seconds": 0}}]
)
def test_nobody_waits_who_does_not_want_it(
    opened: Open, more: dict[str, Any]
) -> None:
    """Without a look, or with no patience, people are told at once."""
    office = opened(**more)
    office.escalate()
    office.report()
    assert [one.kind for one in office.post()] == ["escalated"]


def test_a_look_that_shows_nothing_holds_nothing_up_for_ever(
    opened: Open,
) -> None:
    """The job fails: the escalation goes when its time has come."""
    office = opened()
    office.escalate()
    office.report()
    office.turn(office.evidence.catch_up)
    office.go()
    for key in list(office.robot.running):
        office.robot.end(key, JobState.FAILED)
    office.play(4)
    office.report()
    assert office.rows(JobRow)[-1].state == "failed"
    office.clock.advance(20)
    (letter,) = office.post()
    assert letter.facts.evidence == ()


def test_what_was_seen_the_last_time_is_old(opened: Open) -> None:
    """It fires again: people are not shown yesterday's figures as new."""
    office = opened()
    number = office.escalate()
    office.report()
    look(office)
    office.report()
    office.post()
    office.clock.advance(6 * 3_600)
    office.post()  # the second level of the first time
    office.decide(number, "escalate")
    office.report()
    assert office.facts().evidence == ()
    assert office.post() == []
    look(office, SEEN.replace("97", "99"))
    office.report()
    (letter,) = office.post()
    assert letter.facts.evidence == (FULL.replace("97", "99"),)
