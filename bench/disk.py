"""How many bytes on disk an alert, an incident and a line of the log take.

    python -m bench.disk
    python -m bench.disk --hosts 400 --postgres

Incidents go the whole way to their end as fixed, with one alert each; then
many more alerts of the same hosts join them. What the database has grown by,
divided, is what one takes, with all that belongs to it: delivery, strand,
episode, case, decision, ruling, job, messages, lines of the log, words and
indexes. What a line of the log takes alone is measured by itself.
"""

import argparse
import asyncio
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec

from app.store.ledger import Ledger
from app.store.location import locate
from app.store.migrate import migrate
from bench.acting.field import Field, Plan, machine
from bench.acting.sending import deliveries, send, storm
from bench.export import fill

OVER = "stage IN ('closed', 'escalated')"
LEFT = (
    "SELECT (SELECT max(id) FROM alert)"
    " - (SELECT position FROM mark WHERE name = 'folded')"
)
PARTS = 20
ENTRIES = 20_000


class Sizes(msgspec.Struct, frozen=True):
    """Bytes on disk.

    Attributes:
        incident: of one that was acted on, with its first alert.
        alert: of each further alert that joined one.
        entry: of a line of the log, about 600 bytes as JSON.
    """

    incident: float
    alert: float
    entry: float


def bytes_of(field: Field) -> int:
    """Return how large the database of some services is."""
    if field.file is None:
        ((size,),) = field.ask("SELECT pg_database_size(current_database())")
        return int(size)
    return file_bytes(field.file)


def file_bytes(file: Path) -> int:
    """Return what of a SQLite file is in use."""
    with closing(sqlite3.connect(file)) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


def entry_bytes(folder: Path, rows: int) -> float:
    """Return how many bytes a line of the log takes, on SQLite."""
    place = locate(f"sqlite:///{folder}/entries.db", folder)
    migrate(place)
    file = place.file or folder
    ledger = Ledger(place, 30.0)
    before = file_bytes(file)
    fill(ledger, rows)
    ledger.close()
    return (file_bytes(file) - before) / rows


def measure(hosts: int, parts: int, *, is_postgres: bool) -> Sizes:
    """Let so many incidents happen, then many alerts join each."""
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-disk-") as name,
        Field(Path(name), Plan(is_postgres=is_postgres)) as field,
    ):
        empty = bytes_of(field)
        sow(field, [(host, 0) for host in range(hosts)])
        field.wait_for(lambda: field.count("mission", OVER) >= hosts)
        first = bytes_of(field)
        more = [(host, part + 1) for host, part in storm(hosts, parts, 10)]
        sow(field, more)
        second = bytes_of(field)
        entry = entry_bytes(Path(name), ENTRIES)
    return Sizes((first - empty) / hosts, (second - first) / len(more), entry)


def sow(field: Field, alerts: list[tuple[int, int]]) -> None:
    """Send alerts and return when all are folded."""
    ports = [node.port for node in field.nodes]
    asyncio.run(send(ports, list(deliveries(alerts, 10)), 0.0))
    field.wait_for(lambda: not field.ask(LEFT)[0][0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--parts", type=int, default=PARTS)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    print(machine())
    found = measure(asked.hosts, asked.parts, is_postgres=asked.postgres)
    print(f"an incident that was acted on: {found.incident:,.0f} bytes")
    print(f"a further alert: {found.alert:,.0f} bytes")
    print(f"a line of the log: {found.entry:,.0f} bytes")
