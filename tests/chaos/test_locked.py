"""F6: somebody else holds the database, or the disk does not answer."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.chaos.ledger import read_sqlite
from tests.chaos.load import Load, wait_until
from tests.chaos.shim import Shim
from tests.chaos.tally import settle
from tests.service import Service

pytestmark = pytest.mark.chaos
PROBLEM = "application/problem+json"
ROOM = 4
LOCKED_SECONDS = 30
LIMITS = {"waiting_seconds": 1, "waiting_deliveries": ROOM}
SETTINGS = {"server": {"limits": LIMITS}}
WAITING = "smokejumper_queue_deliveries"


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Service]:
    """Return a running service that waits a second, for few deliveries."""
    with Service(tmp_path, SETTINGS) as service:
        yield service


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the database as a backup or a shell does."""
    options = {"isolation_level": None, "timeout": 10.0}
    with closing(sqlite3.connect(file, **options)) as other:  # type: ignore[call-overload]
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def waiting(service: Service) -> float:
    """Return how many deliveries wait, as the metrics say."""
    text = httpx.get(f"{service.url}/metrics", timeout=10).text
    lines = [line.split() for line in text.splitlines()]
    return next(float(line[1]) for line in lines if line[0] == WAITING)


def test_a_locked_database_refuses_and_drains(
    impatient: Service, scale: int
) -> None:
    """503 in bounded time, a bounded queue, and 0 lost when it is free."""
    load = Load(impatient.port, clients=12)
    with load.running() as ledger:
        load.wait_for(50)
        with locked(impatient.database):
            wait_until(
                lambda: (
                    {"storage", "queue_full"}
                    <= {refusal.reason for refusal in ledger.refusals}
                ),
                "both kinds of refusals",
            )
            # Half a minute of it tells no more: whoever soaks waits for it.
            time.sleep(LOCKED_SECONDS if scale > 1 else 0)
            most = max(waiting(impatient) for _ in range(20))
            ready = httpx.get(f"{impatient.url}/ready", timeout=10)
        load.wait_for(50)
    assert ready.status_code == 503
    assert most <= ROOM
    assert {(r.status, r.media_type) for r in ledger.refusals} == {
        (503, PROBLEM)
    }
    wait_until(lambda: waiting(impatient) == 0, "an empty queue")
    impatient.kill()
    found = ledger.compare(read_sqlite(impatient.database))
    settle("locks of the database", 1, [*ledger.faults, *found])


def test_a_disk_that_hangs_refuses_and_drains(tmp_path: Path) -> None:
    """While a sync does not come back, senders are told to come later."""
    shim = Shim(tmp_path)
    with shim.service(SETTINGS) as service:
        load = Load(service.port, clients=12)
        with load.running() as ledger:
            load.wait_for(50)
            shim.hang()
            try:
                wait_until(
                    lambda: (
                        {"storage", "queue_full"}
                        <= {refusal.reason for refusal in ledger.refusals}
                    ),
                    "both kinds of refusals",
                    10,
                )
                alive = httpx.get(f"{service.url}/health", timeout=10)
            finally:
                shim.go_on()
            load.wait_for(50)
        assert alive.status_code == 200
        service.kill()
    found = ledger.compare(read_sqlite(service.database))
    settle("disks that hang", 1, [*ledger.faults, *found])
