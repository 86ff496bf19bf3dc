"""Dispatches are taken once, in their order, and moved by whoever has them."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app.models.message import Dispatch
from app.store import dispatches, outbox
from app.store.dispatches import (
    DISPATCHES,
    LENDING,
    Fenced,
    claim_due,
    claim_gathered,
    find_dispatch,
    save_dispatch,
)
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.reading import Reader, Wish
from tests.unit.store.dispatches import add_sending, make_dispatch
from tests.unit.store.missions import HOUR, NOW, SECOND

LEASE = 9 * SECOND
replace = msgspec.structs.replace


@pytest.fixture
def turn(location: Location) -> Iterator[Connection]:
    """Lend a turn on an empty database."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as connection:
        yield connection
    ledger.close()


def take(
    turn: Connection, at: int = NOW, holder: str = "a", channel: str = "ops"
) -> list[Dispatch]:
    """Take what is due at a moment."""
    return claim_due(turn, channel, holder, (at, at + LEASE), 10)


def ids(found: list[Dispatch]) -> list[int]:
    """Return the numbers of dispatches."""
    return [one.id for one in found]


def find(turn: Connection, number: int) -> Dispatch:
    """Return a dispatch that is there."""
    found = find_dispatch(turn, number)
    assert found is not None
    return found


def end(turn: Connection, dispatch: Dispatch, state: str = "sent") -> None:
    """Write down that a dispatch is over."""
    over = replace(
        dispatch, state=state, due_at=None, ended_at=NOW, lease_until=0
    )
    save_dispatch(turn, dispatch, over)


def test_what_is_written_is_read_back(turn: Connection) -> None:
    """Every field has its column."""
    way = make_dispatch(
        level=2, reason="why", tries=3, reference="r", ended_at=5
    )
    (number,) = add_sending(turn, 1, way)
    assert find(turn, number) == replace(way, id=number, message_id=1)
    assert find_dispatch(turn, 99) is None
    assert dispatches.find_of_message(turn, 1) == [find(turn, number)]


def test_what_is_taken_is_taken_once(turn: Connection) -> None:
    """Nobody else gets it until the lease has run out; the fence rises."""
    add_sending(turn, 1, make_dispatch())
    (taken,) = take(turn)
    assert (taken.holder, taken.fence) == ("a", 1)
    assert take(turn, holder="b") == []
    (again,) = take(turn, NOW + LEASE, "b")
    assert (again.holder, again.fence) == ("b", 2)
    with pytest.raises(Fenced):
        end(turn, taken)
    end(turn, again)
    assert find(turn, again.id).state == "sent"


def test_only_what_is_due_of_that_channel_is_taken(turn: Connection) -> None:
    """The longest due first; others, and what is gathered, are left."""
    add_sending(
        turn,
        1,
        make_dispatch(incident_id=1, due_at=NOW),
        make_dispatch(incident_id=2, due_at=NOW - 1),
        make_dispatch(incident_id=3, due_at=NOW + 1),
        make_dispatch(incident_id=4, channel="mail"),
        make_dispatch(incident_id=5, state="gathering"),
        make_dispatch(incident_id=6, state="dead", due_at=None),
    )
    assert dispatches.is_due(turn, "mail", NOW)
    assert not dispatches.is_due(turn, "chat", NOW)
    assert dispatches.next_due(turn, ["ops", "mail"], NOW) == NOW + 1
    assert ids(take(turn)) == [2, 1]
    gathered = claim_gathered(turn, "ops", "a", (NOW, NOW + LEASE), 10)
    assert ids(gathered) == [5]
    assert not dispatches.is_due(turn, "ops", NOW)


def test_of_one_incident_a_later_message_waits(turn: Connection) -> None:
    """Until the earlier one is over, also while somebody sends it."""
    first, second = add_sending(turn, 1, make_dispatch(), make_dispatch())
    other = add_sending(turn, 2, make_dispatch(channel="mail"))
    (taken,) = take(turn)
    assert taken.id == first
    assert take(turn) == []
    assert ids(take(turn, channel="mail")) == other
    end(turn, taken)
    assert ids(take(turn)) == [second]


def test_what_is_tried_again_soon_is_waited_for(turn: Connection) -> None:
    """What is tried again late, or was not tried yet, lets others pass."""
    soon = NOW + dispatches.PATIENCE
    first, second = add_sending(
        turn, 1, make_dispatch(due_at=soon, tries=1), make_dispatch()
    )
    assert take(turn) == []
    assert dispatches.next_due(turn, ["ops"], NOW) == soon
    before = find(turn, first)
    save_dispatch(turn, before, replace(before, due_at=soon + 1))
    assert ids(take(turn)) == [second]
    end(turn, find(turn, second))
    (third,) = add_sending(turn, 2, make_dispatch())
    before = find(turn, first)
    save_dispatch(turn, before, replace(before, due_at=NOW + 1, tries=0))
    assert ids(take(turn)) == [third]


