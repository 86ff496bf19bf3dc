"""Corrections and the decisions they are about, on both databases."""

import msgspec
from sqlalchemy import insert

from app.models.case import Case
from app.models.choice import Decision
from app.models.word import Kind, Word
from app.store.decisions import add_decision, set_verdict
from app.store.incidents import CHUNK
from app.store.ledger import Connection
from app.store.outcomes import (
    Correction,
    find_corrections,
    find_measured,
)
from app.store.people import WORD, add_words
from tests.records import make_record

SECRET = "The password of the vault is swordfish."


def decide(
    connection: Connection,
    incident: int,
    at: int,
    action: str,
    *,
    agrees: bool | None = None,
) -> int:
    """Keep a decision on an incident; return its number."""
    case = Case(incident=incident, source="zabbix", name=f"case {action}")
    decision = Decision(action=action)
    record = make_record(incident, case, decision, at=at, agrees=agrees)
    return add_decision(connection, record)


def say(
    connection: Connection,
    number: int,
    incident: int,
    at: int,
    kind: Kind = Kind.CORRECTION,
    **more: object,
) -> None:
    """Keep what somebody says."""
    word = Word(
        id=number,
        incident_id=incident,
        at=at,
        author="ana",
        kind=kind.value,
        text=SECRET,
        details={"about": "action", "correct": "no_action"},
        version=1,
    )
    add_words(connection, [msgspec.structs.replace(word, **more)])


def test_a_correction_is_about_the_last_decision_before_it(
    connection: Connection,
) -> None:
    """Not about a later one, nor one on another incident."""
    decide(connection, 1, 10, "escalate")
    meant = decide(connection, 1, 20, "restart_service")
    decide(connection, 1, 40, "kill_process")
    decide(connection, 2, 25, "free_memory")
    say(connection, 1, 1, 30)
    (found,) = find_corrections(connection)
    assert found.decision == meant
    assert found.action == "restart_service"
    case = msgspec.json.decode(found.casefile, type=Case)
    assert case.name == "case restart_service"
    assert (found.about, found.correct) == ("action", "no_action")
    assert (found.author, found.is_own) == ("ana", True)


def test_a_shadow_is_never_meant(connection: Connection) -> None:
    """People see what was decided, not what was tried beside it."""
    meant = decide(connection, 1, 10, "escalate")
    decide(connection, 1, 11, "restart_service", agrees=False)
    say(connection, 1, 1, 30)
    assert [one.decision for one in find_corrections(connection)] == [meant]


def test_what_code_looks_at_for_people_is_never_meant(
    connection: Connection,
) -> None:
    """They have it by then, and speak of what was decided on it."""
    meant = decide(connection, 1, 10, "restart_service")
    look = Decision(action="collect_diagnostics", brain="code:evidence")
    case = Case(incident=1, source="zabbix", name="what is to be seen")
    add_decision(connection, make_record(1, case, look, at=11))
    say(connection, 1, 1, 30)
    assert [one.decision for one in find_corrections(connection)] == [meant]


def test_what_was_said_before_any_decision_is_about_none(
    connection: Connection,
) -> None:
    """It comes without a case."""
    say(connection, 1, 1, 5)
    decide(connection, 1, 10, "escalate")
    (found,) = find_corrections(connection)
    assert (found.decision, found.action, found.casefile) == (0, "", "")


def test_only_corrections_count(connection: Connection) -> None:
    """Notes, acknowledgements and owners say nothing about an action."""
    decide(connection, 1, 10, "escalate")
    others = [kind for kind in Kind if kind is not Kind.CORRECTION]
    for number, kind in enumerate(others, 1):
        say(connection, number, 1, 20, kind)
    assert find_corrections(connection) == []


def test_what_came_through_a_monitoring_system_is_marked(
    connection: Connection,
) -> None:
    """Nobody has shown who it was there."""
    decide(connection, 1, 10, "escalate")
    say(connection, 1, 1, 20, alert_id=7)
    assert [one.is_own for one in find_corrections(connection)] == [False]


def test_no_text_of_people_is_read(connection: Connection) -> None:
    """What they write beside the action is not even loaded."""
    decide(connection, 1, 10, "escalate")
    say(connection, 1, 1, 20)
    say(connection, 2, 1, 21, details={})
    found = find_corrections(connection)
    assert SECRET not in str(found)
    assert [(one.about, one.correct) for one in found] == [
        ("action", "no_action"),
        ("", ""),
    ]


def test_they_come_in_the_order_in_which_they_were_said(
    connection: Connection,
) -> None:
    """Over more incidents than one statement names."""
    many = CHUNK + 3
    rows = [
        {
            "id": number,
            "incident_id": 1_000 - number,
            "at": 20,
            "author": "ana",
            "kind": Kind.CORRECTION.value,
            "text": "",
            "alert_id": 0,
            "details": "{}",
            "version": 1,
            "key": "",
        }
        for number in range(1, many + 1)
    ]
    connection.execute(insert(WORD), rows)
    decide(connection, 1_000 - many, 10, "escalate")
    found: list[Correction] = find_corrections(connection)
    assert [one.word for one in found] == list(range(1, many + 1))
    assert found[-1].action == "escalate"
    assert not any(one.action for one in found[:-1])


def test_what_was_measured_as_fixed_confirms_its_action(
    connection: Connection,
) -> None:
    """No shadow, nothing that did not help, and nothing that is unknown."""
    helped = decide(connection, 1, 5, "restart_service")
    for number, verdict in enumerate(("not_fixed", "unknown", ""), 2):
        other = decide(connection, number, 5, "restart_service")
        set_verdict(connection, other, verdict)
    shadow = decide(connection, 1, 6, "restart_service", agrees=True)
    for one in (helped, shadow):
        set_verdict(connection, one, "fixed")
    (found,) = find_measured(connection)
    assert found.decision == helped
    assert found.correct == found.action == "restart_service"
    assert found.is_own
    case = msgspec.json.decode(found.casefile, type=Case)
    assert case.name == "case restart_service"
