"""Rulings are kept with the motion as it was put; and the kill switch."""

import msgspec
from msgspec.structs import replace
from sqlalchemy import update

from app.models.action import ActionSpec
from app.models.mission import Mission
from app.models.ruling import (
    Motion,
    Outcome,
    Precondition,
    Question,
    Ruling,
)
from app.store.halts import Halt, find_halt, put_halt
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.reading import Reader, Wish
from app.store.rulings import (
    LONGEST_REASON,
    RULING,
    RULINGS,
    add_ruling,
    find_rulings,
)
from tests.unit.store.missions import NOW, make_mission

SPEC = ActionSpec.model_validate(
    {
        "name": "restart_service",
        "purpose": "Restart a service.",
        "when_to_use": "It hangs.",
        "when_not_to_use": "It works.",
        "parameters": {"host": {"purpose": "Where.", "inventory": "host"}},
        "risk": "reversible",
        "preconditions": ["alert_firing"],
        "run": {"backend": "webhook", "job": "restart"},
        "check": {"name": "service", "options": {"limit": 0.5}},
        "undo": "stop_service",
    }
)
MOTION = Motion(
    incident=1,
    decision=5,
    spec=SPEC,
    action="restart_service",
    arguments={"host": "web-1", "wait": 3},
    target="host:web-1",
    proposer="brain:cascade",
    confidence=0.75,
    labels={"instance": "web-1"},
    environment="production",
    preconditions=(Precondition("alert_firing", None, "nobody can tell"),),
    now=NOW,
)
RULED = Ruling(
    outcome=Outcome.ASK,
    rule="ask for production",
    reason="production is asked about",
    policy="p1",
    mode="approve",
    question=Question(whom=("ana",), people=2),
    until=NOW + 7,
    trail=("protected: no",),
)


def mission() -> Mission:
    """Return the mission that is ruled on."""
    return make_mission(1, id=3)


def test_a_motion_comes_back_as_it_was_put(connection: Connection) -> None:
    """With the action as it was declared then, and what each rule said."""
    number = add_ruling(connection, NOW, mission(), MOTION, RULED)
    (found,) = find_rulings(connection, NOW, 10)
    assert found.id == number
    assert (found.incident_id, found.mission_id, found.decision_id) == (
        1,
        3,
        5,
    )
    assert (found.outcome, found.rule) == ("ask", "ask for production")
    assert (found.policy, found.mode, found.at) == ("p1", "approve", NOW)
    assert found.body is not None
    assert found.body.motion == MOTION
    assert found.body.trail == RULED.trail
    assert found.body.question == RULED.question
    assert found.body.until == RULED.until


def test_a_motion_without_an_action_comes_back(
    connection: Connection,
) -> None:
    """It is not in the catalogue any more."""
    motion = replace(MOTION, spec=None)
    add_ruling(connection, NOW, mission(), motion, RULED)
    (found,) = find_rulings(connection, 0, 10)
    assert found.body is not None
    assert found.body.motion == motion


def test_what_no_database_holds_is_replaced(connection: Connection) -> None:
    """A label may hold anything; a reason may be long."""
    motion = replace(MOTION, labels={"a\0": "b\ud800"})
    ruling = replace(RULED, reason="x\0" * 2_000)
    add_ruling(connection, NOW, mission(), motion, ruling)
    (found,) = find_rulings(connection, 0, 10)
    assert found.body is not None
    assert found.body.motion.labels == {"a": "b?"}
    assert len(found.reason) <= LONGEST_REASON


def test_what_cannot_be_read_any_more_stands_without_a_motion(
    connection: Connection,
) -> None:
    """A later release may want more of an action than an old one wrote."""
    number = add_ruling(connection, NOW, mission(), MOTION, RULED)
    body = msgspec.json.encode({"motion": {"spec": {"name": "x"}}}).decode()
    connection.execute(
        update(RULING).where(RULING.c.id == number).values(body=body)
    )
    (found,) = find_rulings(connection, 0, 10)
    assert (found.body, found.outcome) == (None, "ask")


def test_rulings_are_read_since_a_moment_and_on(
    connection: Connection,
) -> None:
    """By their numbers, some at a time."""
    for moment in (NOW - 1, NOW, NOW + 1, NOW + 2):
        add_ruling(connection, moment, mission(), MOTION, RULED)
    first = find_rulings(connection, NOW, 2)
    assert [one.id for one in first] == [2, 3]
    assert [one.id for one in find_rulings(connection, NOW, 2, 3)] == [4]


def test_rulings_are_read_page_by_page(
    location: Location, reader: Reader
) -> None:
    """By incident and outcome, without their bodies."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        add_ruling(turn, NOW, mission(), MOTION, RULED)
        deny = replace(RULED, outcome=Outcome.DENY)
        add_ruling(turn, NOW, mission(), MOTION, deny)
    ledger.close()
    page = reader.page(RULINGS, Wish({"incident_id": 1, "outcome": "deny"}))
    assert [row.id for row in page.rows] == [2]
    assert "body" not in page.rows[0]._fields


def test_the_kill_switch_is_one_row(connection: Connection) -> None:
    """It is off before it was ever set, and is what was set last."""
    assert find_halt(connection) == Halt()
    halted = Halt(1, is_halted=True, reason="fire", by="ana", at=NOW)
    put_halt(connection, halted)
    assert find_halt(connection) == halted
    lifted = Halt(2, reason="out", by="bob", at=NOW + 1)
    put_halt(connection, lifted)
    assert find_halt(connection) == lifted