@pytest.mark.parametrize("state", ["sent", "dead", "spared"])
def test_what_is_over_holds_up_nobody(turn: Connection, state: str) -> None:
    """However it ended."""
    _, second = add_sending(turn, 1, make_dispatch(), make_dispatch())
    (taken,) = take(turn)
    end(turn, taken, state)
    assert ids(take(turn)) == [second]


def test_a_lease_is_renewed_and_given_back(turn: Connection) -> None:
    """By whoever has it, and by nobody else."""
    (number,) = add_sending(turn, 1, make_dispatch())
    take(turn)
    assert LENDING.renew(turn, "b", [number], NOW + 2 * LEASE) == set()
    assert LENDING.renew(turn, "a", [number], NOW + 2 * LEASE) == {number}
    assert take(turn, NOW + LEASE, "b") == []
    LENDING.free(turn, "b", [number])
    assert take(turn, NOW, "b") == []
    LENDING.free(turn, "a", [number])
    assert ids(take(turn, NOW, "b")) == [number]


def test_what_waits_for_no_channel_is_found(turn: Connection) -> None:
    """So that it can be given up, and not wait for ever."""
    _, left, _ = add_sending(
        turn,
        1,
        make_dispatch(),
        make_dispatch(channel="gone", due_at=NOW - HOUR),
        make_dispatch(channel="gone", state="sent", due_at=None),
    )
    found = dispatches.find_left(turn, ["ops", "mail"], NOW, NOW - HOUR, 10)
    assert ids(found) == [left]
    assert dispatches.find_left(turn, ["ops"], NOW, NOW - HOUR - 1, 10) == []
    assert len(dispatches.find_left(turn, [], NOW, NOW, 10)) == 2
    assert outbox.find_strangers(turn, ["ops"], NOW) == ("gone",)
    assert outbox.find_strangers(turn, ["gone", "ops"], NOW) == ()


def test_a_lease_of_another_time_holds_up_nobody(turn: Connection) -> None:
    """It ends later than any that could have been taken now."""
    most = dispatches.MOST_LEASE
    held, free = add_sending(
        turn,
        1,
        make_dispatch(lease_until=NOW + most, holder="a"),
        make_dispatch(lease_until=NOW + most + 1, holder="a", incident_id=2),
    )
    assert ids(take(turn, NOW, "b")) == [free]
    # Of both that lease is over by then.
    assert ids(take(turn, NOW + most, "b")) == [held, free]


def test_a_digest_that_failed_goes_as_the_same_one(turn: Connection) -> None:
    """What came since has one of its own."""
    again: dict[str, Any] = {"state": "gathering", "tries": 1}
    add_sending(
        turn,
        1,
        make_dispatch(**again, reason="in a digest from 1: no"),
        make_dispatch(**again, reason="in a digest from 1: nobody"),
        make_dispatch(state="gathering", due_at=NOW + 1),
        # It was tried alone, and was too much since.
        make_dispatch(state="gathering", due_at=NOW + 1, tries=3),
        make_dispatch(
            **again, reason="in a digest from 5: no", due_at=NOW + 2
        ),
    )
    moments = NOW + 2, NOW + 2 + LEASE
    found = [
        ids(claim_gathered(turn, "ops", "a", moments, 10)) for _ in range(4)
    ]
    assert found == [[1, 2], [3, 4], [5], []]


def test_what_waits_longer_than_it_can_is_found(turn: Connection) -> None:
    """It was written later than now, or is tried later than ever."""
    numbers = add_sending(
        turn,
        1,
        make_dispatch(due_at=NOW + 9, created_at=NOW + 2),
        make_dispatch(due_at=NOW + 9, created_at=NOW + 1),
        make_dispatch(due_at=NOW + 6, tries=1),
        make_dispatch(due_at=NOW + 5, tries=1),
        make_dispatch(
            due_at=NOW + 9, created_at=NOW + 2, reason="quiet hours"
        ),
        make_dispatch(due_at=NOW, created_at=NOW + 2),
        make_dispatch(due_at=None, created_at=NOW + 2, state="sent"),
        make_dispatch(due_at=NOW + 9, created_at=NOW + 2, lease_until=NOW + 1),
    )
    found = outbox.find_ahead(turn, (NOW, NOW + 1, NOW + 5), 10)
    assert sorted(ids(found)) == [numbers[0], numbers[2]]


