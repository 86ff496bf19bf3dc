"""Missions are claimed, moved once and never by two, on both databases."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text

from app.models.case import Case
from app.models.choice import Decision
from app.models.mission import Mission, Stage
from app.store import missions as store
from app.store.decisions import add_decision, find_decision
from app.store.ledger import Connection, Ledger
from app.store.lending import Loan
from app.store.location import Location
from app.store.missions import LENDING, MISSIONS, Fenced
from app.store.reading import Reader, Wish
from tests.records import make_record
from tests.unit.store.missions import (
    HOUR,
    NOW,
    SECOND,
    add_incident,
    make_mission,
)

LEASE = NOW + 15 * SECOND


def add(connection: Connection, incident: int = 1, **more: object) -> Mission:
    """Keep a mission; return it as it is in the store."""
    mission = make_mission(incident, **more)
    number = store.add_mission(connection, mission)
    return replace(mission, id=number)


def find(connection: Connection, number: int) -> Mission:
    """Return a mission that is there."""
    found = store.find_mission(connection, number)
    assert found is not None
    return found


def claim(
    connection: Connection, holder: str = "a", now: int = NOW, limit: int = 10
) -> list[Mission]:
    """Let a worker take what is due."""
    loan = Loan(holder, now, now + 15 * SECOND)
    return store.claim_due(connection, loan, limit=limit)


def test_a_mission_comes_back_as_it_was(connection: Connection) -> None:
    """Every field, also those that are empty or None."""
    one = add(connection, 1, reason="a – b", undoes=3, approval_id=4)
    other = add(connection, 2, due_at=None, stage="closed", end="fixed")
    assert find(connection, one.id) == one
    assert find(connection, other.id) == other
    assert store.find_mission(connection, 99) is None


def test_an_incident_has_one_mission_at_a_time(
    connection: Connection,
) -> None:
    """A second is refused, and the turn can go on; after its end it is not."""
    first = add(connection)
    with pytest.raises(Fenced):
        add(connection)
    over = replace(first, version=2, stage="closed", end="fixed", due_at=None)
    store.save_mission(connection, first, over)
    second = add(connection)
    assert store.find_live(connection, [1, 2]) == {1: second}
    assert store.find_newest(connection, [1, 2]) == {1: second}
    assert find(connection, first.id) == over


def test_no_incidents_have_no_missions(connection: Connection) -> None:
    """An empty question asks nothing."""
    assert store.find_live(connection, []) == {}
    assert store.find_newest(connection, []) == {}


def test_the_newest_mission_may_be_over(connection: Connection) -> None:
    """It is not live, and is found as the newest."""
    over = add(connection, stage="escalated", end="escalated", due_at=None)
    assert store.find_live(connection, [1]) == {}
    assert store.find_newest(connection, [1]) == {1: over}


@pytest.mark.parametrize(
    "late",
    [
        {"version": 2},
        {"fence": 1},
        {"holder": "b"},
        {"id": 99},
    ],
)
def test_whoever_comes_late_writes_nothing(
    connection: Connection, late: dict[str, object]
) -> None:
    """Another version, fence or holder than is stored is too late."""
    mission = add(connection)
    moved = replace(mission, version=2, stage="acting")
    with pytest.raises(Fenced):
        store.save_mission(connection, replace(mission, **late), moved)
    assert find(connection, mission.id) == mission


def test_of_two_moves_one_is_written(connection: Connection) -> None:
    """The second one knows an old version."""
    mission = add(connection)
    first = replace(mission, version=2, stage="acting")
    second = replace(mission, version=2, stage="closed")
    store.save_mission(connection, mission, first)
    with pytest.raises(Fenced):
        store.save_mission(connection, mission, second)
    assert find(connection, mission.id) == first


def test_the_oldest_due_is_taken_first(connection: Connection) -> None:
    """In the order of their moments; what is due later is not taken."""
    late = add(connection, 1, due_at=NOW)
    early = add(connection, 2, due_at=NOW - SECOND)
    add(connection, 3, due_at=NOW + 1)
    add(connection, 4, due_at=None)
    taken = claim(connection)
    assert [one.id for one in taken] == [early.id, late.id]
    assert {one.holder for one in taken} == {"a"}
    assert {one.fence for one in taken} == {1}
    assert {one.lease_until for one in taken} == {LEASE}
    assert taken == [find(connection, one.id) for one in taken]


def test_what_is_taken_is_not_taken_again(connection: Connection) -> None:
    """Until its lease is over: then its fence has risen."""
    mission = add(connection)
    (mine,) = claim(connection, "a")
    assert claim(connection, "b") == []
    (theirs,) = claim(connection, "b", LEASE)
    assert (theirs.id, theirs.holder, theirs.fence) == (mission.id, "b", 2)
    with pytest.raises(Fenced):
        store.save_mission(connection, mine, replace(mine, version=2))
    moved = replace(theirs, version=2)
    store.save_mission(connection, theirs, moved)
    assert find(connection, mission.id) == moved


def test_one_target_keeps_no_other_waiting(connection: Connection) -> None:
    """Of a hundred on one target one is taken, and those behind as well."""
    for number in range(1, 41):
        add(connection, number, target="host:db", due_at=NOW - HOUR + number)
    others = [add(connection, number) for number in range(41, 44)]
    taken = claim(connection, limit=4)
    assert [one.id for one in taken] == [1, *(one.id for one in others)]
    assert [one.id for one in claim(connection, "b", limit=4)] == [2]


def test_no_more_are_taken_than_wanted(connection: Connection) -> None:
    """A worker with room for two takes two."""
    for number in range(1, 6):
        add(connection, number)
    assert len(claim(connection, limit=2)) == 2
    assert len(claim(connection, limit=10)) == 3


def test_a_lease_is_renewed_by_its_holder_only(
    connection: Connection,
) -> None:
    """The answer says what is still one's own."""
    add(connection)
    (mine,) = claim(connection)
    longer = LEASE + SECOND
    assert LENDING.renew(connection, "b", [mine.id], longer) == set()
    assert LENDING.renew(connection, "a", [mine.id, 99], longer) == {mine.id}
    assert LENDING.renew(connection, "a", [], longer) == set()
    assert find(connection, mine.id) == replace(mine, lease_until=longer)


