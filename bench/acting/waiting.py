"""Incidents that wait for a person, by the thousand.

To take ten thousand through the whole pipe takes minutes, and what it costs
that they wait has nothing to do with it. So some are made by the service, and
one of these is written again as often as wanted: the same rows, as the
service has written them, with numbers and a host of their own.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Column, Connection, Table, Text, text
from sqlmodel import SQLModel

from app.models.decision_tables import DecisionRow
from app.models.mission_tables import ApprovalRow, MissionRow, RulingRow
from app.models.tables import EpisodeRow, IncidentRow, StrandRow, table_of
from bench.series import SERIES

# Where the row of a table is that belongs to an incident.
OF_INCIDENT: Mapping[type[SQLModel], str] = {
    IncidentRow: "id = :number",
    StrandRow: "id = (SELECT max(strand_id) FROM episode"
    " WHERE incident_id = :number)",
    EpisodeRow: "incident_id = :number",
    DecisionRow: "incident_id = :number",
    MissionRow: "incident_id = :number",
    RulingRow: "incident_id = :number",
    ApprovalRow: "incident_id = :number",
}
NUMBERS = frozenset(
    {
        "id",
        "approval_id",
        "decision_id",
        "incident_id",
        "mission_id",
        "strand_id",
    }
)
MODEL = "SELECT max(incident_id) FROM mission WHERE stage = :stage"
NAME = "SELECT target_name FROM incident WHERE id = :number"
# Beyond all numbers that the service has given.
FIRST = 1_000_000


def multiply(connection: Connection, stage: str, count: int) -> None:
    """Write an incident whose mission stands somewhere so often again.

    Args:
        connection: in a transaction.
        stage: where the mission stands.
        count: how often.
    """
    if count <= 0:
        return
    model = connection.execute(text(MODEL), {"stage": stage}).scalar_one()
    named = {"number": model}
    name = connection.execute(text(NAME), named).scalar_one()
    series = SERIES[connection.dialect.name].format(
        first=FIRST, last=FIRST + count - 1
    )
    for row, where in OF_INCIDENT.items():
        table = table_of(row)
        names = ", ".join(f'"{one.name}"' for one in table.c)
        shown = ", ".join(_expressions(table))
        connection.execute(
            text(
                f"INSERT INTO {table.name} ({names}) SELECT {shown}"
                f" FROM (SELECT * FROM {table.name} WHERE {where}) m, {series}"
            ),
            {"name": name, **named},
        )


def _expressions(table: Table) -> Iterator[str]:
    """Yield what stands in each column of a further row."""
    for column in table.c:
        yield _expression(column)


def _expression(column: Column[object]) -> str:
    """Return what stands in a column of a further row."""
    if column.name in NUMBERS:
        return "n"
    if column.name == "fingerprint":
        return "CAST(n AS text)"
    shown = f'm."{column.name}"'
    if not isinstance(column.type, Text):
        return shown
    return f"replace({shown}, :name, 'web-' || CAST(n AS text))"
