"""What folding costs, with many incidents in the database already.

    python -m bench.fold
    python -m bench.fold --incidents 1000 1000000 --rounds 3
    python -m bench.fold --postgres

Each database is filled by plain SQL with old incidents, one episode and one
strand each, a tenth of them still open. Then alerts that lie in the inbox
are folded, turn by turn, each turn on disk before the next: two symptoms of
each of so many new hosts, an end for each, and now and then one about an old
incident. CPU is that of this process; PostgreSQL's own is not in it.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, text

from app.core.clock import SystemClock
from app.fold.folding import Folder
from app.fold.rules import FoldSettings, make_rules
from app.models.tables import AlertRow
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.migrate import migrate
from bench.series import AT_ONCE, SERIES
from tests.postgres import Postgres

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SECOND = 1_000_000
FOREVER = 2**63 - 1
HOST = "'host-' || n"
OLD = (
    (
        "INSERT INTO strand (id, fingerprint, source, name, labels, target,"
        " target_kind, target_name, problem, memory)"
        f" SELECT n, 'old-' || n, 'alertmanager', 'DiskFull', '{{}}',"
        f" 'host::' || {HOST}, 'host', {HOST}, 'DiskFull', '[[],[]]' FROM "
    ),
    (
        "INSERT INTO episode (id, strand_id, incident_id, pin, home, because,"
        " source, fingerprint, target, problem, name, severity, summary,"
        " begins_at, until, ended, first_alert, last_alert, alerts, seen_at)"
        " SELECT n, n, n, 0, 0, '', 'alertmanager', 'old-' || n,"
        f" 'host::' || {HOST}, 'DiskFull', 'DiskFull', 'warning', 'full',"
        " :past + n,"
        " CASE WHEN n % 10 = 0 THEN :forever ELSE :past + n + 9 END,"
        " CASE WHEN n % 10 = 0 THEN '' ELSE 'resolved' END, n, n, 1, :past + n"
        " FROM "
    ),
    (
        "INSERT INTO incident (id, version, state, reason, target,"
        " target_kind, target_name, problem, source, severity, title,"
        " opened_at, changed_at, begins_at, ends_at, episodes, firing,"
        " merged_into, owner,"
        " acknowledged_by) SELECT n, 1, CASE WHEN n % 10 = 0 THEN 'open' ELSE"
        f" 'resolved' END, '', 'host::' || {HOST}, 'host', {HOST}, 'DiskFull',"
        " 'alertmanager', 'warning', 'full', :past + n, :past + n, :past + n,"
        " CASE WHEN n % 10 = 0 THEN NULL ELSE :past + n + 9 END, 1,"
        " CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END, 0, '', '' FROM "
    ),
)


class Measured(msgspec.Struct, frozen=True):
    """What folding some alerts took."""

    alerts: int
    seconds: float
    cpu: float

    def __str__(self) -> str:
        """Return it as a line."""
        per_second = self.alerts / self.seconds
        cost = self.cpu / self.alerts * 1e6
        return f"{per_second:8,.0f} alerts/s {cost:6.0f} us CPU per alert"


def fill(ledger: Ledger, place: Location, until: int) -> None:
    """Make so many old incidents."""
    kind = "postgresql" if place.file is None else "sqlite"
    past = time.time_ns() // 1_000 - 30 * 86_400 * SECOND
    moments = {"past": past, "forever": FOREVER}
    for start in range(1, until + 1, AT_ONCE):
        end = min(start + AT_ONCE - 1, until)
        series = SERIES[kind].format(first=start, last=end)
        with ledger.turn() as connection:
            for statement in OLD:
                connection.execute(text(statement + series), moments)
    with ledger.turn() as connection:
        connection.execute(text("ANALYZE"))


def say(connection: Connection, count: int, old: int) -> None:
    """Put alerts into the inbox."""
    top = connection.execute(select(func.max(AlertRow.id))).scalar() or 0
    now = time.time_ns() // 1_000
    rows = [_row(top + number, now, old) for number in range(1, count + 1)]
    connection.execute(insert(AlertRow), rows)


def _row(number: int, now: int, old: int) -> dict[str, Any]:
    """Return one alert: of four, two fire and two end them again."""
    host, part = divmod(number, 4)
    is_end = part > 1
    name = "DiskFull" if part % 2 else "LoadHigh"
    labels = {
        "alertname": name,
        "instance": f"new-{host}:9100" if host % 10 else f"host-{host % old}",
        "job": "node",
        "cluster": "prod-eu1",
        "severity": "warning",
    }
    return {
        "id": number,
        "identity": number.to_bytes(16, "big"),
        "fingerprint": f"{name}-{host}",
        "source": "alertmanager",
        "occurrence": str(now),
        "status": "resolved" if is_end else "firing",
        "delivery_id": 0,
        "received_at": now,
        "name": name,
        "severity": "warning",
        "summary": f"{name} on a host that is new here",
        "labels": msgspec.json.encode(labels).decode(),
        "annotations": "{}",
        "starts_at": now - 60 * SECOND,
        "ends_at": now if is_end else None,
        "url": "",
        "repeats": 0,
        "last_seen_at": now,
    }


def fold(ledger: Ledger, folder: Folder) -> Measured:
    """Fold all that waits."""
    alerts = 0
    start, cpu = time.perf_counter(), time.process_time()
    while True:
        with ledger.turn() as connection:
            turn = folder.fold(connection)
        alerts += turn.alerts
        if not turn.is_full:
            break
    return Measured(
        alerts, time.perf_counter() - start, time.process_time() - cpu
    )


@contextmanager
def database(*, is_postgres: bool) -> Iterator[Location]:
    """Lend an empty database."""
    with tempfile.TemporaryDirectory(prefix="smokejumper-fold-") as name:
        folder = Path(name)
        if not is_postgres:
            place = locate(f"sqlite:///{folder}/fold.db", folder)
            migrate(place)
            yield place
            return
        with Postgres() as server:
            place = locate(server.make_database("fold"), folder)
            migrate(place)
            yield place


def measure(
    place: Location, size: int, options: argparse.Namespace
) -> list[Measured]:
    """Fold some alerts, several times over, beside so many incidents."""
    ledger = Ledger(place, 10.0)
    folder = Folder(make_rules(FoldSettings()), SystemClock())
    fill(ledger, place, size)
    found = []
    for _ in range(options.rounds):
        with ledger.turn() as connection:
            say(connection, options.alerts, size)
        found.append(fold(ledger, folder))
    ledger.close()
    return found


def main() -> None:
    """Measure with more and more incidents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--incidents", type=int, nargs="*", default=SIZES)
    parser.add_argument("--alerts", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for size in options.incidents:
        with database(is_postgres=options.postgres) as place:
            found = measure(place, size, options)
        found.sort(key=lambda one: one.cpu / one.alerts)
        print(f"{size:9,} incidents: {found[len(found) // 2]}", flush=True)


if __name__ == "__main__":
    main()
