"""Measure pages of the action log.

Run: python -m bench.log [--rows N] [--base N] [--postgres] [--times N]
    [--keep FOLDER] [--url URL]
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.listings import LOG
from app.store.location import Location, locate
from app.store.log import append
from app.store.migrate import migrate
from app.store.reading import Reader, Wish, open_engine
from bench.log.asking import Asked, filters, measure
from bench.log.filling import fill_postgres, fill_sqlite
from bench.log.making import rows
from tests.postgres import Postgres

SECONDS = 60.0
TURNS = 200
# A million rows are a gigabyte of PostgreSQL's.
IN_MEMORY = 2_000_000


@contextmanager
def database(
    folder: Path, *, postgres: bool, rows: int = 0
) -> Iterator[Location]:
    """Lend an empty database with the tables, or the one that was kept.

    Args:
        folder: where SQLite's file is.
        postgres: whether it is PostgreSQL, of which nothing is kept.
        rows: so many will come; of too many memory has no room.
    """
    if not postgres:
        place = locate(f"sqlite:///{folder}/log.db", folder)
        migrate(place)
        yield place
        return
    on_disk = Path(tempfile.gettempdir()) if rows > IN_MEMORY else None
    with Postgres(on_disk) as server:
        place = locate(server.make_database("log"), folder)
        migrate(place)
        yield place


def fill(place: Location, total: int, base: int) -> float:
    """Fill a database, and return how many milliseconds a turn takes."""
    start = time.monotonic()
    if place.file is not None:
        fill_sqlite(place.file, total, base)
    else:
        fill_postgres(place.conninfo, total, base)
    print(f"filled in {time.monotonic() - start:.0f} s", flush=True)
    return go_on(place, total)


def go_on(place: Location, total: int) -> float:
    """Write as the service does, and return the milliseconds of a turn.

    The last entries come through the log itself, so that the indexes are
    as many small turns leave them.
    """
    ledger = Ledger(place, SECONDS)
    start = time.monotonic()
    made = iter(list(rows(TURNS * 20, total)))
    for _ in range(TURNS):
        with ledger.turn() as connection:
            notes = [
                Note(
                    kind=row[2], incident=row[3], target=row[4],
                    problem=row[5], severity=row[6], status=row[7],
                    actor=row[8], summary=row[10],
                )
                for row, _ in zip(made, range(20), strict=False)
            ]  # fmt: skip
            append(connection, 1_790_000_000_000_000, notes)
    spent = (time.monotonic() - start) / TURNS
    ledger.close()
    print(f"{TURNS} turns of 20 entries: {spent * 1e3:.1f} ms each")
    return spent * 1e3


def is_empty(place: Location) -> bool:
    """Tell whether a database must be filled."""
    reader = Reader(open_engine(place, SECONDS), SECONDS)
    found = reader.page(LOG, Wish(limit=1))
    reader.close()
    return not found.rows


def ask(place: Location, total: int, times: int) -> Iterator[Asked]:
    """Yield how long the pages of each filter take."""
    reader = Reader(open_engine(place, SECONDS), SECONDS)
    for name, make in filters():
        yield Asked(name, *measure(reader, make, total, times))
    reader.close()


def main(folder: Path, wanted: argparse.Namespace) -> None:
    """Fill, ask, print."""
    total, postgres = wanted.rows, wanted.postgres
    lent: AbstractContextManager[Location] = database(
        folder, postgres=postgres, rows=total
    )
    if wanted.url:
        lent = nullcontext(locate(wanted.url, folder))
    with lent as place:
        if is_empty(place):
            fill(place, total, min(wanted.base, total))
        if place.file is not None:
            print(f"{place.file.stat().st_size / 2**20:.0f} MiB")
        print("ms: p50 p95 max         | first page | deep page | CPU")
        for asked in ask(place, total, wanted.times):
            print(asked, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--base", type=int, default=200_000)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--url", help="a database that was filled before")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smokejumper-log-") as name:
        home = arguments.keep or Path(name)
        main(home, arguments)
