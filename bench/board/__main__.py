"""How long the board takes with many incidents, as the console asks for it.

    python -m bench.board
    python -m bench.board --incidents 100000 --living 2000 --postgres

The database is filled by plain SQL: of the incidents that live a quarter
waits for an answer, a quarter was handed over, on a quarter a job runs, and
the rest is watched or held back; of all others each has a mission that ended
as fixed, a decision and a job. The log has two lines for each incident, over
a week. Then the service starts, and its API is asked: for the board by one
who has heard of nothing yet, so that each answer is made anew, and for the
status, which counts what needs somebody.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import text

from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.migrate import migrate
from bench.board.filling import Field, fill
from tests.postgres import Postgres
from tests.service import Service

SECONDS = 60.0
ASKED = ("/api/v1/board", "/api/v1/status")


@contextmanager
def database(
    folder: Path, *, is_postgres: bool
) -> Iterator[tuple[str, Location]]:
    """Lend an empty database, and its address."""
    if not is_postgres:
        url = f"sqlite:///{folder}/board.db"
        yield url, locate(url, folder)
        return
    with Postgres() as server:
        url = server.make_database("board")
        yield url, locate(url, folder)


class Asked(msgspec.Struct, frozen=True):
    """How long the answers of one address took, in ms, in order."""

    path: str
    size: int
    times: list[float]

    @property
    def median(self) -> float:
        """Return the middle one."""
        return statistics.median(self.times)


def ask(url: str, path: str, tries: int) -> Asked:
    """Ask an address so often."""
    times = []
    with httpx.Client(base_url=url, timeout=SECONDS) as client:
        answer = client.get(path).raise_for_status()
        for _ in range(tries):
            began = time.perf_counter()
            answer = client.get(path).raise_for_status()
            times.append((time.perf_counter() - began) * 1_000)
    return Asked(path, len(answer.content), sorted(times))


def measure(options: argparse.Namespace) -> Iterator[Asked]:
    """Fill a database and ask a service on it."""
    now = time.time_ns() // 1_000
    field = Field(options.incidents, options.living, now)
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-board-") as name,
        database(Path(name), is_postgres=options.postgres) as (url, place),
    ):
        migrate(place)
        ledger = Ledger(place, SECONDS)
        with ledger.turn() as connection:
            fill(connection, field)
        if options.postgres:
            # As it does by itself; SQLite never does.
            with ledger.turn() as connection:
                connection.execute(text("ANALYZE"))
        ledger.close()
        settings: dict[str, Any] = {"database": {"url": url}}
        with Service(Path(name), settings) as service:
            for path in ASKED:
                yield ask(service.url, path, options.tries)


def read_arguments() -> argparse.Namespace:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=100_000)
    parser.add_argument("--living", type=int, default=2_000)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--postgres", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    for one in measure(read_arguments()):
        print(
            f"{one.path}: {one.median:.1f} ms, at most {one.times[-1]:.1f},"
            f" {one.size / 1000:.0f} kB"
        )
