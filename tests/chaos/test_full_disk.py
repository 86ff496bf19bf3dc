"""F5: no room left, for the database and for the log beside it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.ledger import read_sqlite
from tests.chaos.load import Load, wait_until
from tests.chaos.shim import Shim
from tests.chaos.tally import settle
from tests.programs import lack
from tests.service import Service

pytestmark = pytest.mark.chaos
PROBLEM = "application/problem+json"


def fill_and_empty(
    service: Service, fill: Callable[[], None], empty: Callable[[], None]
) -> None:
    """Take the room away under load, look, give it back, compare."""
    load = Load(service.port, padding=20_000)
    pid = service.pid
    with load.running() as ledger:
        load.wait_for(30)
        fill()
        refused = len(ledger.refusals)
        wait_until(lambda: len(ledger.refusals) > refused + 20, "refusals")
        alerts = httpx.get(f"{service.url}/api/v1/alerts", timeout=10)
        ready = httpx.get(f"{service.url}/ready", timeout=10)
        health = httpx.get(f"{service.url}/health", timeout=10)
        empty()
        load.wait_for(30)
    assert (alerts.status_code, ready.status_code) == (200, 503)
    assert health.status_code == 200
    assert service.pid == pid
    wait_until(service.is_ready, "the service to be ready again")
    answers = {(r.status, r.media_type, r.reason) for r in ledger.refusals}
    assert answers == {(503, PROBLEM, "storage")}
    service.kill()
    found = ledger.compare(read_sqlite(service.database))
    settle("full disks", 1, [*ledger.faults, *found])


def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    """503 and readable while nothing can grow; then on by itself."""
    shim = Shim(tmp_path)
    with shim.service() as service:
        fill_and_empty(service, shim.fill, shim.make_room)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of a few megabytes."""
    if os.geteuid() != 0:
        pytest.skip("a small file system needs root: sudo pytest")
    folder = tmp_path / "small"
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", "size=12m")
    command = ["mount", *options, "tmpfs", str(folder)]
    mounted = subprocess.run(
        command, capture_output=True, timeout=60, check=False
    )
    if mounted.returncode:
        lack("mount is not allowed here: run with CAP_SYS_ADMIN")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], timeout=60, check=True)


def test_a_full_file_system_with_the_log_on_it(small_disk: Path) -> None:
    """The same when the log cannot be written either."""
    filler = small_disk / "filler"

    def fill() -> None:
        """Write until there is no room."""
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                return

    with Service(small_disk) as service:
        fill_and_empty(service, fill, filler.unlink)
