"""What it takes to bring a large database of an early release forward.

    python -m bench.migrate --alerts 50000
    python -m bench.migrate --alerts 50000 --postgres

The database has the schema 0002: alerts, deliveries, incidents and a log,
none of them searched by words yet. So all that can be long about a migration
is in it: every entry and every incident is indexed on the way. It runs in a
process of its own, whose most memory is told.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from app.models.entry import BEGINNING, End, Note, to_entry
from app.store.location import Location, locate
from bench.acting.field import machine
from tests.postgres import Postgres
from tests.upgrade.earlier import Row, Rows, make_earlier, rows_of

HOME = Path(__file__).parents[1]
DATABASE = "to_migrate"
# Alerts for each incident, and lines of the log for each alert.
ALERTS, LINES = 10, 2
MOMENT = 1_795_000_000_000_000
MIGRATE = """
import json, sys, time
from pathlib import Path
from app.store.location import locate
from app.store.migrate import migrate
begun = time.monotonic()
migrate(locate(sys.argv[1], Path()))
seconds = time.monotonic() - begun
# Not what resource tells: that begins with the memory of its parent.
told = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
print(json.dumps([seconds, int(told.split()[0]) / 1024]))
"""


def main() -> None:
    """Make a database, migrate it, say what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=50_000)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    print(machine())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/old.db"
        if asked.postgres:
            server = stack.enter_context(Postgres())
            url = server.make_database(DATABASE)
        lines = fill(locate(url, folder), asked.alerts)
        seconds, most = migrate(url)
    print(
        f"{asked.alerts:,} alerts, {lines:,} lines of the log:"
        f" {seconds:.1f} s, {most:.0f} MB at most"
    )


def migrate(url: str) -> tuple[float, float]:
    """Migrate in a process of its own; return its seconds and megabytes."""
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE, url],
        cwd=HOME,
        capture_output=True,
        check=True,
        text=True,
    )
    seconds, most = json.loads(done.stdout)
    return seconds, most


def fill(location: Location, alerts: int) -> int:
    """Make a database of an early schema; return its lines of the log."""
    like = rows_of("0002")
    rows: Rows = {
        "delivery": many(like["delivery"][0], alerts),
        "alert": many(like["alert"][0], alerts),
        "incident": many(like["incident"][0], alerts // ALERTS),
        "entry": chained(alerts * LINES, alerts // ALERTS),
        "mark": [
            {"name": "folded", "position": alerts},
            {"name": "log", "position": alerts * LINES},
        ],
    }
    make_earlier(location, "0002", rows)
    return alerts * LINES


def many(like: Row, count: int) -> list[Row]:
    """Return so many rows as one is, each with a number of its own."""
    return [{**like, **_own(like, number + 1)} for number in range(count)]


def _own(like: Row, number: int) -> Row:
    """Return what no two rows may share."""
    own: Row = {"id": number}
    for name in ("identity", "key"):
        if name in like:
            own[name] = number.to_bytes(16, "big")
    return own


def chained(count: int, incidents: int) -> list[dict[str, Any]]:
    """Return a log of so many lines that is whole."""
    end, rows = BEGINNING, []
    for number in range(count):
        note = Note(
            kind="incident.joined",
            incident=number % incidents + 1,
            target=f"web-{number % 5_000}",
            problem="DiskFull",
            severity="warning",
            status="open",
            actor="rule:folding",
            summary=f"the disk of web-{number % 5_000} is full: 98 %",
            body={"alert": number, "because": "the same target"},
        )
        entry = to_entry(end, MOMENT + number * 1_000_000, note)
        end = End(entry.id, entry.hash)
        rows.append(msgspec.structs.asdict(entry))
    return rows


if __name__ == "__main__":
    main()
