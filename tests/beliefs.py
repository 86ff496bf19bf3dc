"""What a service believes about incidents: read from its own database."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from app.models.cluster import FOREVER
from app.models.tables import EntryRow, EpisodeRow, IncidentRow
from app.store.location import locate
from app.store.reading import open_engine

INCIDENT: Any = IncidentRow.__table__  # type: ignore[attr-defined]
EPISODE: Any = EpisodeRow.__table__  # type: ignore[attr-defined]
ENTRY: Any = EntryRow.__table__  # type: ignore[attr-defined]
Row = dict[str, Any]


class BeliefBook:
    """The incidents, episodes and log of a service on a SQLite file."""

    def __init__(self, database: Path) -> None:
        place = locate(f"sqlite:///{database}", database.parent)
        self._engine: Engine = open_engine(place, 5.0)

    def episodes(self, **where: Any) -> list[Row]:
        """Return the episodes that match, by id."""
        return self._rows(EPISODE, where)

    def log(self, incident: int) -> list[str]:
        """Return the kinds of what the log says about an incident."""
        rows = self._rows(ENTRY, {"incident_id": incident})
        return [row["kind"] for row in rows]

    def incident(self, **where: Any) -> Row:
        """Return the one incident of the episodes that match; {} if none."""
        ids = {row["incident_id"] for row in self.episodes(**where)}
        assert len(ids) <= 1, f"{len(ids)} incidents of {where}"
        found = self._rows(INCIDENT, {"id": ids.pop()}) if ids else [{}]
        return found[0]

    def state(self, **where: Any) -> str:
        """Return the state of the one incident of episodes; or nothing."""
        state: str = self.incident(**where).get("state", "")
        return state

    def firing(self, **where: Any) -> set[str]:
        """Return the fingerprints of the episodes that go on."""
        rows = self.episodes(**where, until=FOREVER)
        return {row["fingerprint"] for row in rows}

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def _rows(self, table: Any, where: Row) -> list[Row]:
        """Return the rows of a table that match, by id."""
        query = select(table).order_by(table.c.id)
        for name, value in where.items():
            query = query.where(table.c[name] == value)
        with self._engine.connect() as connection:
            return [row._asdict() for row in connection.execute(query)]
