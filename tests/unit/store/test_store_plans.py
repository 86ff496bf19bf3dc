"""What is asked again and again is found by an index, and stays quick."""

import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event, text

from app.models.ruling import Scope
from app.store import (
    approvals,
    decisions,
    jobs,
    lanes,
    missions,
    opinions,
    overtaken,
    tried,
)
from app.store.jobs import StoreTally
from app.store.ledger import Connection, Ledger
from app.store.lending import Loan
from app.store.location import Location
from tests.unit.store.missions import HOUR, NOW

Ask = Callable[[Connection], object]
# Rows that go on, and rows that are over: so many of each.
ROWS = 4_000
FILL = {
    "incident": """
        INSERT INTO incident
        SELECT n, 1, CASE WHEN n <= :rows THEN 'open' ELSE 'resolved' END,
          '', NULL, 'host:' || n, 'host', 'host-' || n, 'DiskFull',
          'generic', 'warning', 'full', :now, :now, :now, NULL, 1,
          1, NULL, NULL, 0, 'ann', '', NULL, 'shop'
        FROM numbers""",
    "mission": """
        INSERT INTO mission
        SELECT n, n, 'host:' || n, 1,
          CASE WHEN n <= :rows THEN 'awaiting_approval' ELSE 'closed' END,
          '', '', 1, n, n, 0, 0,
          CASE WHEN n <= :rows THEN :now + n ELSE NULL END,
          :now, '', CASE WHEN n <= 5 THEN :now + 9 ELSE 0 END, 0, :now, :now
        FROM numbers""",
    "job": """
        INSERT INTO job
        SELECT n, n, n, n, 'restart', '{}', 'host:' || n, 'test', 'shop',
          'reversible', 'webhook', 'restart', 'k' || n, 0, 'brain', 0,
          CASE WHEN n <= 5 THEN 'started' ELSE 'succeeded' END,
          '', '', 0, :now - n, :now - n, 0, 0, 0, '', 0,
          '[]', '[]', '', '', ''
        FROM numbers""",
    "decision": """
        INSERT INTO decision
        SELECT n, n, :now, 'host:' || (n % 9), 'DiskFull', '[]', 'warning', 0,
          'mend', '{"n":' || (n % 3) || '}', '', 0.9, 0, 'chosen', 'b', '{}',
          '', '', '', '', '{}', 0, 0, NULL, 0, 0, 0,
          CASE WHEN n % 50 = 0 THEN 'not_fixed' ELSE '' END, ''
        FROM numbers""",
    "episode": """
        INSERT INTO episode
        SELECT n, n, n, 0, 0, '', 'generic', 'f' || n, 'host:' || n,
          'DiskFull', 'DiskFull', 'warning', '', :now, 9223372036854775807,
          '', 0, 0, 1, :now
        FROM numbers""",
    "approval": """
        INSERT INTO approval
        SELECT n, n, n, n, 'restart', '{}', 'host:' || n, 'test', 'shop',
          'p', 'r', 'r', 'approve', '[]', 1, 'brain',
          CASE WHEN n <= 5 THEN 'asked' ELSE 'granted' END,
          '', :now, :now, :now, 1
        FROM numbers""",
    "ruling": """
        INSERT INTO ruling
        SELECT n, n, n, n, :now - n, 'restart', 'host:' || n, 'test',
          CASE WHEN n % 50 = 0 THEN 'observe' ELSE 'ask' END,
          'r', 'r', 'p', 'approve', '{}'
        FROM numbers""",
    "word": """
        INSERT INTO word
        SELECT n, n, :now, 'ana', 'correction', '', 0,
          '{"about":"action","correct":"restart"}', 1, ''
        FROM numbers WHERE n % 100 = 0""",
}
# What goes on has an index of its own, which is walked as a whole.
WALKS = (
    r"SCAN (mission(?! USING INDEX mission_one)|job|approval|decision"
    r"|episode|ruling)\b"
)
NUMBERS = """
    WITH RECURSIVE numbers(n) AS (
      SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2 * :rows
    )
"""


