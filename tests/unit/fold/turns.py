"""Folding in a database of its own: say alerts, take turns, look."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from app.fold.folding import Folder, Turn
from app.fold.rules import FoldSettings, make_rules
from app.models.tables import (
    AlertRow,
    EntryRow,
    EpisodeRow,
    IncidentRow,
)
from app.store.ledger import Ledger
from app.store.location import Location
from tests.fakes import FakeClock

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_795_227_242_000_000  # what FakeClock shows, too
HOST = {"alertname": "DiskFull", "instance": "web-01"}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as a source says it; moments in seconds after START."""

    status: str = "firing"
    starts: float | None = None
    ends: float | None = None
    fingerprint: str = "f1"
    source: str = "alertmanager"
    severity: str = "warning"
    name: str = "DiskFull"
    labels: dict[str, str] = msgspec.field(default_factory=HOST.copy)
    annotations: dict[str, str] = {}


class Undone(Exception):
    """Ends a transaction that is not to be kept."""


def undo() -> None:
    """Leave a transaction without keeping it."""
    raise Undone


class Bench:
    """Folding on one database, with a clock that stands still."""

    def __init__(self, location: Location, **settings: Any) -> None:
        self.clock = FakeClock(START)
        self.ledger = Ledger(location, 2.0)
        rules = make_rules(FoldSettings.model_validate(settings))
        self.folder = Folder(rules, self.clock)
        self._alerts = 0

    def say(self, *alerts: Said) -> None:
        """Store alerts as the inbox does, the first one first."""
        with self.ledger.turn() as connection:
            self.store(connection, alerts)

    def store(self, connection: Connection, alerts: Iterable[Said]) -> None:
        """Store alerts in a transaction that is open already."""
        rows = []
        for alert in alerts:
            self._alerts += 1
            rows.append(to_row(self._alerts, alert, self.clock.now()))
        connection.execute(insert(AlertRow), rows)

    def turn(self) -> Turn:
        """Fold once."""
        with self.ledger.turn() as connection:
            return self.folder.fold(connection)

    def told(self, *alerts: Said) -> None:
        """Store alerts and fold each in a turn of its own."""
        for alert in alerts:
            self.say(alert)
            self.turn()

    def rows(self, table: type[Any]) -> list[Any]:
        """Return what lies in a table, by id."""
        with self.ledger.turn() as connection:
            return rows_of(connection, table)

    def live(self, parts: Iterable[Iterable[Said]]) -> tuple[Any, ...]:
        """Return what becomes of alerts that come in these turns.

        All of it is undone, so that another life can follow.
        """
        self._alerts = 0
        lived: tuple[Any, ...] = ()
        try:
            with self.ledger.turn() as connection:
                for part in parts:
                    self.store(connection, part)
                    self.folder.fold(connection)
                lived = picture(connection)
                undo()
        except Undone:
            pass
        return lived

    def incidents(self) -> list[Any]:
        """Return the incidents that were not merged into another one."""
        rows = self.rows(IncidentRow)
        return [row for row in rows if row.state != "merged"]

    def incident(self) -> Any:
        """Return the only incident."""
        (row,) = self.incidents()
        return row

    def kinds(self) -> list[str]:
        """Return what the log tells, in order."""
        return [row.kind for row in self.rows(EntryRow)]


def to_row(number: int, alert: Said, now: int) -> dict[str, Any]:
    """Return an alert as the inbox writes it."""
    moment = {
        name: None if value is None else START + int(value * SECOND)
        for name, value in (("starts", alert.starts), ("ends", alert.ends))
    }
    return {
        "id": number,
        "identity": number.to_bytes(8, "big"),
        "fingerprint": alert.fingerprint,
        "source": alert.source,
        "occurrence": "",
        "status": alert.status,
        "delivery_id": number,
        "received_at": now,
        "name": alert.name,
        "severity": alert.severity,
        "summary": f"{alert.name} on {alert.labels.get('instance', '')}",
        "labels": msgspec.json.encode(alert.labels).decode(),
        "annotations": msgspec.json.encode(alert.annotations).decode(),
        "starts_at": moment["starts"],
        "ends_at": moment["ends"],
        "url": "",
        "repeats": 0,
        "last_seen_at": now,
    }


def rows_of(connection: Connection, table: type[Any]) -> list[Any]:
    """Return what lies in a table, by id."""
    columns = table.__table__.c
    query = select(*columns).order_by(columns.id)
    return list(connection.execute(query).all())


def picture(connection: Connection) -> tuple[Any, ...]:
    """Return what must not depend on the order of coming.

    The episodes, how they are parted into incidents, and where these stand;
    not the numbers, which follow the order of coming.
    """
    parts: dict[int, list[Any]] = {}
    for row in rows_of(connection, EpisodeRow):
        parts.setdefault(row.incident_id, []).append(
            (
                *(row.source, row.fingerprint, row.begins_at, row.until),
                *(row.ended, row.severity, row.target, row.problem),
            )
        )
    return tuple(
        sorted(
            (
                *(row.state, row.severity, row.episodes, row.firing),
                *(row.begins_at, row.ends_at or 0, row.target),
                row.held_until or 0,
                *sorted(parts[row.id]),
            )
            for row in rows_of(connection, IncidentRow)
            if row.state != "merged"
        )
    )


def chunks(alerts: Sequence[Said], cuts: int) -> list[list[Said]]:
    """Return alerts parted where a number has its bits set."""
    parts: list[list[Said]] = [[]]
    for index, alert in enumerate(alerts):
        parts[-1].append(alert)
        if cuts >> index & 1:
            parts.append([])
    return [part for part in parts if part]
