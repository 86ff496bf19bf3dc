"""The four lists: their tables, and what each is found by."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import BigInteger, Column, Table, column, table
from sqlalchemy.sql.expression import TableClause

from app.models.incident import LIVING
from app.models.tables import AlertRow, DeliveryRow, EntryRow, IncidentRow

DELIVERY: Table = DeliveryRow.__table__  # type: ignore[attr-defined]
ALERT: Table = AlertRow.__table__  # type: ignore[attr-defined]
INCIDENT: Table = IncidentRow.__table__  # type: ignore[attr-defined]
ENTRY: Table = EntryRow.__table__  # type: ignore[attr-defined]


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One list and the ways to find a page of it.

    Attributes:
        rows: the table.
        moment: the column that ``since`` and ``until`` are about.
        marks: the columns that the index of words knows, with their letter.
        indexed: the columns by which pages are found without it.
        leading: the columns whose values have few rows, whatever else is
            asked.
        few: values of a column that few rows have.
        is_read_late: whether its words are read by the turn that folds,
            not when the row is written.
        has_time_with_words: whether PostgreSQL has the moment with the
            words.
        hidden: columns that no page needs.
    """

    rows: Table
    moment: str
    marks: Mapping[str, str] = {}
    indexed: frozenset[str] = frozenset()
    leading: frozenset[str] = frozenset()
    few: Mapping[str, frozenset[str]] = {}
    is_read_late: bool = False
    has_time_with_words: bool = False
    hidden: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Return its name in the store."""
        return self.rows.name

    @property
    def owner(self) -> Column[int] | None:
        """Return whose team sees a row: its incident; None: no team's."""
        if self.rows is INCIDENT:
            return INCIDENT.c.id
        return self.rows.c.get("incident_id")

    @property
    def words(self) -> TableClause:
        """Return the table of its words, on either database."""
        number = column("id", BigInteger)
        row = column("rowid", BigInteger)
        at = column(self.moment, BigInteger)
        return table(self.words_name, row, number, at)

    @property
    def words_name(self) -> str:
        """Return the name of the table of its words."""
        return f"{self.name}_text"

    @property
    def mark(self) -> str:
        """Return the name of how far its words were read."""
        return f"searched:{self.name}"

    def columns(self) -> list[Column[object]]:
        """Return the columns that a page shows."""
        return [one for one in self.rows.c if one.name not in self.hidden]


LOG = Listing(
    rows=ENTRY,
    moment="at",
    marks={
        "target": "t",
        "problem": "p",
        "severity": "v",
        "status": "s",
        "kind": "k",
        "actor": "a",
        "action": "c",
        "incident_id": "i",
    },
    indexed=frozenset({"incident_id", "target", "status", "kind"}),
    has_time_with_words=True,
)
ALERTS = Listing(
    rows=ALERT,
    moment="received_at",
    marks={
        "source": "o",
        "status": "s",
        "severity": "v",
        "name": "n",
        "fingerprint": "f",
    },
    leading=frozenset({"fingerprint", "id"}),
    is_read_late=True,
)
DELIVERIES = Listing(
    rows=DELIVERY,
    moment="received_at",
    is_read_late=True,
    hidden=frozenset({"body", "headers", "key"}),
)
INCIDENTS = Listing(
    rows=INCIDENT,
    moment="opened_at",
    indexed=frozenset({"state", "target", "target_name", "team"}),
    leading=frozenset({"target", "target_name", "merged_into"}),
    few={"state": frozenset(state.value for state in LIVING)},
)
