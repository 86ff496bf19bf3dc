"""The canary's parts: what it says, who sends it, and how it is taken off."""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, event, func, select

from app.core.errors import Refused
from app.core.site import near
from app.engine.canary import CLOSE, HOUR, CanaryChore, CanarySettings
from app.engine.canarymeters import Meters
from app.fold.folding import Folder
from app.fold.muting import add_mute, plan_mute
from app.fold.rules import FoldSettings, make_rules
from app.ingest.canary import Beat, Canary, make_entrance
from app.models.alert import Alert, Status
from app.models.canary import (
    CANARY,
    FOLDED,
    PROBLEM,
    STAGES,
    Trace,
    hour_of,
)
from app.models.delivery import Delivery, Unparsed
from app.models.incident import State
from app.models.matcher import read_matchers
from app.models.mute import MuteKind, Wish
from app.models.tables import AlertRow, DeliveryRow, EpisodeRow, IncidentRow
from app.models.timetable import Timetable
from app.store.canary import find_trace, take_off
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.fakes import FakeClock, make_filing
from tests.unit.fold.room import Room


def read(**beat: Any) -> Alert:
    """Return the alert of one delivery."""
    body = msgspec.json.encode(beat)
    sent = Delivery(source=CANARY, body=body, received_at=1)
    (alert,) = Canary().parse(sent).alerts
    return alert


@pytest.fixture
def room(location: Location, inbox: SqlInbox) -> Iterator[Room]:
    """Return a database of each kind, with the canary's own way."""
    ledger = Ledger(location, 2.0)
    made = Room(inbox, ledger)
    settings = FoldSettings.model_validate({"flapping": {"changes": 3}})
    made.folder = Folder(make_rules(settings), made.clock)
    yield made
    ledger.close()


def beat(room: Room, **more: Any) -> int:
    """Let one canary come and go; return when it came."""
    moment = room.clock.now()
    tell(room, begins_at=moment, status="firing", **more)
    room.clock.advance(1)
    ends_at = room.clock.now()
    tell(room, begins_at=moment, status="resolved", ends_at=ends_at)
    return moment


def tell(room: Room, **beat: Any) -> None:
    """Let one delivery be folded."""
    filing = make_filing(
        read(**beat),
        body=msgspec.json.encode(beat),
        source=CANARY,
        received_at=room.clock.now(),
    )
    room.inbox.write([filing])
    room.fold()


def count(room: Room, table: Any) -> int:
    """Return how many rows a table has."""
    query = select(func.count()).select_from(table.__table__)
    return int(room.turn(lambda c: c.execute(query).scalar() or 0))


def test_its_example_is_read() -> None:
    """What it sends is understood by the one that reads it."""
    source = Canary()
    sent = Delivery(source=CANARY, body=source.example.body, received_at=1)
    names = tuple(one.name for one in source.parse(sent).alerts)
    assert names == source.example.names


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"begins_at":"x","status":"firing"}', b"\xff"],
)
def test_what_it_did_not_send_is_none(body: bytes) -> None:
    """It is no alert, and no crash."""
    with pytest.raises(Unparsed):
        Canary().parse(Delivery(source=CANARY, body=body, received_at=1))


@pytest.mark.parametrize("shown", [None, b"Bearer", b"Bearer wrong"])
def test_only_who_has_the_secret_may_send_it(shown: bytes | None) -> None:
    """All others are refused at its entrance."""
    headers = () if shown is None else ((b"authorization", shown),)
    sent = Delivery(source=CANARY, body=b"{}", received_at=1, headers=headers)
    entrance = make_entrance("right")
    with pytest.raises(Refused) as refusal:
        entrance.authenticator.check(sent)
    assert refusal.value.status == 401
    right = ((b"authorization", b"Bearer right"),)
    entrance.authenticator.check(msgspec.structs.replace(sent, headers=right))


@pytest.mark.parametrize(
    ("listens", "called"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "::1"),
        ("192.0.2.7", "192.0.2.7"),
        ("localhost", "localhost"),
    ],
)
def test_our_own_door_is_near(listens: str, called: str) -> None:
    """Whoever listens everywhere is called on the loopback."""
    assert near(listens) == called


