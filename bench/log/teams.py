"""Measure pages of the log and of incidents for who sees one team only.

Run: python -m bench.log.teams [--rows N] [--postgres] [--tries N]

One incident in a hundred is the team ``db``'s; ten old ones are ``rare``'s.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert, text

from app.store.incidents import INCIDENT
from app.store.ledger import Ledger
from app.store.listings import INCIDENTS, LOG, Listing
from app.store.location import Location
from app.store.reading import Reader, Wish, open_engine
from bench.log.__main__ import database
from bench.log.filling import fill_postgres, fill_sqlite
from bench.log.making import moment, word

SECONDS = 60.0
AT_ONCE = 10_000
RARE = 10
TEAMS: dict[str, tuple[str, ...]] = {
    "all": (), "1 %": ("db",), "99 %": ("web",), "10 old": ("rare",),
    "none": ("nobody",),
}  # fmt: skip
ASKED: dict[str, tuple[Listing, dict[str, Any]]] = {
    "log": (LOG, {}),
    "log, kind": (LOG, {"kind": "incident.opened"}),
    "log, a rare kind": (LOG, {"kind": "person.noted"}),
    "log, status and word": (LOG, {"status": "open", "text": word(3)}),
    "incidents": (INCIDENTS, {"state": ("open", "resolved", "waiting")}),
    "incidents, open": (INCIDENTS, {"state": "open"}),
}


def team_of(number: int) -> str:
    """Return whose an incident is."""
    if number <= RARE:
        return "rare"
    return "db" if number % 100 == 0 else "web"


def incidents(count: int, total: int) -> Iterator[dict[str, Any]]:
    """Yield incidents, of which one in fifty goes on."""
    for number in range(1, count):
        at = moment(number * 4, total)
        yield {
            **dict.fromkeys(INCIDENT.c.keys()),
            **dict.fromkeys(("reason", "owner", "acknowledged_by"), ""),
            "id": number,
            "version": 1,
            "state": "open" if number % 50 == 0 else "resolved",
            "target": f"host::web-{number % 5_000}",
            "target_kind": "host",
            "target_name": f"web-{number % 5_000}",
            "problem": "DiskFull",
            "source": "alertmanager",
            "severity": "warning",
            "title": "the disk is full",
            "opened_at": at,
            "changed_at": at,
            "begins_at": at,
            "episodes": 1,
            "firing": 0,
            "merged_into": 0,
            "team": team_of(number),
        }


def fill(place: Location, total: int) -> None:
    """Write the log, and the incidents that it is about."""
    if place.file is not None:
        fill_sqlite(place.file, total, total)
    else:
        fill_postgres(place.conninfo, total, total)
    ledger = Ledger(place, SECONDS)
    with ledger.turn() as connection:
        made = incidents(total // 4, total)
        while some := [one for one, _ in zip(made, range(AT_ONCE))]:  # noqa: B905  # the last piece is shorter
            connection.execute(insert(INCIDENT), some)
    ledger.close()
    if place.file is None:
        ledger = Ledger(place, SECONDS)
        with ledger.turn() as connection:
            connection.execute(text("ANALYZE"))
        ledger.close()


class Paged(msgspec.Struct, frozen=True):
    """How long one page takes, in milliseconds.

    Attributes:
        name: what is asked for.
        who: for whom.
        rows: how many rows it has.
        median: of some tries.
        worst: of them.
    """

    name: str
    who: str
    rows: int
    median: float
    worst: float


def measure(reader: Reader, tries: int) -> Iterator[Paged]:
    """Yield how long pages take, for whom, and how many rows they have."""
    for name, (listing, where) in ASKED.items():
        for who, teams in TEAMS.items():
            wish = Wish(where, limit=50, count="estimated", teams=teams)
            spent, rows = [], 0
            for _ in range(tries):
                start = time.perf_counter()
                rows = len(reader.page(listing, wish).rows)
                spent.append(time.perf_counter() - start)
            middle = statistics.median(spent) * 1e3
            worst = max(spent) * 1e3
            yield Paged(name, who, rows, middle, worst)


def main() -> None:
    """Fill a database and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--tries", type=int, default=15)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    folder = (
        nullcontext(str(chosen.keep))
        if chosen.keep
        else tempfile.TemporaryDirectory()
    )
    with (
        folder as path,
        database(Path(path), postgres=chosen.postgres) as place,
    ):
        fill(place, chosen.rows)
        reader = Reader(open_engine(place, SECONDS), SECONDS)
        for one in measure(reader, chosen.tries):
            print(
                f"{one.name:24} {one.who:8} {one.rows:3} rows"
                f" {one.median:8.1f} ms, at most {one.worst:8.1f}",
                flush=True,
            )
        reader.close()


if __name__ == "__main__":
    main()