@pytest.fixture
def connection(location: Location) -> Iterator[Connection]:
    """Lend a turn on a database with much that is waiting."""
    ledger = Ledger(location, 5.0)
    with ledger.turn() as turn:
        for table, rows in FILL.items():
            columns = turn.exec_driver_sql(f"SELECT * FROM {table}").keys()
            names = ", ".join(f'"{name}"' for name in columns)
            order = f"INSERT INTO {table} ({names})"
            written = re.sub(r"INSERT INTO \w+", "", rows, count=1)
            filling = text(f"{order} {NUMBERS} {written}")
            turn.execute(filling, {"rows": ROWS, "now": NOW})
        if not ledger.is_sqlite:
            # As PostgreSQL does by itself; SQLite never does.
            turn.exec_driver_sql("ANALYZE")
        yield turn
    ledger.close()


def claim(connection: Connection) -> object:
    """Take what is due: nothing is."""
    return missions.claim_due(connection, Loan("a", NOW, NOW + HOUR), limit=10)


QUESTIONS: list[tuple[str, Ask, set[str]]] = [
    ("claim", claim, {"mission_due"}),
    (
        "next",
        lambda turn: missions.next_due(turn, NOW),
        {"mission_due", "mission_lent"},
    ),
    (
        "live",
        lambda turn: missions.find_live(turn, [7]),
        {"mission_one", "mission_incident"},
    ),
    (
        "newest",
        lambda turn: missions.find_newest(turn, [7]),
        {"mission_incident"},
    ),
    (
        "running",
        lambda turn: jobs.find_running(turn, ["host:3"]),
        {"job_one", "job_state"},
    ),
    ("going on", jobs.find_live_jobs, {"job_state"}),
    (
        "of a target",
        lambda turn: StoreTally(turn).count(
            Scope(since=NOW - HOUR, target="host:9")
        ),
        {"job_target", "job_one"},
    ),
    (
        "of a target of two names",
        lambda turn: StoreTally(turn).count(
            Scope(since=NOW - HOUR, target="host:9", places=("host:10",))
        ),
        {"job_target", "job_one"},
    ),
    (
        "perhaps",
        lambda turn: turn.execute(
            jobs.PERHAPS, {"places": ["host:9", "host:10"], "now": NOW}
        ),
        {"job_state"},
    ),
    (
        "of an hour",
        lambda turn: StoreTally(turn).count(
            Scope(since=NOW - 9, action="restart")
        ),
        {"job_planned", "job_started"},
    ),
    ("stages", missions.count_stages, {"mission_stage", "mission_one"}),
    (
        "disturbed",
        lambda turn: missions.find_disturbed(turn, None, 0, 100),
        {"mission_stage", "mission_one"},
    ),
    (
        "disturbed of some",
        lambda turn: missions.find_disturbed(turn, [7, 8], 0, 100),
        {"mission_one", "mission_incident"},
    ),
    (
        "overtaken",
        lambda turn: overtaken.find_overtaken(turn, None, 100),
        {"mission_stage", "mission_one"},
    ),
    (
        "overtaken of some",
        lambda turn: overtaken.find_overtaken(turn, [7, 8], 100),
        {"mission_one", "mission_incident"},
    ),
    (
        "over",
        lambda turn: overtaken.find_over(turn, 7, 7),
        {"episode_incident"},
    ),
    (
        "failed",
        lambda turn: tried.find_failed(
            turn, "host:7", {"host:7", "host:9"}, NOW - HOUR
        ),
        {"decision_failed", "job_target", "decision_one"},
    ),
    (
        "what came of a problem",
        lambda turn: decisions.count_verdicts(turn, "DiskFull"),
        {"decision_judged"},
    ),
    (
        "observed",
        lambda turn: opinions.find_observed_kinds(turn, NOW - HOUR),
        {"ruling_observed"},
    ),
    (
        "opinions",
        lambda turn: opinions.find_opinions(turn, NOW - HOUR),
        {
            "ruling_incident",
            "ruling_observed",
            "decision_incident",
            "approval_decision",
        },
    ),
    ("waiting", approvals.count_waiting, {"approval_state"}),
    (
        "lanes",
        lanes.count_needs,
        {"approval_state", "incident_state", "mission_one", "mission_stage"},
    ),
]


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
        assert not re.search(WALKS, plan), plan
        assert "Seq Scan on mission" not in plan
        assert "Seq Scan on job" not in plan


def is_sqlite(connection: Connection) -> bool:
    """Tell which of the two databases it is."""
    return connection.dialect.name == "sqlite"
