"""Who has not answered is not forgotten; who has is left alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.models.approval import Answer
from app.models.job import JobState
from app.models.message import Dispatch
from app.models.mission import Stage
from app.store.dispatches import add_dispatches
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from tests.unit.engine.office import ROUTE, Office
from tests.unit.engine.test_outgoing import TWO_LEVELS, kinds, the_way
from tests.unit.engine.theatre import ASKS

Open = Callable[..., Office]
SECOND = 1_000_000


@pytest.fixture
def opened(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Open]:
    """Return how an office is opened on each database."""
    ledgers: list[Ledger] = []

    def make(**more: Any) -> Office:
        """Open one."""
        ledgers.append(Ledger(location, 2.0))
        return Office(inbox, ledgers[-1], tmp_path, **more)

    yield make
    for ledger in ledgers:
        ledger.close()


def escalated(opened: Open) -> tuple[Office, int]:
    """Return an office whose first level was told, and the incident."""
    office = opened(report=TWO_LEVELS)
    number = office.escalate()
    office.report()
    office.post()
    return office, number


def acting(opened: Open) -> Office:
    """Return an office whose second level is due while something is done."""
    office, number = escalated(opened)
    office.clock.advance(590)
    office.collect(number, "")
    office.propose(number, "mend", "web-01")
    office.go()
    assert office.mission().stage == Stage.ACTING
    office.clock.advance(10)
    office.post()
    way = the_way(office, level=2, kind="escalated")
    assert (way.state, way.reason) == ("waiting", "it is acting by now")
    assert way.due_at == office.clock.now() + 30 * SECOND
    assert (way.holder, way.lease_until, way.tries) == ("", 0, 0)
    return office


def test_what_is_done_puts_the_second_level_off(opened: Open) -> None:
    """It failed, and nobody has acknowledged it: now they are called."""
    office = acting(opened)
    office.robot.end_all(JobState.FAILED)
    office.play(120)
    # What failed is decided on anew, and that is waited for, too.
    office.post()
    way = the_way(office, level=2, kind="escalated")
    assert (way.state, way.reason) == ("waiting", "it is deciding by now")
    office.decide(way.incident_id, "escalate")
    office.go()
    assert office.mission().stage == Stage.ESCALATED
    office.clock.advance(30)
    office.post()
    assert the_way(office, level=2, kind="escalated").state == "sent"
    assert "escalated" in kinds(office, "mail")


def test_what_helped_calls_it_off(opened: Open) -> None:
    """Measured: nobody is called out of bed, although it still fires."""
    office = acting(opened)
    office.health.value = 1.0
    office.robot.end_all()
    office.play(120)
    assert office.mission().stage == Stage.CLOSED
    office.post()
    way = the_way(office, level=2, kind="escalated")
    assert (way.state, way.reason) == ("spared", "it is fixed by now")
    assert len(office.log("message.spared")) == 1


def test_an_old_word_is_not_for_what_began_anew(opened: Open) -> None:
    """Somebody looked at it, it was over, and then it came back."""
    office, number = escalated(opened)
    office.acknowledge(number)
    office.clock.advance(30)
    office.end("web-01")
    office.clock.advance(60)
    assert office.fire("web-01") == number
    office.clock.advance(600)
    office.post()
    assert the_way(office, level=2).state == "sent"


def test_a_new_word_is_for_what_began_anew(opened: Open) -> None:
    """Whoever acknowledges it again is heard."""
    office, number = escalated(opened)
    office.clock.advance(30)
    office.end("web-01")
    office.clock.advance(60)
    office.fire("web-01")
    office.acknowledge(number)
    office.clock.advance(600)
    office.post()
    way = the_way(office, level=2)
    assert (way.state, way.reason) == ("spared", "ana has acknowledged it")


def test_a_question_that_was_answered_before_it_was_told(
    opened: Open,
) -> None:
    """The message knows its question, so that it is not sent."""
    office = opened(policy=ASKS, report={"routes": [ROUTE]})
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.go()
    office.answer(Answer.GRANT)
    office.report()
    asked = next(one for one in office.messages() if one.kind == "asked")
    assert '"approval":1' in asked.facts
    office.post()
    way = the_way(office, kind="asked")
    assert (way.state, way.reason) == ("spared", "question 1 is granted")


def test_a_storm_of_later_levels_is_looked_at_at_once(opened: Open) -> None:
    """However many are due, the store is asked a few questions."""
    office, number = escalated(opened)
    now, message = office.clock.now(), office.messages()[0].id
    many = [
        Dispatch(
            message_id=message,
            incident_id=number,
            kind="escalated",
            channel="mail",
            level=2,
            state="gathering",
            due_at=now,
            created_at=now,
        )
        for _ in range(500)
    ]
    office.turn(lambda c: add_dispatches(c, many))
    asked: list[object] = []

    def note(_: Connection, __: object, statement: object, *more: Any) -> None:
        """Note what the store is asked."""
        del more
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        parcels = office.take()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [len(one.items) for one in parcels] == [500]
    assert len(asked) < 40


def test_a_digest_leaves_out_what_is_put_off(opened: Open) -> None:
    """It goes with a later one; the log tells of those that are spared."""
    office = acting(opened)
    now, message = office.clock.now(), office.messages()[0]
    heard = office.fire("db-01")
    office.acknowledge(heard)
    ways = [
        Dispatch(
            message_id=message.id,
            incident_id=number,
            kind="escalated",
            channel="mail",
            level=2,
            state="gathering",
            due_at=now,
            created_at=now,
        )
        for number in (message.incident_id, heard, heard)
    ]
    numbers = office.turn(lambda c: add_dispatches(c, ways))
    assert office.take() == []
    later, *spared = (the_way(office, id=number) for number in numbers)
    assert later.state == "gathering"
    assert later.due_at is not None
    assert later.due_at >= now + 30 * SECOND
    assert later.due_at % (60 * SECOND) == 0
    assert [one.state for one in spared] == ["spared", "spared"]
    told = office.log("message.spared")
    assert [row.incident_id for row in told] == [heard, heard]
