"""What leaves the house: in order, once, and only while people need it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import NotAccepted, OutgoingFailed, Refused
from app.models.approval import Answer
from app.models.message import Dispatch
from app.store.dispatches import Fenced
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.office import LEASE, Office
from tests.unit.engine.theatre import ASKS

Open = Callable[..., Office]
TWO_LEVELS = {
    "routes": [
        {
            "levels": [
                {"channels": ["ops"]},
                {"channels": ["mail"], "after_seconds": 600},
            ]
        }
    ]
}
# What is urgent dies of its last try, too.
ONCE = {"tries": 1, "urgent_hours": 0}
ALL = ["escalated", "asked", "acted", "fixed", "closed", "halted"]
OPS = {"routes": [{"kinds": ALL, "levels": [{"channels": ["ops"]}]}]}


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


def kinds(office: Office, channel: str = "ops") -> list[str]:
    """Return the kinds of the letters that a channel got, in order."""
    return [one.kind for one in office.boxes[channel].letters]


def the_way(office: Office, **where: object) -> Dispatch:
    """Return the only dispatch of a sort."""
    (found,) = office.ways(**where)
    return found


def test_a_letter_goes_to_each_channel_once(opened: Open) -> None:
    """And the log says of each that it went."""
    office = opened()
    number = office.escalate()
    office.report()
    letters = office.post()
    assert [one.kind for one in letters] == ["escalated", "escalated"]
    assert office.post() == []
    assert office.states() == ["sent", "sent"]
    assert {one.reference for one in office.ways()} == {"ref"}
    told = office.log("message.sent")
    assert [row.incident_id for row in told] == [number, number]
    assert {row.actor for row in told} == {"channel:ops", "channel:mail"}
    assert len({letter.key for letter in letters}) == 2


def test_the_messages_of_an_incident_go_in_their_order(opened: Open) -> None:
    """One at a time to a channel, also while one fails."""
    office = opened(report=OPS)
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.go()
    office.robot.end_all()
    office.health.value = 1.0
    office.play(60)
    office.report()
    office.boxes["ops"].error = OutgoingFailed("nobody answers")
    assert office.post() == []
    assert [one.tries for one in office.ways()] == [1, 0]
    office.boxes["ops"].error = None
    assert office.post() == []
    office.clock.advance(6)
    office.post()
    assert kinds(office) == ["acted", "fixed"]


def test_an_earlier_one_that_died_holds_up_nobody(opened: Open) -> None:
    """It is told in the log, and can be sent once more."""
    office = opened(report=OPS)
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.go()
    office.note("mission.closed", number, body={"end": "resolved"})
    office.report()
    office.boxes["ops"].error = NotAccepted("there is no such room")
    (parcel,) = office.take()
    assert office.fail(parcel, office.boxes["ops"].error) == 1
    office.boxes["ops"].error = None
    office.post()
    assert kinds(office) == ["closed"]
    (told,) = office.log("message.dead")
    assert "no such room" in told.summary
    assert told.incident_id == number


def test_the_last_try_is_the_last(opened: Open) -> None:
    """Between two tries there is a pause, and after them it is dead."""
    office = opened(
        channels=("ops",),
        report={"retries": {**ONCE, "tries": 3, "first_seconds": 5}},
    )
    office.escalate()
    office.report()
    office.boxes["ops"].error = OutgoingFailed("nobody answers")
    for pause in (5, 10):
        office.post()
        way = the_way(office, state="waiting")
        assert way.due_at == office.clock.now() + pause * 1_000_000
        assert (way.holder, way.lease_until) == ("", 0)
        office.post()
        office.clock.advance(pause)
    office.post()
    way = the_way(office, state="dead")
    assert (way.tries, way.due_at) == (3, None)
    assert "nobody answers" in way.reason
    assert len(office.log("message.dead")) == 1


def test_what_died_is_sent_once_more_when_a_person_asks(
    opened: Open,
) -> None:
    """From the beginning, and the log says who wanted it."""
    office = opened(channels=("ops",), report={"retries": ONCE})
    office.escalate()
    office.report()
    office.boxes["ops"].error = OutgoingFailed("away")
    office.post()
    number = the_way(office, state="dead").id
    office.boxes["ops"].error = None

    def retry(one: int = number) -> Dispatch:
        """Ask for it."""
        return office.turn(
            lambda c: office.correspondence.retry(c, one, "ana")
        )

    assert retry().state == "waiting"
    assert [row.actor for row in office.log("message.retried")] == [
        "person:ana"
    ]
    office.post()
    assert kinds(office) == ["escalated"]
    with pytest.raises(Refused) as refusal:
        retry()
    assert refusal.value.status == 409
    with pytest.raises(Refused) as refusal:
        retry(99)
    assert refusal.value.status == 404


def test_the_second_level_goes_when_nobody_acknowledged(opened: Open) -> None:
    """After its time, and not before."""
    office = opened(report=TWO_LEVELS)
    office.escalate()
    office.report()
    office.post()
    assert (kinds(office), kinds(office, "mail")) == (["escalated"], [])
    office.clock.advance(599)
    assert office.post() == []
    office.clock.advance(1)
    office.post()
    assert kinds(office, "mail") == ["escalated"]
    assert "nobody has acknowledged" in office.boxes["mail"].letters[0].text


def test_the_second_level_is_spared_when_somebody_did(opened: Open) -> None:
    """And the log says who."""
    office = opened(report=TWO_LEVELS)
    number = office.escalate()
    office.report()
    office.post()
    office.acknowledge(number)
    office.clock.advance(600)
    assert office.post() == []
    way = the_way(office, level=2)
    assert (way.state, way.due_at) == ("spared", None)
    assert "ana" in way.reason
    (told,) = office.log("message.spared")
    assert told.incident_id == number


def test_a_merged_incident_is_acknowledged_where_it_lives_on(
    opened: Open,
) -> None:
    """The word of a person is looked for at its heir."""
    office = opened(report=TWO_LEVELS)
    number = office.escalate()
    office.report()
    office.post()
    heir = office.fire("web-02")
    office.merge(number, heir)
    office.acknowledge(heir)
    office.clock.advance(600)
    office.post()
    assert the_way(office, level=2).state == "spared"


def test_the_second_level_is_spared_when_it_is_over(opened: Open) -> None:
    """Nothing of it goes on: nobody is called out of bed."""
    office = opened(report=TWO_LEVELS)
    office.escalate()
    office.report()
    office.post()
    office.end("web-01")
    office.clock.advance(600)
    office.post()
    assert the_way(office, level=2).state == "spared"


def test_a_look_at_it_spares_nobody(opened: Open) -> None:
    """Evidence is collected for people, not instead of them."""
    office = opened(report=TWO_LEVELS)
    number = office.escalate()
    office.report()
    office.post()
    office.clock.advance(595)
    office.collect(number, "")
    office.clock.advance(5)
    office.post()
    assert the_way(office, level=2, kind="escalated").state == "sent"


def test_a_question_that_was_answered_is_not_asked(opened: Open) -> None:
    """Whatever its level; the first letter had not even gone."""
    office = opened(report=TWO_LEVELS, policy=ASKS)
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.go()
    office.report()
    office.answer(Answer.GRANT)
    assert office.post() == []
    way = the_way(office, level=1)
    assert way.state == "spared"
    assert "granted" in way.reason
    assert office.log("message.spared") == []


def test_a_storm_goes_as_digests(opened: Open) -> None:
    """Two hundred hand-overs are no two hundred letters."""
    office = opened(channels=("ops",), report={"digest": {"most": 5}})
    for number in range(1, 201):
        office.note("incident.escalated", number, body={})
    office.report()
    sent = office.post()
    assert len(sent) == 4
    office.clock.advance(60)
    (digest,) = office.post()
    assert digest.kind == "digest"
    assert "196" in digest.title
    assert set(office.states()) == {"sent"}
    assert len(office.log("message.sent")) == 5


def test_a_digest_that_fails_stays_together(opened: Open) -> None:
    """All of it is tried again, as one."""
    office = opened(channels=("ops",), report={"digest": {"most": 2}})
    for number in range(1, 31):
        office.note("incident.escalated", number, body={})
    office.report()
    office.post()
    office.clock.advance(60)
    office.boxes["ops"].error = OutgoingFailed("away")
    assert office.post() == []
    gathered = office.ways(state="gathering")
    assert len(gathered) == 29
    assert {one.tries for one in gathered} == {1}
    assert len({one.due_at for one in gathered}) == 1
    office.boxes["ops"].error = None
    office.clock.advance(60)
    assert len(office.post()) == 1
    assert set(office.states()) == {"sent"}


def test_a_digest_that_is_refused_dies_message_by_message(
    opened: Open,
) -> None:
    """Each of them was not told, and each can be sent once more."""
    office = opened(channels=("ops",), report={"digest": {"most": 2}})
    for number in range(1, 6):
        office.note("incident.escalated", number, body={})
    office.report()
    office.post()
    office.clock.advance(60)
    office.boxes["ops"].error = NotAccepted("too long")
    office.post()
    assert office.states().count("dead") == 4
    assert len(office.log("message.dead")) == 4


def test_what_comes_due_at_once_is_held_back(opened: Open) -> None:
    """After a long pause all would go at once: they go as one."""
    office = opened(channels=("ops",), report={"digest": {"most": 3}})
    for minute in range(10):
        office.note("incident.escalated", minute + 1, body={})
        office.report()
        office.clock.advance(61)
    assert set(office.states()) == {"waiting"}
    assert len(office.post()) == 2
    assert office.states().count("gathering") == 8
    office.clock.advance(60)
    assert len(office.post()) == 1
    assert set(office.states()) == {"sent"}


def test_two_workers_never_have_the_same(opened: Open) -> None:
    """And whoever comes late writes nothing."""
    office = opened(channels=("ops",))
    office.escalate()
    office.report()
    (mine,) = office.take("one")
    assert office.take("two") == []
    office.clock.advance(LEASE / 1e6)
    (theirs,) = office.take("two")
    assert office.turn(lambda c: office.outgoing.sent(c, mine, "x")) == 0
    assert office.states() == ["waiting"]
    assert office.turn(lambda c: office.outgoing.sent(c, theirs, "y")) == 1
    assert the_way(office).reference == "y"
    assert len(office.log("message.sent")) == 1


def test_what_waits_for_a_channel_that_is_gone_is_dead(opened: Open) -> None:
    """Nobody would ever send it; a retry says so, too."""
    office = opened(channels=("ops", "mail"))
    office.escalate()
    office.report()
    office.clock.advance(901)
    assert office.turn(lambda c: office.outgoing.bury(c, ["ops"])) == 1
    way = the_way(office, state="dead")
    assert (way.channel, way.reason) == (
        "mail",
        "there is no channel 'mail' any more",
    )
    assert len(office.log("message.dead")) == 1
    del office.boxes["mail"]
    with pytest.raises(Refused) as refusal:
        office.turn(lambda c: office.correspondence.retry(c, way.id, "ana"))
    assert refusal.value.status == 409


def test_a_slow_retry_of_two_people_is_asked_for_once(opened: Open) -> None:
    """The second one is told that it is not dead any more."""
    office = opened(channels=("ops",), report={"retries": ONCE})
    office.escalate()
    office.report()
    office.boxes["ops"].error = OutgoingFailed("away")
    office.post()
    number = the_way(office).id
    office.turn(lambda c: office.correspondence.retry(c, number, "ana"))
    with pytest.raises((Refused, Fenced)):
        office.turn(lambda c: office.correspondence.retry(c, number, "bob"))
    assert len(office.log("message.retried")) == 1