def test_a_move_does_not_shorten_a_renewed_lease(
    connection: Connection,
) -> None:
    """Unless the mission is given back with it."""
    add(connection)
    (mine,) = claim(connection)
    LENDING.renew(connection, "a", [mine.id], LEASE + SECOND)
    moved = replace(mine, version=2, stage="acting")
    store.save_mission(connection, mine, moved)
    found = find(connection, mine.id)
    assert found == replace(moved, lease_until=LEASE + SECOND)
    given = replace(found, version=3, holder="", lease_until=0)
    store.save_mission(connection, found, given)
    assert find(connection, mine.id) == given


def test_what_is_given_back_can_be_taken_at_once(
    connection: Connection,
) -> None:
    """By anybody, with a higher fence; nobody else can give it back."""
    add(connection)
    (mine,) = claim(connection)
    LENDING.free(connection, "b", [mine.id])
    LENDING.free(connection, "a", [])
    assert find(connection, mine.id) == mine
    LENDING.free(connection, "a", [mine.id])
    assert find(connection, mine.id) == replace(mine, holder="", lease_until=0)
    (again,) = claim(connection, "b")
    assert (again.id, again.fence) == (mine.id, 2)


def test_waking_makes_due_and_moves_nothing(connection: Connection) -> None:
    """What is due earlier, or over, stays as it is."""
    late = add(connection, 1, due_at=NOW + HOUR)
    never = add(connection, 2, due_at=None)
    early = add(connection, 3, due_at=NOW - 1)
    over = add(connection, 4, due_at=None, stage="closed")
    store.wake(connection, [1, 2, 3, 4], NOW)
    store.wake(connection, [], NOW)
    assert find(connection, 1) == replace(late, due_at=NOW)
    assert find(connection, 2) == replace(never, due_at=NOW)
    assert find(connection, 3) == early
    assert find(connection, 4) == over


def test_the_next_moment_is_when_one_can_be_taken(
    connection: Connection,
) -> None:
    """A lease that goes on counts; one that is over does not."""
    assert store.next_due(connection, NOW) is None
    add(connection, 9, due_at=None)
    assert store.next_due(connection, NOW) is None
    add(connection, 1, due_at=NOW + 60 * SECOND)
    assert store.next_due(connection, NOW) == NOW + 60 * SECOND
    add(connection, 2, due_at=NOW - 1)
    assert store.next_due(connection, NOW) == NOW - 1
    claim(connection)
    assert store.next_due(connection, NOW) == LEASE
    assert store.next_due(connection, LEASE) == NOW - 1


moments = st.none() | st.integers(NOW - 3, NOW + 3)