def test_it_comes_and_goes_and_is_one_incident(room: Room) -> None:
    """An hour of it is one incident that never flaps."""
    room.clock.moment -= room.clock.moment % HOUR
    for _ in range(10):
        moment = beat(room)
        seen = room.turn(partial(find_trace, moment=moment))
        assert seen == Trace((FOLDED,))
        room.clock.advance(59)
    (incident,) = room.rows(IncidentRow)
    assert incident.state == State.RESOLVED
    assert incident.target_kind == CANARY
    assert incident.flapping_until is None
    assert count(room, EpisodeRow) == 10


def test_others_flap_as_before(room: Room) -> None:
    """Only the canary is spared."""
    for _ in range(3):
        room.fire("web-01")
        room.clock.advance(10)
        room.end("web-01")
        room.clock.advance(10)
    (incident,) = room.rows(IncidentRow)
    assert incident.state == State.SUPPRESSED


def test_each_hour_has_its_own(room: Room) -> None:
    """An old incident goes as a whole."""
    for _ in range(3):
        beat(room)
        room.clock.advance(3_600)
    names = {row.target_name for row in room.rows(IncidentRow)}
    assert len(names) == 3


@pytest.mark.parametrize("what", ["severity=info", "source=canary"])
def test_nobody_silences_it(
    location: Location, inbox: SqlInbox, what: str
) -> None:
    """Neither a hold-down nor a mute that happens to fit keeps it waiting."""
    ledger = Ledger(location, 2.0)
    room = Room(inbox, ledger)
    held = {"hold_down": [{"matchers": [what], "seconds": 300}]}
    rules = make_rules(FoldSettings.model_validate(held))
    room.folder = Folder(rules, room.clock)
    now = room.clock.now()
    wish = Wish(
        kind=MuteKind.MAINTENANCE,
        matchers=read_matchers(what),
        times=Timetable(starts_at=now, ends_at=now + HOUR),
        author="ana",
        comment="a new kernel",
    )
    room.turn(lambda c: add_mute(c, plan_mute(wish, now), now))
    room.fold()
    tell(room, begins_at=now, status="firing")
    assert [row.state for row in room.rows(IncidentRow)] == [State.OPEN]
    ledger.close()


def test_no_other_alert_passes_for_it(room: Room) -> None:
    """Else it would be missing from counts and lists."""
    beat(room)
    room.tell("x", name=PROBLEM, labels={"alertname": PROBLEM})
    problems = [row.problem for row in room.rows(IncidentRow)]
    assert problems == [PROBLEM, f"{PROBLEM} of alertmanager"]


def test_what_was_never_sent_has_not_come(room: Room) -> None:
    """Another moment is another canary."""
    moment = beat(room)
    for other in (0, moment - 1, moment + 1):
        trace = room.turn(partial(find_trace, moment=other))
        assert trace == Trace()


def test_old_ones_are_taken_off(room: Room) -> None:
    """All that one hour left, but nothing of others, nor what goes on."""
    room.clock.moment -= room.clock.moment % HOUR
    first = beat(room)
    room.clock.advance(60)
    beat(room)
    room.fire("web-01")
    room.clock.advance(3_600)
    second = beat(room)
    room.clock.advance(60)
    tell(room, begins_at=room.clock.now(), status="firing")
    assert count(room, IncidentRow) == 3
    gone = room.turn(lambda c: take_off(c, hour_of(first)))
    assert gone == 1 + 4 + 4
    assert count(room, AlertRow) == 4
    assert count(room, DeliveryRow) == 4
    # It goes on.
    room.turn(lambda c: take_off(c, hour_of(second)))
    names = {row.target_name for row in room.rows(IncidentRow)}
    assert names == {"web-01", hour_of(second)}