def test_the_last_repetition_of_what_died_is_found(turn: Connection) -> None:
    """Of the same incident, kind, channel and level, and written since."""
    over: dict[str, Any] = {"state": "repeated", "due_at": None}
    numbers = add_sending(
        turn,
        1,
        make_dispatch(**over),
        make_dispatch(state="dead", due_at=None),
        make_dispatch(**over),
        make_dispatch(**over),
        make_dispatch(**over, level=2),
        make_dispatch(**over, channel="mail"),
        make_dispatch(**over, kind="acted"),
        make_dispatch(**over, incident_id=2),
    )
    dead = dispatches.find_dispatch(turn, numbers[1])
    assert dead is not None
    found = outbox.find_repetition(turn, dead)
    assert found is not None
    assert found.id == numbers[3]
    last = dispatches.find_dispatch(turn, numbers[3])
    assert last is not None
    assert outbox.find_repetition(turn, last) is None


def test_counts_tell_what_waits_and_what_died(turn: Connection) -> None:
    """What went well is not counted: there is too much of it."""
    add_sending(
        turn,
        1,
        make_dispatch(due_at=NOW - 7),
        make_dispatch(due_at=NOW + 9),
        make_dispatch(state="gathering"),
        make_dispatch(state="dead", due_at=None, channel="mail"),
        make_dispatch(state="sent", due_at=None),
    )
    counts = dispatches.count_states(turn)
    assert counts == {"waiting": 2, "gathering": 1, "dead": 1}
    assert dispatches.find_oldest_due(turn, NOW) == NOW - 7
    assert dispatches.find_oldest_due(turn, NOW - 8) is None
    assert outbox.count_by_channel(turn, ["ops", "mail"]) == {
        ("ops", "waiting"): 2,
        ("ops", "gathering"): 1,
        ("mail", "dead"): 1,
    }


def test_what_was_told_of_an_incident_is_known(turn: Connection) -> None:
    """By kind, channel and level; what did not reach anybody is not."""
    add_sending(
        turn,
        1,
        make_dispatch(created_at=NOW),
        make_dispatch(created_at=NOW + 5, state="sent"),
        make_dispatch(created_at=NOW + 6, level=2),
        make_dispatch(created_at=NOW + 7, state="dead"),
        make_dispatch(created_at=NOW + 8, state="repeated"),
        make_dispatch(created_at=NOW - 9, kind="acted"),
        make_dispatch(created_at=NOW + 9, incident_id=2),
    )
    assert outbox.find_told(turn, 1, NOW) == {
        ("escalated", "ops", 1): NOW + 5,
        ("escalated", "ops", 2): NOW + 6,
    }
    assert outbox.find_told(turn, 0, NOW) == {}


def test_a_digest_counts_as_one_letter(turn: Connection) -> None:
    """When it is gathered, and when it was sent; others count one by one."""
    digest: dict[str, Any] = {
        "state": "sent",
        "due_at": None,
        "reason": "in a digest of 2",
    }
    alone: dict[str, Any] = {"state": "sent", "due_at": None}
    add_sending(
        turn,
        1,
        make_dispatch(due_at=NOW + 1),
        make_dispatch(due_at=NOW + 1),
        make_dispatch(due_at=NOW + 2, state="gathering"),
        make_dispatch(due_at=NOW + 2, state="gathering"),
        make_dispatch(ended_at=NOW + 3, **digest),
        make_dispatch(ended_at=NOW + 3, **digest),
        make_dispatch(ended_at=NOW + 4, **alone),
        make_dispatch(ended_at=NOW + 4, **alone),
        make_dispatch(ended_at=NOW - 1, **alone),
        make_dispatch(state="dead", due_at=None, ended_at=NOW + 5),
    )
    found = outbox.find_letters(turn, ["ops", "mail"], NOW)
    assert sorted(found["ops"]) == [
        NOW + 1,
        NOW + 1,
        NOW + 2,
        NOW + 3,
        NOW + 4,
        NOW + 4,
    ]
    assert found["mail"] == []
    assert sorted(outbox.find_gone(turn, "ops", NOW)) == [
        NOW + 3,
        NOW + 4,
        NOW + 4,
    ]


def test_lists_are_paged_by_their_filters(
    location: Location, reader: Reader
) -> None:
    """By incident, state, message and time."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        add_sending(turn, 1, make_dispatch(), make_dispatch(channel="mail"))
        add_sending(
            turn,
            2,
            make_dispatch(state="dead", due_at=None, created_at=NOW + HOUR),
        )
    ledger.close()

    def page(**where: object) -> list[int]:
        """Return the numbers of a page."""
        rows = reader.page(DISPATCHES, Wish(where, count="exact")).rows
        return [row.id for row in rows]

    assert page() == [3, 2, 1]
    assert page(state=("dead",)) == [3]
    assert page(message_id=(1,)) == [2, 1]
    assert page(channel=("mail",), state=("waiting",)) == [2]
    assert page(incident_id=(1,), since=NOW + 1) == [3]