@settings(
    max_examples=40,
)
@given(st.lists(st.tuples(moments, st.just(0) | moments), max_size=6))
def test_what_is_foretold_is_what_is_taken(
    connection: Connection, rows: list[tuple[int | None, int | None]]
) -> None:
    """Nothing can be taken before the next moment, and then something can."""
    connection.execute(text("DELETE FROM mission"))
    for number, (due, lease) in enumerate(rows, 1):
        add(connection, number, due_at=due, lease_until=lease or 0)
    foretold = store.next_due(connection, NOW)
    if foretold is None:
        assert claim(connection, now=NOW + HOUR) == []
        return
    if foretold > NOW:
        assert claim(connection, now=foretold - 1) == []
    assert claim(connection, now=max(foretold, NOW)) != []


def test_missions_of_incidents_that_are_not_open_are_found(
    connection: Connection,
) -> None:
    """Only those of which nothing runs, with the state, beyond a number."""
    for number, state in enumerate(
        ("open", "resolved", "suppressed", "merged", "resolved"), 1
    ):
        add_incident(connection, number, state=state)
        add(connection, number, stage=Stage.ASKING.value)
    for number, stage in ((6, Stage.ACTING), (7, Stage.VERIFYING)):
        add_incident(connection, number, state="resolved")
        add(connection, number, stage=stage.value)
    over = find(connection, 5)
    store.save_mission(connection, over, replace(over, stage="closed"))
    found = [(2, "resolved"), (3, "suppressed"), (4, "merged")]
    assert store.find_disturbed(connection, None, 0, 10) == found
    assert store.find_disturbed(connection, None, 2, 1) == found[1:2]
    assert store.find_disturbed(connection, [1, 4], 0, 10) == found[2:]
    assert store.find_disturbed(connection, [], 0, 10) == []


def test_an_open_incident_that_nobody_cares_for_is_found(
    connection: Connection,
) -> None:
    """Neither decided on, nor with a mission, nor new, nor over.

    A decision that had no effect is none.
    """
    add_incident(connection, 1, changed_at=NOW - 2)
    add_incident(connection, 2, changed_at=NOW - 2, state="resolved")
    add_incident(connection, 3, changed_at=NOW)
    for number in (4, 5, 6, 7):
        add_incident(connection, number, changed_at=NOW - 2)
    add(connection, 4, stage="closed", due_at=None)
    add(connection, 5)
    decide(connection, 6)
    decide(connection, 7, is_shadow=True)
    add_incident(connection, 8, changed_at=NOW - 2)
    decide(connection, 8, note="the incident is suppressed meanwhile")
    assert store.find_left_alone(connection, NOW, 10) == [1, 7, 8]
    assert store.find_left_alone(connection, NOW, 1) == [1]
    assert store.find_left_alone(connection, NOW + 1, 10) == [1, 3, 7, 8]


def decide(
    connection: Connection,
    incident: int,
    *,
    is_shadow: bool = False,
    note: str = "",
) -> int:
    """Keep a decision on an incident; return its number."""
    case = Case(incident=incident, source="zabbix", name="cpu")
    record = make_record(
        incident,
        case,
        Decision(action="no_action"),
        at=NOW,
        agrees=True if is_shadow else None,
    )
    return add_decision(connection, replace(record, note=note))


def test_a_decision_is_found_with_all_that_it_rests_on(
    connection: Connection,
) -> None:
    """The case and the record as well; one that is not there is None."""
    number = decide(connection, 1)
    found = find_decision(connection, number)
    assert found.action == "no_action"
    assert '"name":"cpu"' in found.casefile
    assert "options" in found.record
    assert find_decision(connection, number + 1) is None


def test_stages_are_counted_of_what_goes_on(connection: Connection) -> None:
    """What is over is no part of it."""
    add(connection, 1)
    add(connection, 2)
    add(connection, 3, stage="acting")
    add(connection, 4, stage="closed")
    add(connection, 5, stage="escalated")
    assert store.count_stages(connection) == {"ruling": 2, "acting": 1}


def test_missions_are_read_page_by_page(
    location: Location, reader: Reader
) -> None:
    """By incident, stage, end and time, the newest first."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        add(turn, 1, stage="closed", end="fixed")
        add(turn, 1)
        add(turn, 2, opened_at=NOW + HOUR)
    ledger.close()

    def ask(**where: object) -> list[int]:
        """Return the missions that a page shows."""
        return [row.id for row in reader.page(MISSIONS, Wish(where)).rows]

    assert ask() == [3, 2, 1]
    assert ask(incident_id=1) == [2, 1]
    assert ask(stage=["ruling", "acting"]) == [3, 2]
    assert ask(end="fixed") == [1]
    assert ask(incident_id=1, stage="ruling") == [2]
    assert ask(since=NOW + 1) == [3]
    assert ask(until=NOW + 1) == [2, 1]