def test_old_ones_are_found_along_an_index(
    room: Room, location: Location
) -> None:
    """However many alerts are kept, nobody waits for it."""
    if location.file is None:
        pytest.skip("the plan is SQLite's")
    hour = hour_of(beat(room))
    asked: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:
        """Keep a statement with its values."""
        asked.append((told[2], told[3]))

    def plans(connection: Connection) -> list[str]:
        """Return how each statement about alerts is answered."""
        event.listen(connection, "before_cursor_execute", note)
        take_off(connection, hour)
        event.remove(connection, "before_cursor_execute", note)
        return [
            "\n".join(
                str(row[-1])
                for row in connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", values
                )
            )
            for statement, values in asked
            if "FROM alert" in statement.replace("\n", "")
        ]

    found = room.turn(plans)
    assert len(found) == 2
    assert all("SEARCH alert USING INDEX alert_id" in one for one in found)


def make(clock: FakeClock, **settings: Any) -> CanaryChore:
    """Return the chore of a node; it only claims here."""
    around: Any = SimpleNamespace(clock=clock)
    return CanaryChore(CanarySettings.model_validate(settings), around)


def test_of_several_nodes_one_sends_it(room: Room) -> None:
    """The first to ask; the others hear when it was sent."""
    nodes = [make(room.clock, every_seconds=60) for _ in range(3)]
    sent = room.clock.now()
    assert room.turn(nodes[0]._claim) == (sent, True)
    room.clock.advance(1)
    assert room.turn(nodes[1]._claim) == (sent, False)
    room.clock.advance(60 * CLOSE)
    assert room.turn(nodes[2]._claim) == (room.clock.now(), True)
    assert room.turn(nodes[0]._claim) == (room.clock.now(), False)


def test_a_clock_that_was_wrong_stops_nothing(room: Room) -> None:
    """A mark in the future is no reason to wait for it."""
    node = make(room.clock, every_seconds=60)
    room.clock.advance(86_400)
    assert room.turn(node._claim)[1]
    room.clock.advance(-86_400)
    assert room.turn(node._claim) == (room.clock.now(), True)


def test_its_age_grows_until_the_next_comes_through() -> None:
    """It is told at the moment of asking, and never gets younger alone."""
    clock, registry = TwoClocks(), CollectorRegistry()
    meters = Meters(registry, clock)

    def age(stage: str) -> float | None:
        """Return what is told now."""
        name = "smokejumper_canary_age_seconds"
        return registry.get_sample_value(name, {"stage": stage})

    assert age("closed") == 0
    clock.advance(90)
    assert age("closed") == 90
    meters.came("folded", 2.0)
    assert (age("folded"), age("closed")) == (2, 90)
    # One that comes through late does not make it older.
    meters.came("folded", 300.0)
    assert age("folded") == 2
    # Nor does a wall clock that is set back, or on, change anything.
    for hours in (-1, 3):
        clock.moment += hours * HOUR
        assert (age("folded"), age("closed")) == (2, 90)


class TwoClocks(FakeClock):
    """A wall clock that can be set while time goes on as before."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        """Return what nobody can set."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        super().advance(seconds)
        self.seconds += seconds


def test_a_beat_is_written_and_read() -> None:
    """Its beginning is to the microsecond what it is found by."""
    sent = Beat(1_795_227_242_123_456, Status.FIRING)
    alert = read(**msgspec.to_builtins(sent))
    assert alert.starts_at == sent.begins_at
    assert alert.labels["canary"] == "2026-11-21T02"


def test_one_series_says_where_it_stands() -> None:
    """None while it comes through, and never an old one beside a new one."""
    registry = CollectorRegistry()
    meters = Meters(registry, TwoClocks())

    def told() -> list[dict[str, str]]:
        """Return the labels of what is told now."""
        (found,) = (
            one
            for one in registry.collect()
            if one.name == "smokejumper_canary_stuck"
        )
        return [dict(one.labels) for one in found.samples]

    assert told() == []
    for stage in STAGES[:2]:
        meters.stuck(stage, "late")
        assert told() == [{"stage": stage, "why": "late"}]
    meters.stuck("", "")
    assert told() == []
