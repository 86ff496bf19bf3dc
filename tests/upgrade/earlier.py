"""A database of each earlier schema, with the rows of that release.

The files in rows/ are what the releases themselves wrote: the service of the
last release with that schema took alerts, folded, decided and acted, was
killed while a job ran and a letter waited, and its inbox took one delivery
more that nobody folded. No release had 0002, or 0007 to
0011, as its newest schema: their rows are those of the nearest one, without
what came later, and accounts.
"""

import json
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

import app.store
from app.models.entry import Entry
from app.models.incident import Incident
from app.store.indexing import index_entries, index_incidents
from app.store.location import Location

ROWS = Path(__file__).parent / "rows"
MIGRATIONS = Path(app.store.__file__).parent / "migrations"
# Each schema, and whose rows it has.
REVISIONS = {
    "0001": "0001",
    "0002": "0003",
    "0003": "0003",
    "0004": "0004",
    "0005": "0005",
    "0006": "0006",
    "0007": "0006",
    "0008": "0006",
    "0009": "0006",
    "0010": "0006",
    "0011": "0006",
}
# What a trigger of SQLite writes as well, when the rows come in.
BY_TRIGGER = ("span",)
ACCOUNT = {
    "id": 1,
    "version": 1,
    "name": "ana",
    "nature": "person",
    "role": "admin",
    "teams": "[]",
    "secret": "",
    "subject": "",
    "is_disabled": False,
    "created_at": 1_795_327_000_000_000,
    "created_by": "setup",
}
CHARTER = {
    "name": "policy",
    "version": "v1",
    "text": "trust: {}",
    "at": 1_795_327_000_000_000,
    "node": "ops-1",
}
Row = dict[str, Any]
Rows = dict[str, list[Row]]


def rows_of(revision: str) -> Rows:
    """Return what a database of a schema holds, by table."""
    told = json.loads((ROWS / f"{REVISIONS[revision]}.json").read_text())
    rows = {
        name: [
            dict(zip(table["columns"], map(_value, row), strict=True))
            for row in table["rows"]
        ]
        for name, table in told["tables"].items()
    }
    if revision < "0003":
        rows.pop("span", None)
        rows["mark"] = [
            one
            for one in rows.get("mark", [])
            if not one["name"].startswith("searched:")
        ]
    if revision >= "0007":
        rows["account"] = [ACCOUNT]
    if revision >= "0008":
        rows["charter"] = [CHARTER]
    return {name: found for name, found in rows.items() if found}


def _value(told: Any) -> Any:
    """Return a value as the database has it."""
    return bytes.fromhex(told["hex"]) if isinstance(told, dict) else told


def make_earlier(location: Location, revision: str, rows: Rows) -> None:
    """Make a database of an earlier schema in an empty place."""
    if location.file is not None:
        location.file.touch(mode=0o600)
    engine = create_engine(location.url)
    with engine.begin() as connection:
        upgrade_to(connection, revision)
        for name, found in rows.items():
            _insert(connection, name, found)
        if revision >= "0003":
            _index(connection, rows)
    engine.dispose()


def upgrade_to(connection: Connection, revision: str) -> None:
    """Bring a database to a schema, and not further."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _insert(connection: Connection, name: str, rows: list[Row]) -> None:
    """Insert the rows of one table."""
    columns = ", ".join(f'"{one}"' for one in rows[0])
    values = ", ".join(f":{one}" for one in rows[0])
    more = " ON CONFLICT DO NOTHING" if name in BY_TRIGGER else ""
    connection.execute(
        text(f'INSERT INTO "{name}" ({columns}) VALUES ({values}){more}'),
        rows,
    )


def _index(connection: Connection, rows: Rows) -> None:
    """Index what a trigger does not: as far as that release had come."""
    if connection.dialect.name == "sqlite":
        _index_inbox(connection)
        return
    entries = [Entry(**one) for one in rows.get("entry", [])]
    index_entries(connection, entries)
    incidents = rows.get("incident", [])
    index_incidents(
        connection, [Incident(**{"team": "", **one}) for one in incidents]
    )


def _index_inbox(connection: Connection) -> None:
    """Index alerts and deliveries as far as the marks say."""
    for name in ("alert", "delivery"):
        connection.execute(
            text(
                f"INSERT INTO {name}_text (rowid, words)"
                f" SELECT id, words FROM {name}_words WHERE id <= ("
                f"SELECT position FROM mark WHERE name = 'searched:{name}')"
            )
        )


def read(location: Location, like: Rows) -> Rows:
    """Return what a database has now in the columns that there were."""
    engine = create_engine(location.url)
    with engine.connect() as connection:
        found = {
            name: [
                {**row._mapping}
                for row in connection.execute(
                    text(
                        "SELECT "
                        + ", ".join(f'"{one}"' for one in rows[0])
                        + f' FROM "{name}" ORDER BY 1, 2'
                    )
                )
            ]
            for name, rows in like.items()
        }
    engine.dispose()
    return found


def in_order(rows: list[Row]) -> list[Row]:
    """Return rows as they are read."""
    return sorted(rows, key=lambda one: tuple(one.values())[:2])
