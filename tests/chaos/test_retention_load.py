"""Clean-up under load takes what is old and over, and nothing else."""

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.chaos.ledger import Found, Ledger, read_postgres, read_sqlite
from tests.chaos.load import PATH, Load, wait_until
from tests.chaos.tally import settle
from tests.service import OPEN, Service

pytestmark = pytest.mark.chaos
DAY = 86_400
# How old rows become, and how long one may wait before it is on disk.
AGE, WAITING = 8.0, 5.0
SOON = {"every_seconds": 1}
OLD = {
    "deliveries_days": AGE / DAY,
    "alerts_days": AGE / DAY,
    "incidents_days": AGE / DAY,
}


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database, empty text for a file."""
    if request.param == "sqlite":
        return ""
    server = request.getfixturevalue("postgres")
    return str(server.make_database(f"{tmp_path.name}_kept"))


def make(folder: Path, url: str, **retention: float) -> Service:
    """Return a service that cleans up every second."""
    settings = {
        "retention": {**SOON, **retention},
        "sources": {"alertmanager": OPEN},
        **({"database": {"url": url}} if url else {}),
    }
    return Service(folder, settings)


def read(service: Service, url: str) -> Found:
    """Return what a database holds of deliveries and alerts."""
    return read_postgres(url) if url else read_sqlite(service.database)


def now() -> int:
    """Return the time in milliseconds."""
    return time.monotonic_ns() // 1_000_000


def metric(service: Service, name: str) -> float:
    """Return the sum of a metric over its labels."""
    text = httpx.get(f"{service.url}/metrics", timeout=30).text
    lines = [one for one in text.splitlines() if one.startswith(name)]
    return sum(float(one.rpartition(" ")[2]) for one in lines)


def missing(ledger: Ledger, found: Found, since: int) -> list[str]:
    """Return what should be there still, and is not."""
    bodies = dict(found.deliveries)
    there = {identity for _, identity, _ in found.alerts}
    faults = []
    for post, delivery, _, place in ledger.acks:
        if place > since and bodies.get(delivery) != post.body:
            faults.append(f"lost: delivery {delivery}, still in its time")
        faults += [
            f"lost: {one} goes on"
            for one in post.alerts
            if one.status == "firing" and one not in there
        ]
    return faults


def test_what_lives_and_what_is_young_stays(
    tmp_path: Path, url: str, scale: int
) -> None:
    """Old deliveries go while alerts come; no alert that goes on does."""
    service = make(tmp_path, url, **OLD)
    with service:
        # Nobody understands it: it stays in quarantine, however old.
        odd = json.dumps({"version": "4", "alerts": [{"labels": 7}]})
        httpx.post(f"{service.url}{PATH}", content=odd, timeout=30)
        load = Load(service.port, clients=2, place=now)
        gone = 'smokejumper_retention_deleted_total{table="delivery"}'
        with load.running() as ledger:
            wait_until(
                lambda: metric(service, gone) >= 50 * scale,
                "clean-up under load",
                90.0 * scale,
            )
        service.kill()
        since = now() - int(1_000 * (AGE - WAITING))
        found = read(service, url)
        faults = [*ledger.faults, *missing(ledger, found, since)]
        quarantined = [
            body for _, body in found.deliveries if body == odd.encode()
        ]
        assert quarantined, "the quarantine was emptied"
        service.start()
        wait_until(
            lambda: len(read(service, url).deliveries) <= 2,
            "all that is old to be gone, but the newest and the quarantine",
            60.0,
        )
        verified = service.run("log", "verify")
        assert verified.returncode == 0, verified.stdout
    settle("clean-up under load", len(ledger.acks), faults)


def test_too_small_a_bound_takes_nothing_young(
    tmp_path: Path,
) -> None:
    """What no rule lets go stays; the metric says that it is too much."""
    with make(tmp_path, "", max_bytes=1) as service:
        load = Load(service.port, clients=2)
        is_over = "smokejumper_database_is_over_size"
        with load.running() as ledger:
            load.wait_for(50)
            wait_until(
                lambda: metric(service, is_over) == 1, "the bound", 180.0
            )
            load.wait_for(50)
    faults = [*ledger.faults, *ledger.compare(read(service, ""))]
    settle("clean-up by size under load", len(ledger.acks), faults)
