"""What is asked of the outbox again and again is found by an index."""

import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event, text

from app.models.entry import Note
from app.models.message import Dispatch
from app.store import dispatches, messages, needs, outbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.log import append
from tests.unit.store.missions import HOUR, NOW
from tests.unit.store.test_store_plans import NUMBERS, ROWS, is_sqlite

Ask = Callable[[Connection], object]
FILL = {
    "message": """
        SELECT n, n, :now, 'escalated', n, n, 'high', '{}', '{}'
        FROM numbers""",
    "dispatch": """
        SELECT n, n, n, 'escalated', 'c' || (n % 3), 1,
          CASE WHEN n <= 300 THEN 'waiting' WHEN n <= 600 THEN 'gathering'
            ELSE 'sent' END,
          '', 0, CASE WHEN n <= 600 THEN :now + n ELSE NULL END, :now,
          CASE WHEN n <= 600 THEN NULL ELSE :now - n END,
          '', '', CASE WHEN n <= 5 THEN :now + 9 ELSE 0 END, 0
        FROM numbers""",
}
KINDS = ("incident.resolved", "incident.escalated", "decision.made")
LEASE = (NOW, NOW + HOUR)
QUESTIONS: list[tuple[str, Ask, set[str]]] = [
    (
        "claim",
        lambda turn: dispatches.claim_due(turn, "c1", "a", LEASE, 9),
        {"dispatch_due"},
    ),
    (
        "claim gathered",
        lambda turn: dispatches.claim_gathered(turn, "c1", "a", LEASE, 9),
        {"dispatch_due"},
    ),
    (
        "next",
        lambda turn: dispatches.next_due(turn, ["c1", "c2"], NOW),
        {"dispatch_due"},
    ),
    (
        "left",
        lambda turn: dispatches.find_left(turn, ["c1"], NOW, NOW, 9),
        {"dispatch_due", "dispatch_state", "dispatch_order"},
    ),
    (
        "strangers",
        lambda turn: outbox.find_strangers(turn, ["c1"], NOW),
        {"dispatch_due", "dispatch_state", "dispatch_order"},
    ),
    (
        "ahead",
        lambda turn: outbox.find_ahead(turn, (NOW, NOW + 1, NOW + 9), 9),
        {"dispatch_due", "dispatch_state", "dispatch_order"},
    ),
    (
        "begun",
        lambda turn: needs.find_begun(turn, [7, 8]),
        {"entry_incident"},
    ),
    (
        "escalated",
        lambda turn: messages.was_escalated_before(turn, 7, 9),
        {"entry_incident"},
    ),
    (
        "repetition",
        lambda turn: outbox.find_repetition(
            turn,
            Dispatch(
                id=3,
                incident_id=7,
                message_id=7,
                kind="escalated",
                channel="c1",
                due_at=None,
                created_at=NOW,
            ),
        ),
        {"dispatch_incident", "dispatch_state"},
    ),
    ("states", dispatches.count_states, {"dispatch_state", "dispatch_due"}),
    (
        "oldest",
        lambda turn: dispatches.find_oldest_due(turn, NOW),
        {"dispatch_due", "dispatch_state", "dispatch_order"},
    ),
    (
        "of a message",
        lambda turn: dispatches.find_of_message(turn, 7),
        {"dispatch_message"},
    ),
    (
        "told",
        lambda turn: outbox.find_told(turn, 7, NOW - HOUR),
        {"dispatch_incident", "dispatch_order"},
    ),
    (
        "letters",
        lambda turn: outbox.find_letters(turn, ["c1"], NOW - 700),
        {"dispatch_due", "dispatch_channel", "dispatch_state"},
    ),
    (
        "channels",
        lambda turn: outbox.count_by_channel(turn, ["c1"]),
        {"dispatch_due", "dispatch_channel", "dispatch_state"},
    ),
    (
        "messages",
        lambda turn: messages.find_messages(turn, [7, 8]),
        {"message_pkey", "PRIMARY KEY"},
    ),
]


def entry(number: int) -> Note:
    """Return a line of the log about an incident."""
    kind = KINDS[number % len(KINDS)]
    return Note(kind=kind, incident=number // 3, actor="t", summary="s")


@pytest.fixture
def connection(location: Location) -> Iterator[Connection]:
    """Lend a turn on a database in which much was told."""
    ledger = Ledger(location, 5.0)
    with ledger.turn() as turn:
        for table, rows in FILL.items():
            filling = text(f"INSERT INTO {table} {NUMBERS} {rows}")
            turn.execute(filling, {"rows": ROWS, "now": NOW})
        append(turn, NOW, [entry(number) for number in range(1_000)])
        if not ledger.is_sqlite:
            turn.exec_driver_sql("ANALYZE")
        yield turn
    ledger.close()


@pytest.mark.parametrize(
    ("ask", "indexes"),
    [one[1:] for one in QUESTIONS],
    ids=[one[0] for one in QUESTIONS],
)
def test_an_index_leads(
    connection: Connection, ask: Ask, indexes: set[str]
) -> None:
    """No question walks through a whole table."""
    asked: list[tuple[str, object]] = []

    def note(*told: object) -> None:
        """Note a statement with its parameters."""
        asked.append((str(told[2]), told[3]))

    event.listen(connection, "before_cursor_execute", note)
    ask(connection)
    event.remove(connection, "before_cursor_execute", note)
    assert asked
    explain = "EXPLAIN QUERY PLAN" if is_sqlite(connection) else "EXPLAIN"
    for statement, parameters in asked:
        plan = "\n".join(
            str(row[-1])
            for row in connection.exec_driver_sql(
                f"{explain} {statement}",
                parameters,  # type: ignore[arg-type]  # as they were
            )
        )
        assert any(name in plan for name in indexes), plan
        assert not re.search(r"SCAN (message|dispatch)\b", plan), plan
        assert "Seq Scan on message" not in plan
        assert "Seq Scan on dispatch" not in plan
