"""Questions and their answers: the first answer wins, on both databases."""

import pytest
from msgspec.structs import replace

from app.models.approval import Approval, Vote
from app.store import approvals as store
from app.store.approvals import APPROVALS
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.missions import Fenced
from app.store.reading import Reader, Wish
from tests.unit.store.missions import HOUR, NOW, make_approval


def add(connection: Connection, **more: object) -> Approval:
    """Keep a question; return it as it is in the store."""
    approval = make_approval(**more)
    return replace(approval, id=store.add_approval(connection, approval))


def test_a_question_comes_back_as_it_was(connection: Connection) -> None:
    """Every field."""
    asked = add(connection, whom='["ana"]', people=2, team="shop", says="ä")
    assert store.find_approval(connection, asked.id) == asked
    assert store.find_approval(connection, 99) is None


def test_the_first_answer_wins(connection: Connection) -> None:
    """Whoever read the question before it changed writes nothing."""
    asked = add(connection)
    granted = replace(asked, version=2, state="granted", ended_at=NOW)
    store.save_approval(connection, asked, granted)
    refused = replace(asked, version=2, state="refused")
    with pytest.raises(Fenced):
        store.save_approval(connection, asked, refused)
    assert store.find_approval(connection, asked.id) == granted


def test_open_questions_are_found(connection: Connection) -> None:
    """All of them, or some; the oldest first."""
    first, second, third = (add(connection) for _ in range(3))
    ended = replace(second, version=2, state="expired")
    store.save_approval(connection, second, ended)
    assert store.find_open(connection) == [first, third]
    assert store.find_open(connection, [second.id, third.id]) == [third]
    assert store.find_open(connection, []) == []
    assert store.count_waiting(connection) == 2


def test_answers_are_kept_once(connection: Connection) -> None:
    """A person may take an answer back, and not give one twice."""
    asked = add(connection)
    grant = Vote(approval_id=asked.id, person="ana", answer="grant", at=NOW)
    other = replace(grant, person="bob", at=NOW - 1)
    withdraw = replace(grant, answer="withdraw", comment="no", at=NOW + 1)
    assert store.add_vote(connection, grant)
    assert store.add_vote(connection, other)
    assert not store.add_vote(connection, replace(grant, at=NOW + 9))
    assert store.add_vote(connection, withdraw)
    found = store.find_votes(connection, asked.id)
    assert found == [other, grant, withdraw]
    assert store.find_votes(connection, asked.id + 1) == []


def test_a_suggestion_that_nobody_answered_is_found(
    connection: Connection,
) -> None:
    """No mission waits for it; what is asked for approval has one."""
    old = {"mode": "suggest", "expires_at": NOW}
    late = add(connection, **old)
    add(connection, mode="suggest", expires_at=NOW + 1)
    add(connection, expires_at=NOW)
    add(connection, state="granted", **old)
    assert store.find_unanswered(connection, NOW, 10) == [late]
    assert not store.find_unanswered(connection, NOW, 0)


def test_agreement_is_counted_by_what_was_asked(
    connection: Connection,
) -> None:
    """By action, environment, mode and answer, since a moment."""
    add(connection, state="granted", asked_at=NOW - HOUR)
    for state in ("granted", "refused", "granted"):
        add(connection, state=state)
    add(connection, mode="suggest", environment="test")
    restart = "restart_service"
    assert store.count_agreement(connection, NOW) == [
        (restart, "production", "approve", "granted", 2),
        (restart, "production", "approve", "refused", 1),
        (restart, "test", "suggest", "asked", 1),
    ]
    assert store.count_agreement(connection, NOW + 1) == []


def test_questions_are_read_page_by_page(
    location: Location, reader: Reader
) -> None:
    """By state, incident, action, target and time, the newest first."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        add(turn, state="granted")
        add(turn, incident_id=2, action="clean_tmp")
        add(turn, target="host:web-3", asked_at=NOW + HOUR)
    ledger.close()

    def ask(**where: object) -> list[int]:
        """Return the questions that a page shows."""
        return [row.id for row in reader.page(APPROVALS, Wish(where)).rows]

    assert ask() == [3, 2, 1]
    assert ask(state="asked") == [3, 2]
    assert ask(state=["granted", "refused"]) == [1]
    assert ask(incident_id=2) == [2]
    assert ask(action="clean_tmp", state="asked") == [2]
    assert ask(target="host:web-3") == [3]
    assert ask(since=NOW + 1) == [3]
