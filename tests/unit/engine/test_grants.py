"""A grant is for one call, for a while: looked at again right before it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.errors import Refused
from app.models.approval import Answer
from app.models.verdict import Reading, Subject
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import ASKS, Theatre

# Nothing but the question itself is over after ten minutes.
BRIEFLY = ASKS + "\nask: {for: 10m}\nevidence: {decided: 2h, granted: 2h}"
OTHER_CALL = "UPDATE approval SET arguments = replace(arguments, :one, :two)"


@pytest.fixture
def theatre(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which people are asked for ten minutes."""
    ledger = Ledger(location, 2.0)
    found = Theatre(inbox, ledger, tmp_path, BRIEFLY)
    yield found
    ledger.close()


def ask(theatre: Theatre) -> None:
    """Let people be asked."""
    theatre.decide(theatre.fire("web-01"), "mend")
    assert theatre.go().stage == "awaiting_approval"


def before_start(theatre: Theatre, change: Callable[[], None]) -> None:
    """Let something change when what was granted is planned."""
    measure = theatre.health.measure

    async def changing(subject: Subject) -> Reading:
        """Measure; meanwhile it changes."""
        assert theatre.job().state == "claimed"
        change()
        return await measure(subject)

    vars(theatre.health)["measure"] = changing


def change_question(theatre: Theatre) -> None:
    """Let the question be about another call, as an intruder does."""
    words = {"one": "web-01", "two": "web-02"}
    theatre.turn(lambda c: c.execute(text(OTHER_CALL), words))


def expect_unstarted(theatre: Theatre) -> None:
    """Fail when anything was sent, or is said to have started."""
    assert not theatre.robot.starts
    assert "job.started" not in theatre.kinds()
    assert theatre.mission().stage in ("awaiting_approval", "escalated")


def test_what_was_granted_in_time_starts(theatre: Theatre) -> None:
    """Else the other tests would say nothing."""
    ask(theatre)
    theatre.clock.advance(590)
    theatre.answer(Answer.GRANT)
    before_start(theatre, lambda: theatre.clock.advance(5))
    theatre.go()
    assert list(theatre.robot.starts.values()) == [1]


def test_a_grant_that_is_over_plans_nothing(theatre: Theatre) -> None:
    """It was given in time; until it was ruled on, it lapsed."""
    ask(theatre)
    theatre.clock.advance(590)
    theatre.answer(Answer.GRANT)
    theatre.clock.advance(20)
    theatre.go()
    expect_unstarted(theatre)


def test_a_grant_that_is_over_starts_nothing(theatre: Theatre) -> None:
    """It held when the job was planned, and not when it was to start."""
    ask(theatre)
    theatre.clock.advance(590)
    theatre.answer(Answer.GRANT)
    before_start(theatre, lambda: theatre.clock.advance(20))
    theatre.go()
    expect_unstarted(theatre)
    assert theatre.job().state == "aborted"


def test_who_grants_late_is_refused_at_once(theatre: Theatre) -> None:
    """Also while nobody has written down yet that it is over."""
    ask(theatre)
    theatre.clock.advance(601)
    assert theatre.asked().state == "asked"
    with pytest.raises(Refused, match="never granted late"):
        theatre.answer(Answer.GRANT)
    theatre.go()
    expect_unstarted(theatre)


def test_a_grant_is_for_no_other_call(theatre: Theatre) -> None:
    """What people were asked about is compared with what would run."""
    ask(theatre)
    change_question(theatre)
    theatre.answer(Answer.GRANT)
    theatre.go()
    expect_unstarted(theatre)


def test_a_grant_is_for_no_other_call_at_the_start(theatre: Theatre) -> None:
    """Also when that is so only since the job was planned."""
    ask(theatre)
    theatre.answer(Answer.GRANT)
    before_start(theatre, lambda: change_question(theatre))
    theatre.go()
    expect_unstarted(theatre)
