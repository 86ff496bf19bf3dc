"""What people say is kept, once, whatever else happens."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import msgspec
import pytest

from app.core.errors import Refused
from app.models.alert import Severity
from app.models.tables import EntryRow, EpisodeRow, IncidentRow, WordRow
from app.models.word import Kind
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.fold.room import Room

SAYINGS: dict[str, dict[str, str]] = {
    "ack": {"action": "acknowledged and commented", "message": "I look"},
    "unack": {"action": "unacknowledged"},
    "note": {"action": "commented", "message": "still there"},
}
COLUMNS = ("owner", "acknowledged_by", "acknowledged_at")


@pytest.fixture
def room(location: Location, inbox: SqlInbox) -> Iterator[Room]:
    """Return a room with a database of each kind."""
    ledger = Ledger(location, 2.0)
    yield Room(inbox, ledger)
    ledger.close()


def people_of(room: Room, number: int) -> dict[str, Any]:
    """Return what people decided about an incident."""
    found = msgspec.structs.asdict(room.incident(number))
    return {name: found[name] for name in COLUMNS}


def say_everything(room: Room, number: int) -> None:
    """Say one word of each kind that changes no episode."""
    room.say(Kind.NOTE, number, text="The disk is on its way.")
    room.say(Kind.ACKNOWLEDGE, number, "ben", text="I look at it.")
    room.say(Kind.OWNER, number, "ben", owner="cleo")
    room.say(Kind.CORRECTION, number, text="the switch", about="target")


def refusal(room: Room, kind: Kind, number: int, **more: Any) -> Refused:
    """Return why a call is refused; nothing of it may be stored."""
    tables = (WordRow, EpisodeRow, IncidentRow, EntryRow)
    before = [room.rows(table) for table in tables]
    with pytest.raises(Refused) as caught:
        room.say(kind, number, **more)
    assert [room.rows(table) for table in tables] == before
    return caught.value


def test_each_word_is_kept_and_logged(room: Room) -> None:
    """A word, a line of the log, a column, and a new version: together."""
    number = room.fire("web-01")
    start = room.incident(number).version
    say_everything(room, number)
    words = room.words(number)
    assert [word.kind for word in words] == [
        "note",
        "acknowledge",
        "owner",
        "correction",
    ]
    assert [word.version for word in words] == [
        start + n for n in (1, 2, 3, 4)
    ]
    assert room.incident(number).version == start + 4
    assert people_of(room, number) == {
        "owner": "cleo",
        "acknowledged_by": "ben",
        "acknowledged_at": room.clock.now(),
    }
    assert words[3].details == {"about": "target"}
    (entry,) = room.log("incident.acknowledged")
    assert entry.actor == "person:ben"
    assert entry.incident_id == number
    assert msgspec.json.decode(entry.body)["word"] == words[1].id
    for kind in ("noted", "owner_changed", "corrected"):
        assert len(room.log(f"incident.{kind}")) == 1


def test_no_event_takes_a_word_away(room: Room) -> None:
    """Not a storm, not an end, not another beginning."""
    number = room.fire("web-01")
    say_everything(room, number)
    said, words = people_of(room, number), room.words(number)
    for wave in range(3):
        for name in ("Load", "Swap", "Ping"):
            room.clock.advance(20)
            assert room.fire("web-01", name) == number
            room.fire(f"web-1{wave}", name)
        room.end("web-01")
        room.clock.advance(30)
        assert room.fire("web-01") == number
    room.fire("web-01", "Late", begins=-300, severity=Severity.CRITICAL)
    for name in ("DiskFull", "Load", "Swap", "Ping", "Late"):
        room.end("web-01", name)
    assert room.incident(number).state in ("resolved", "suppressed")
    assert people_of(room, number) == said
    assert room.words(number) == words


def test_what_is_released_has_no_owner(room: Room) -> None:
    """An empty name gives it back."""
    number = room.fire("web-01")
    room.say(Kind.OWNER, number, owner="cleo")
    room.say(Kind.OWNER, number, "ben", owner="")
    assert room.incident(number).owner == ""
    error = refusal(room, Kind.OWNER, number, author="dan", owner="")
    assert (error.status, error.field) == (409, "owner")
    assert "ben" in error.detail


def test_an_acknowledgement_is_one_persons(room: Room) -> None:
    """Another one hears who was first; taking it back frees it."""
    number = room.fire("web-01")
    first = room.say(Kind.ACKNOWLEDGE, number)
    assert room.say(Kind.ACKNOWLEDGE, number) == first
    error = refusal(room, Kind.ACKNOWLEDGE, number, author="ben")
    assert error.status == 409
    assert "ana" in error.detail
    assert "2026-" in error.detail
    room.say(Kind.UNACKNOWLEDGE, number, "ben")
    assert people_of(room, number)["acknowledged_at"] is None
    error = refusal(room, Kind.UNACKNOWLEDGE, number, author="cleo")
    assert (error.status, error.reason) == (409, "not_acknowledged")
    room.say(Kind.ACKNOWLEDGE, number, "ben")
    assert room.incident(number).acknowledged_by == "ben"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (Kind.NOTE, {"text": "once"}),
        (Kind.ACKNOWLEDGE, {}),
        (Kind.OWNER, {"owner": "cleo"}),
    ],
)
def test_a_key_makes_a_second_try_the_first(
    room: Room, kind: Kind, more: dict[str, Any]
) -> None:
    """The same answer, and no second word, even much later."""
    number = room.fire("web-01")
    first = room.say(kind, number, key="k1", **more)
    room.clock.advance(60)
    room.say(Kind.NOTE, number, "ben", text="in between")
    assert room.say(kind, number, key="k1", **more) == first
    assert room.count_words() == 2
    error = refusal(room, kind, number, author="dan", key="k1", **more)
    assert (error.status, error.reason) == (422, "key_used")
    other = room.fire("web-02")
    assert room.say(kind, other, key="k1", **more).id != first.id


def test_a_merge_with_a_key_can_be_tried_again(room: Room) -> None:
    """Although the incident is merged by then."""
    one, two = room.fire("web-01"), room.fire("web-02")
    first = room.say(Kind.MERGE, one, into=two, key="k1")
    assert room.say(Kind.MERGE, one, into=two, key="k1") == first
    assert room.count_words() == 2


def test_who_looked_at_an_old_version_is_told(room: Room) -> None:
    """Decisions count; notes and what alerts change do not."""
    number = room.fire("web-01")
    seen = room.incident(number).version
    room.fire("web-01", "Load")
    room.say(Kind.NOTE, number, text="hm")
    room.say(Kind.OWNER, number, "ben", owner="ben", version=seen)
    error = refusal(
        room, Kind.OWNER, number, author="cleo", owner="cleo", version=seen
    )
    assert (error.status, error.field) == (409, "version")
    assert "ben" in error.detail
    assert "2026-" in error.detail
    now = room.incident(number).version
    room.say(Kind.OWNER, number, "cleo", owner="cleo", version=now)
    error = refusal(room, Kind.OWNER, number, owner="x", version=now + 9)
    assert (error.status, error.reason) == (422, "no_such_version")


def test_about_nothing_nothing_is_said(room: Room) -> None:
    """An incident that is not there, or that lives on elsewhere."""
    one, two, three = (room.fire(f"web-0{n}") for n in (1, 2, 3))
    assert refusal(room, Kind.NOTE, 99, text="x").status == 404
    room.merge(one, two)
    room.merge(two, three)
    error = refusal(room, Kind.NOTE, one, text="x")
    assert (error.status, error.reason) == (409, "merged")
    assert f"incident {three}" in error.detail


def test_zabbix_words_are_kept_once(room: Room) -> None:
    """The person at Zabbix is its author, at the time of Zabbix."""
    number = room.fire("web-01")
    room.clock.advance(60)
    for _ in range(3):
        room.update("web-01", -5, **SAYINGS["ack"], user="ana")
    (word,) = room.words(number)
    assert word.author == "alertmanager:ana"
    assert (word.kind, word.text) == ("acknowledge", "I look")
    assert word.at == room.clock.now() - 5_000_000
    assert word.alert_id
    incident = room.incident(number)
    assert incident.acknowledged_by == "alertmanager:ana"
    assert incident.acknowledged_at == word.at
    assert incident.version == word.version
    (entry,) = room.log("incident.acknowledged")
    assert entry.actor == "person:alertmanager:ana"


def test_the_latest_word_counts_in_any_order(room: Room) -> None:
    """Acknowledged, taken back, taken up by another: however they come."""
    sayings = [
        (-40, {**SAYINGS["ack"], "user": "ana"}),
        (-30, {**SAYINGS["note"], "user": "ben"}),
        (-20, {**SAYINGS["unack"], "user": "ana"}),
        (-10, {**SAYINGS["ack"], "user": "cleo"}),
    ]
    room.clock.advance(60)
    for number, order in enumerate(permutations(sayings)):
        host = f"web-{number}"
        incident = room.fire(host, begins=-60)
        for at, told in order:
            room.update(host, at, **told)
        found = room.incident(incident)
        assert found.acknowledged_by == "alertmanager:cleo", order
        assert found.acknowledged_at == room.clock.now() - 10_000_000
        assert len(room.words(incident)) == 4


@pytest.mark.parametrize("order", [("ack", "unack"), ("unack", "ack")])
def test_of_one_second_taking_back_counts(
    room: Room, order: tuple[str, str]
) -> None:
    """Zabbix tells seconds only; better that somebody looks again."""
    number = room.fire("web-01")
    for name in order:
        room.update("web-01", -5, **SAYINGS[name], user="ana")
    assert room.incident(number).acknowledged_at is None


def test_an_update_may_be_told_before_its_problem(room: Room) -> None:
    """Its word is there from the start, and stays."""
    room.clock.advance(60)
    began = room.clock.now() - 60_000_000
    room.update("web-01", -5, began=began, **SAYINGS["ack"], user="ana")
    number = room.fire("web-01", begins=-60)
    assert room.incident(number).acknowledged_by == "alertmanager:ana"
    assert room.count_words() == 1


def test_a_clock_in_the_future_has_not_the_last_word(room: Room) -> None:
    """Nor does it keep a person at our page from being the last."""
    number = room.fire("web-01")
    room.update("web-01", 10**8, **SAYINGS["ack"], user="ana")
    assert room.incident(number).acknowledged_at == room.clock.now()
    room.clock.advance(-30)
    room.say(Kind.UNACKNOWLEDGE, number, "ben")
    assert room.incident(number).acknowledged_at is None
    room.clock.advance(90)
    room.update("web-01", 0, **SAYINGS["ack"], user="cleo")
    assert room.incident(number).acknowledged_by == "alertmanager:cleo"


def test_an_update_that_says_little_is_a_note(room: Room) -> None:
    """A change of severity, a closing: what was done is its text."""
    number = room.fire("web-01")
    room.update("web-01", -9, action="changed severity from High to Low")
    room.update("web-01", -8, action="closed", message="gone")
    room.update("web-01", -7)
    told = [(w.author, w.kind, w.text) for w in room.words(number)]
    assert told == [
        ("alertmanager:somebody", "note", "changed severity from High to Low"),
        ("alertmanager:somebody", "note", "gone"),
        ("alertmanager:somebody", "note", "updated"),
    ]
