"""What leaves the house when channels, clocks and nodes are not as usual."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import NotAccepted, OutgoingFailed
from app.engine.posting import compose_parcel
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.office import Office
from tests.unit.engine.test_outgoing import TWO_LEVELS, kinds, the_way

Open = Callable[..., Office]
SECOND = 1_000_000
AWAY = OutgoingFailed("away")


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


def test_a_node_with_other_settings_buries_nothing_at_once(
    opened: Open,
) -> None:
    """The node that has the channel is given time for it."""
    office = opened(report=TWO_LEVELS)
    office.escalate()
    office.report()

    def bury() -> int:
        """Give up what waits for neither channel of this office."""
        return office.turn(lambda c: office.outgoing.bury(c, ["chat"]))

    assert bury() == 0
    office.clock.advance(900)
    # The second level was due for five minutes only.
    assert bury() == 1
    assert [one.state for one in office.ways()] == ["dead", "waiting"]


def test_a_clock_that_is_set_back_delays_nothing(opened: Open) -> None:
    """What was due soon is due now; later levels keep their time."""
    office = opened(report=TWO_LEVELS)
    office.escalate()
    office.report()
    assert not office.turn(office.outgoing.is_ahead)
    office.clock.advance(-3_600)
    now = office.clock.now()
    assert office.turn(office.outgoing.is_ahead)
    assert office.turn(office.outgoing.hasten) == 2
    assert [one.due_at for one in office.ways()] == [now, now + 600 * SECOND]
    assert {one.created_at for one in office.ways()} == {now}
    assert not office.turn(office.outgoing.is_ahead)
    assert len(office.post()) == 1
    office.clock.advance(600)
    assert len(office.post()) == 1


def test_two_clocks_that_differ_a_little_move_nothing(opened: Open) -> None:
    """Two nodes never agree to the second."""
    office = opened(report=TWO_LEVELS)
    office.escalate()
    office.report()
    office.clock.advance(-30)
    assert office.turn(office.outgoing.hasten) == 0


def test_a_new_try_waits_no_longer_than_it_can(opened: Open) -> None:
    """It was written long ago, and failed before the clock was set back."""
    office = opened(channels=("ops",), report={"retries": {"tries": 99}})
    office.boxes["ops"].error = AWAY
    office.escalate()
    office.report()
    office.clock.advance(6 * 3_600)
    office.post()
    office.clock.advance(-5 * 3_600)
    assert office.turn(office.outgoing.hasten) == 1
    assert the_way(office).due_at == office.clock.now()


def test_quiet_hours_are_not_cut_short(opened: Open) -> None:
    """They end at a time of the day, whatever the clock has been."""
    quiet = {"night": {"times": ["00:00-23:59"]}}
    route = {
        "kinds": ["acted"],
        "quiet": "night",
        "levels": [{"channels": ["ops"]}],
    }
    office = opened(report={"quiet": quiet, "routes": [route]})
    number = office.fire("web-01")
    office.note("job.started", number)
    office.report()
    assert the_way(office).reason == "quiet hours"
    office.clock.advance(-3_600)
    assert office.turn(office.outgoing.hasten) == 0


def test_what_was_told_in_another_time_is_told_again(opened: Open) -> None:
    """A clock that was set back makes no repetition of what is new."""
    office = opened(channels=("ops",))
    number = office.escalate()
    office.report()
    office.post()
    office.clock.advance(-3_600)
    office.decide(number, "escalate")
    office.go()
    office.report()
    office.post()
    assert kinds(office) == ["escalated", "escalated"]


def test_a_lease_of_another_time_ends(opened: Open) -> None:
    """Whoever had it is not waited for an hour."""
    office = opened(channels=("ops",))
    office.escalate()
    office.report()
    assert len(office.take("one")) == 1
    office.clock.advance(-3_600)
    assert len(office.take("two")) == 0
    assert office.turn(office.outgoing.hasten) == 1
    assert len(office.take("two")) == 1
    assert office.take("three") == []


def test_a_repetition_is_sent_when_the_first_one_died(opened: Open) -> None:
    """People hear of it once; the other end may take the second letter."""
    office = opened(channels=("ops",))
    number = office.escalate()
    office.report()
    (parcel,) = office.take()
    for _ in range(2):
        office.clock.advance(1)
        office.decide(number, "escalate")
        office.go()
    office.report()
    assert office.states() == ["waiting", "repeated", "repeated"]
    assert office.fail(parcel, NotAccepted("too long")) == 1
    assert office.states() == ["dead", "repeated", "waiting"]
    assert len(office.post()) == 1
    assert office.states() == ["dead", "repeated", "sent"]


def test_a_repetition_that_dies_is_the_end(opened: Open) -> None:
    """It does not come back for ever."""
    office = opened(channels=("ops",))
    number = office.escalate()
    office.report()
    office.clock.advance(1)
    office.decide(number, "escalate")
    office.go()
    office.report()
    office.boxes["ops"].error = NotAccepted("no such room")
    office.post()
    assert office.states() == ["dead", "dead"]
    assert len(office.log("message.dead")) == 2


def test_a_digest_that_failed_is_the_same_letter(opened: Open) -> None:
    """Its key tells the other end so; what came since goes by itself."""
    office = opened(channels=("ops",), report={"digest": {"most": 2}})
    for number in range(1, 11):
        office.note("incident.escalated", number, body={})
    office.report()
    office.post()
    office.clock.advance(61)
    (first,) = office.take()
    office.fail(first, AWAY)
    for number in range(20, 30):
        office.note("incident.escalated", number, body={})
    office.report()
    office.clock.advance(120)
    again, rest = sorted(
        (*office.take(), *office.take()), key=lambda one: len(one.items)
    )
    assert (len(again.items), len(rest.items)) == (9, 10)
    keys = {compose_parcel(office.composer, one).key for one in (first, again)}
    assert len(keys) == 1
    name = f"in a digest from {again.items[0][0].id}"
    assert {one.reason for one, _ in again.items} == {f"{name}: away"}
    # It keeps its name when the first of it is spared.
    office.fail(again, OutgoingFailed("still away"))
    office.fail(rest, AWAY)
    gathered = {one.reason for one in office.ways(state="gathering")}
    other = f"in a digest from {rest.items[0][0].id}"
    assert gathered == {f"{name}: still away", f"{other}: away"}
