"""What an export of the action log costs, and what a stream does.

Run: python -m bench.export [--rows N] [--postgres]
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.location import locate
from app.store.log import append
from bench.idle import resident_mb
from bench.ingest.run import cpu_seconds
from tests.postgres import Postgres
from tests.service import Service

AT = 1_795_227_242_000_000
TURN = 5_000
STREAMS = 50
KINDS = ("ndjson", "csv", "parquet")
SUMMARY = "web-%d: disk is %d %% full, joined the open incident"


@contextmanager
def served(*, with_postgres: bool) -> Iterator[tuple[Service, str]]:
    """Lend a running service and the address of its database."""
    with tempfile.TemporaryDirectory() as name:
        if not with_postgres:
            service = Service(Path(name))
            with service:
                yield service, f"sqlite:///{service.database}"
            return
        with Postgres() as server:
            url = server.make_database("export")
            settings: dict[str, Any] = {"database": {"url": url}}
            with Service(Path(name), settings) as service:
                yield service, url


def fill(ledger: Ledger, rows: int) -> None:
    """Write so many entries, about 600 bytes each."""
    for start in range(0, rows, TURN):
        notes = [
            Note(
                kind="incident.joined",
                incident=number % 1_000 + 1,
                target=f"host::web-{number % 5_000}",
                problem="DiskFull",
                severity="warning",
                status="open",
                actor="source:bench",
                summary=SUMMARY % (number % 5_000, number % 100),
                body={"text": "x" * 250, "number": number},
            )
            for number in range(start, min(start + TURN, rows))
        ]
        with ledger.turn() as connection:
            append(connection, AT, notes)


class Exported(msgspec.Struct, frozen=True):
    """What an export took.

    Attributes:
        seconds: how long.
        size: how many bytes came.
        cpu_us: of the service, for a row.
        memory_mb: of the service before, and the most while it went on.
        waits: the seconds that /health took beside it, in order.
    """

    seconds: float
    size: int
    cpu_us: float
    memory_mb: tuple[float, float]
    waits: list[float]

    def wait_ms(self, share: float) -> float:
        """Return within how many ms so many were answered."""
        return self.waits[int(len(self.waits) * share)] * 1e3


def measure_export(service: Service, kind: str, rows: int) -> Exported:
    """Export everything while somebody else asks, too."""
    before, cpu = resident_mb(service.pid), cpu_seconds(service.pid)
    most, size, start = before, 0, time.perf_counter()
    waits: list[float] = []
    is_over = threading.Event()
    watcher = threading.Thread(target=ping, args=(service, waits, is_over))
    watcher.start()
    url = f"{service.url}/api/v1/export/log?format={kind}"
    with httpx.stream("GET", url, timeout=600) as answer:
        for part in answer.iter_raw(1_048_576):
            size += len(part)
            most = max(most, resident_mb(service.pid))
    took = time.perf_counter() - start
    is_over.set()
    watcher.join()
    used = cpu_seconds(service.pid) - cpu
    spent = used / rows * 1e6
    return Exported(took, size, spent, (before, most), sorted(waits))


def report(kind: str, rows: int, found: Exported) -> None:
    """Print time, CPU, memory and the pace of others."""
    before, most = found.memory_mb
    print(
        f"{kind}: {rows / found.seconds:,.0f} rows/s,"
        f" {found.size / 1e6:.0f} MB, {found.cpu_us:.0f} us CPU a row,"
        f" memory {before:.0f} -> {most:.0f} MB, /health p50"
        f" {found.wait_ms(0.5):.1f} ms p99 {found.wait_ms(0.99):.1f} ms"
    )


def ping(service: Service, waits: list[float], end: threading.Event) -> None:
    """Ask for /health every 20 ms; note how long each answer took."""
    with httpx.Client(base_url=service.url, timeout=30) as client:
        while not end.wait(0.02) or not waits:
            start = time.perf_counter()
            client.get("/health")
            waits.append(time.perf_counter() - start)


def drain(service: Service, opened: threading.Semaphore) -> None:
    """Read a stream until it ends."""
    url = f"{service.url}/api/v1/stream"
    with httpx.stream("GET", url, timeout=60) as answer:
        opened.release()
        for _ in answer.iter_raw():
            pass


def measure_streams(service: Service, ledger: Ledger) -> None:
    """Open streams; print what they cost idle, and with 20 turns a second."""
    opened = threading.Semaphore(0)
    idle_before = cpu_seconds(service.pid)
    time.sleep(10)
    nobody = cpu_seconds(service.pid) - idle_before
    memory = resident_mb(service.pid)
    threads = [
        threading.Thread(target=drain, args=(service, opened))
        for _ in range(STREAMS)
    ]
    for thread in threads:
        thread.start()
        opened.acquire()
    time.sleep(1)
    grown = resident_mb(service.pid) - memory
    cpu = cpu_seconds(service.pid)
    time.sleep(10)
    idle = cpu_seconds(service.pid) - cpu
    cpu = cpu_seconds(service.pid)
    for _ in range(200):
        fill(ledger, 1)
        time.sleep(0.05)
    busy = cpu_seconds(service.pid) - cpu
    service.stop()
    for thread in threads:
        thread.join()
    print(
        f"nobody: {nobody * 10:.2f} % of a core; {STREAMS} streams idle:"
        f" {idle * 10:.2f} %, {grown / STREAMS * 1024:.0f} kB each; with 20"
        f" entries a second: {busy * 10:.1f} % for all"
    )


def main(rows: int, *, with_postgres: bool) -> None:
    """Fill a log, export it in each format, then open streams."""
    with served(with_postgres=with_postgres) as (service, url):
        ledger = Ledger(locate(url, service.folder), 30.0)
        fill(ledger, rows)
        for kind in KINDS:
            report(kind, rows, measure_export(service, kind, rows))
        measure_streams(service, ledger)
        ledger.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    main(arguments.rows, with_postgres=arguments.postgres)
