"""What nobody looks at is found among thousands that people have."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from app.models.mission import End
from app.models.mission_tables import MissionRow
from app.models.tables import EntryRow, IncidentRow, table_of
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.missions import find_left_alone
from app.store.rows import write_all
from app.store.unhealed import find_forgotten, find_observed, find_unhealed
from tests.unit.store.missions import NOW, SECOND

BEFORE = NOW - 600 * SECOND
# So many open incidents that people have, each with so many lines since.
INCIDENTS, LINES = 2_000, 30
BACK = (7, 1_200)
ENTRY, INCIDENT = table_of(EntryRow), table_of(IncidentRow)
MISSION = table_of(MissionRow)


def fill(connection: Connection) -> None:
    """Write down what people have, two of which came back."""
    incidents = range(1, INCIDENTS + 1)
    lines: list[dict[str, Any]] = []
    for number in incidents:
        kinds = ["incident.opened", "incident.escalated"]
        kinds += ["incident.joined"] * LINES
        if number in BACK:
            kinds += ["incident.resolved", "incident.reopened"]
        lines += [line(number, kind) for kind in kinds]
    for number, one in enumerate(lines, 1):
        one["id"] = number
    write_all(connection, insert(ENTRY), lines)
    rows = [incident(number) for number in incidents]
    write_all(connection, insert(INCIDENT), rows)
    rows = [mission(number) for number in incidents]
    write_all(connection, insert(MISSION), rows)


def line(incident: int, kind: str) -> dict[str, Any]:
    """Return a line of the log, of an hour ago."""
    texts = ("target", "problem", "severity", "status", "actor", "action")
    return {
        "at": NOW - 3_600 * SECOND,
        "kind": kind,
        "incident_id": incident,
        "summary": "",
        "body": "{}",
        "hash": b"",
        **dict.fromkeys(texts, ""),
    }


def incident(number: int) -> dict[str, Any]:
    """Return an incident that is told of all the time."""
    texts = ("reason", "problem", "source", "title", "owner", "team")
    empty = ("due_at", "ends_at", "held_until", "flapping_until")
    moments = ("opened_at", "begins_at")
    return {
        "id": number,
        "version": 1,
        "state": "open",
        "target": f"host:{number}",
        "target_kind": "host",
        "target_name": str(number),
        "severity": "warning",
        "changed_at": NOW,
        "episodes": 1,
        "firing": 1,
        "merged_into": 0,
        "acknowledged_by": "",
        "acknowledged_at": None,
        **dict.fromkeys(texts, ""),
        **dict.fromkeys(empty),
        **dict.fromkeys(moments, NOW - 7_200 * SECOND),
    }


def mission(number: int) -> dict[str, Any]:
    """Return a mission that ended with people."""
    numbers = ("decision_id", "approval_id", "job_id", "undoes", "lease_until")
    moments = ("deadline_at", "opened_at", "changed_at")
    return {
        "id": number,
        "incident_id": number,
        "target": f"host:{number}",
        "version": 1,
        "stage": "escalated",
        "end": End.ESCALATED.value,
        "reason": "",
        "round": 1,
        "due_at": None,
        "holder": "",
        "fence": 0,
        **dict.fromkeys(numbers, 0),
        **dict.fromkeys(moments, NOW - 7_200 * SECOND),
    }


@pytest.fixture
def connection(location: Location) -> Iterator[Connection]:
    """Lend a turn on a database with many that people have."""
    ledger = Ledger(location, 5.0)
    with ledger.turn() as turn:
        fill(turn)
        if not ledger.is_sqlite:
            # As PostgreSQL does by itself; SQLite never does.
            turn.exec_driver_sql("ANALYZE")
        yield turn
    ledger.close()


def sweep(connection: Connection) -> Sequence[int]:
    """Return what a sweep finds."""
    found = find_left_alone(connection, BEFORE, 200)
    found += find_forgotten(connection, BEFORE, 200)
    found += find_unhealed(connection, BEFORE, 200)
    found += [row.id for row in find_observed(connection, BEFORE, 200)]
    return found


def test_a_sweep_reads_no_log_as_a_whole(connection: Connection) -> None:
    """However much was said of each, only its turns are looked at."""
    asked: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:
        """Note a statement with its parameters."""
        asked.append((str(told[2]), told[3]))

    event.listen(connection, "before_cursor_execute", note)
    assert sweep(connection) == list(BACK)
    event.remove(connection, "before_cursor_execute", note)
    is_sqlite = connection.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    plans = [
        "\n".join(
            str(row[-1])
            for row in connection.exec_driver_sql(f"{explain} {one}", bounds)
        )
        for one, bounds in asked
    ]
    # What is longer than the log of the last minutes is found by its turns.
    usual = ("entry_turn",) if is_sqlite else ("entry_turn", "entry_at")
    for plan in plans:
        leads = re.findall(r"(?:SEARCH|SCAN|Scan.* on) entry\b.*", plan)
        assert not re.search(r"SCAN entry|Seq Scan on entry", plan), plan
        assert "entry_incident" not in plan, plan
        assert not leads or any(name in plan for name in usual), plan
    assert any("entry_turn" in plan for plan in plans)


def test_what_somebody_has_acknowledged_since_is_theirs(
    connection: Connection,
) -> None:
    """What was acknowledged before it came back is another story."""
    before, since = NOW - 3_601 * SECOND, NOW - 3_599 * SECOND
    for number, moment in zip(BACK, (before, since), strict=True):
        query = update(INCIDENT).where(INCIDENT.c.id == number)
        connection.execute(query.values(acknowledged_at=moment))
    assert sweep(connection) == [BACK[0]]


@pytest.mark.parametrize("stage", ["awaiting_approval", "acting"])
def test_what_is_worked_on_is_not_found(
    connection: Connection, stage: str
) -> None:
    """It came back, and its mission goes on."""
    query = update(MISSION).where(MISSION.c.id == BACK[1])
    connection.execute(query.values(stage=stage, end=""))
    assert sweep(connection) == [BACK[0]]
