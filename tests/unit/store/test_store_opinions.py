"""What was only observed, and what people said of it, on both databases."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from app.engine.hindsight import find_trust
from app.guard.trust import Standing
from app.models.canary import ANSWER
from app.models.case import Case
from app.models.choice import Decision
from app.models.ruling import Motion, Outcome, Ruling
from app.models.word import Kind, Word
from app.store import opinions
from app.store.approvals import add_approval
from app.store.decisions import add_decision
from app.store.ledger import Connection
from app.store.people import add_words, next_word
from app.store.rulings import add_ruling
from app.store.teams import Teams
from tests.records import make_record
from tests.unit.store.missions import (
    NOW,
    add_incident,
    make_approval,
    make_mission,
)

ACTION, PLACE = "restart_service", "production"


def decide(
    connection: Connection,
    incident: int,
    at: int = NOW,
    brain: str = "cascade",
    action: str = ACTION,
) -> int:
    """Keep a decision on an incident; return its number."""
    case = Case(incident=incident, source="zabbix", name="it hangs")
    made = Decision(action=action, arguments={"host": "web-1"}, brain=brain)
    return add_decision(connection, make_record(incident, case, made, at=at))


def rule(
    connection: Connection,
    incident: int,
    decision: int,
    at: int = NOW,
    outcome: Outcome = Outcome.OBSERVE,
    **more: object,
) -> None:
    """Keep what the guard said to a decision."""
    motion = Motion(
        spec=None,
        action=ACTION,
        decision=decision,
        incident=incident,
        environment=PLACE,
        now=at,
    )
    motion = msgspec.structs.replace(motion, **more)
    said = Ruling(outcome=outcome, rule="r", reason="so", mode="observe")
    add_ruling(connection, at, make_mission(incident), motion, said)


def observe(connection: Connection, incident: int, at: int = NOW) -> int:
    """Keep a decision that was only observed; return its number."""
    decision = decide(connection, incident, at)
    rule(connection, incident, decision, at)
    return decision


def say(
    connection: Connection,
    incident: int,
    right: str = ACTION,
    at: int = NOW + 1,
    **more: object,
) -> None:
    """Keep what somebody says of an incident."""
    word = Word(
        id=next_word(connection),
        incident_id=incident,
        at=at,
        author="ana",
        kind=Kind.CORRECTION.value,
        text="I looked at it.",
        details={"about": "action", "correct": right},
        version=1,
    )
    add_words(connection, [msgspec.structs.replace(word, **more)])


def look(
    connection: Connection, since: int = NOW, teams: Teams = ()
) -> list[Standing]:
    """Return the report."""
    return list(find_trust(connection, since, teams))


def counted(connection: Connection, since: int = NOW) -> tuple[int, int]:
    """Return how often people judged, and agreed, of the only line."""
    (line,) = look(connection, since)
    assert (line.action, line.environment) == (ACTION, PLACE)
    assert line.mode == "observe"
    return line.answers, line.agreed


def test_what_people_say_of_it_is_counted(connection: Connection) -> None:
    """A line is there before they do; the same action agrees."""
    for number in range(1, 5):
        observe(connection, number)
    assert counted(connection) == (0, 0)
    say(connection, 1)
    say(connection, 2, "escalate")
    say(connection, 3, "")
    assert counted(connection) == (3, 1)


def test_it_is_about_the_last_decision_before_it(
    connection: Connection,
) -> None:
    """What was decided later, or was not observed, is not meant."""
    observe(connection, 1, NOW + 10)
    say(connection, 1, at=NOW + 9)
    assert counted(connection) == (0, 0)
    say(connection, 1, at=NOW + 10)
    assert counted(connection) == (1, 1)
    later = decide(connection, 1, NOW + 20)
    rule(connection, 1, later, NOW + 20, Outcome.ASK)
    say(connection, 1, "escalate", at=NOW + 30)
    assert counted(connection) == (1, 1)


def test_each_decision_counts_once(connection: Connection) -> None:
    """However often it was ruled on, and whoever speaks of it."""
    decision = observe(connection, 1)
    rule(connection, 1, decision, NOW + 5)
    say(connection, 1)
    say(connection, 1, author="ben")
    assert counted(connection) == (1, 1)
    say(connection, 1, "escalate", author="cem")
    assert counted(connection) == (1, 0)
    say(connection, 1, author="cem")
    assert counted(connection) == (1, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"kind": Kind.NOTE.value},
        {"alert_id": 7},
        {"author": "anonymous"},
        {"details": {"about": "severity", "correct": ACTION}},
        {"details": {"correct": ACTION}},
        {"details": {}},
    ],
)
def test_other_words_say_nothing(
    connection: Connection, more: dict[str, Any]
) -> None:
    """Those that are no correction of the action by somebody here."""
    observe(connection, 1)
    say(connection, 1, **more)
    assert counted(connection) == (0, 0)


def test_what_was_observed_before_does_not_count(
    connection: Connection,
) -> None:
    """Whatever is said of it since; and what is old gives no line."""
    observe(connection, 1, NOW - 5)
    say(connection, 1, "escalate")
    assert look(connection) == []
    observe(connection, 2)
    say(connection, 2)
    assert counted(connection) == (1, 1)
    assert counted(connection, NOW - 5) == (2, 1)


def test_only_what_was_observed_gives_a_line(connection: Connection) -> None:
    """No other outcome, no decision that is gone, and no canary."""
    for number, outcome in enumerate(Outcome, 1):
        if outcome is not Outcome.OBSERVE:
            rule(connection, number, decide(connection, number), NOW, outcome)
            say(connection, number)
    rule(connection, 20, decision=999)
    say(connection, 20)
    answer = decide(connection, 21, action=ANSWER, brain="canary")
    rule(connection, 21, answer, action=ANSWER)
    say(connection, 21, ANSWER)
    assert look(connection) == []
    observe(connection, 22)
    assert counted(connection) == (0, 0)


def test_what_code_looks_at_for_people_is_not_meant(
    connection: Connection,
) -> None:
    """They have the incident because it was observed, and speak of that."""
    observe(connection, 1)
    looks = decide(connection, 1, NOW + 10, "code:evidence")
    rule(connection, 1, looks, NOW + 10, action="collect_diagnostics")
    say(connection, 1, at=NOW + 20)
    assert counted(connection) == (1, 1)


def test_what_a_person_proposed_is_confirmed_by_others(
    connection: Connection,
) -> None:
    """As a question about it is granted by others."""
    mine = decide(connection, 1, brain="person:ana")
    rule(connection, 1, mine)
    say(connection, 1)
    assert counted(connection) == (0, 0)
    say(connection, 1, author="ben")
    assert counted(connection) == (1, 1)


@pytest.mark.parametrize("state", ["granted", "refused", "edited"])
def test_what_was_answered_counts_there_only(
    connection: Connection, state: str
) -> None:
    """One decision is never evidence for two steps."""
    decision = observe(connection, 1)
    say(connection, 1)
    asked = make_approval(decision_id=decision, state="asked")
    add_approval(connection, asked)
    assert [one.answers for one in look(connection)] == [0, 1]
    add_approval(connection, make_approval(decision_id=decision, state=state))
    lines = {one.mode: one.answers for one in look(connection)}
    assert lines == {"approve": 1, "observe": 0}


def test_of_two_environments_the_last_one_counts(
    connection: Connection,
) -> None:
    """The inventory learnt meanwhile where it is."""
    decision = decide(connection, 1)
    rule(connection, 1, decision, environment="")
    rule(connection, 1, decision, NOW + 1)
    say(connection, 1)
    lines = {one.environment: one.answers for one in look(connection)}
    assert lines == {"": 0, PLACE: 1}


def test_teams_see_what_comes_of_their_incidents(
    connection: Connection,
) -> None:
    """Neither lines nor words of others."""
    add_incident(connection, 1, team="web")
    add_incident(connection, 2, team="db")
    for number in (1, 2):
        observe(connection, number)
        say(connection, number, "escalate" if number == 2 else ACTION)
    assert counted(connection) == (2, 1)
    (line,) = look(connection, teams=("web",))
    assert (line.answers, line.agreed) == (1, 1)
    (line,) = look(connection, teams=("db", "edge"))
    assert (line.answers, line.agreed) == (1, 0)
    assert look(connection, teams=("edge",)) == []


def test_the_newest_words_count(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many at most, and only those about what was observed."""
    monkeypatch.setattr(opinions, "MOST_WORDS", 2)
    for number in range(1, 5):
        observe(connection, number)
        say(connection, number, "escalate" if number == 1 else ACTION)
    for number in range(10, 15):
        rule(connection, number, decide(connection, number), NOW, Outcome.ASK)
        say(connection, number)
    assert counted(connection) == (2, 2)


def test_the_newest_rulings_give_lines(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many at most; where people spoke, there is one anyway."""
    monkeypatch.setattr(opinions, "MOST_RULINGS", 2)
    for number, place in enumerate(("a", "b", "c", "d"), 1):
        made = decide(connection, number, NOW + number)
        rule(connection, number, made, NOW + number, environment=place)
    say(connection, 1, at=NOW + 9)
    lines = {one.environment: one.answers for one in look(connection)}
    assert lines == {"a": 1, "c": 0, "d": 0}


def test_it_asks_a_few_times_however_much_there_is(
    connection: Connection,
) -> None:
    """Not once for each decision, nor for each word."""
    for number in range(1, 30):
        observe(connection, number)
        say(connection, number)
    asked: list[str] = []

    def note(*given: object) -> None:
        """Keep a statement."""
        asked.append(str(given[2]))

    event.listen(connection, "before_cursor_execute", note)
    assert counted(connection) == (29, 29)
    assert len(asked) <= 7
