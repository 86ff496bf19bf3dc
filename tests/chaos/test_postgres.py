"""F1, F8: the same on PostgreSQL, which is ended under the service too."""

import random
from pathlib import Path

import pytest

from tests.chaos.cutting import INBOX, WAYS, CutLine
from tests.chaos.ledger import read_postgres
from tests.chaos.load import Load, wait_until
from tests.chaos.tally import settle
from tests.chaos.test_kill import kill_under_load
from tests.postgres import Postgres
from tests.service import OPEN, Service

pytestmark = [pytest.mark.chaos, pytest.mark.real]
KILLS = 3
RESTARTS = 3
CUTS = 30


@pytest.fixture
def url(postgres: Postgres) -> str:
    """Return the address of an empty database."""
    return postgres.make_database(f"chaos_{random.getrandbits(48):x}")


@pytest.fixture
def unstarted(tmp_path: Path, url: str) -> Service:
    """Return a service on that database; it is not started."""
    settings = {"database": {"url": url}, "sources": {"alertmanager": OPEN}}
    return Service(tmp_path, settings)


def test_nothing_is_lost_by_kills(
    unstarted: Service, url: str, scale: int
) -> None:
    """A kill -9 of the service at random: 0 lost, 0 twice."""
    with unstarted as service:
        ledger = kill_under_load(service, KILLS * scale)
    faults = [*ledger.faults, *ledger.compare(read_postgres(url))]
    settle("kill -9 of ingest on PostgreSQL", KILLS * scale, faults)


@pytest.mark.long
def test_nothing_is_lost_when_the_server_crashes(
    unstarted: Service, url: str, postgres: Postgres, scale: int
) -> None:
    """A restart -m immediate: 503, then on by itself; 0 lost, 0 twice."""
    with unstarted as service:
        load = Load(service.port)
        pid = service.pid
        with load.running() as ledger:
            for _ in range(RESTARTS * scale):
                load.wait_for(random.randint(1, 200))
                postgres.restart_immediately()
            load.wait_for(50)
        load.send_all_again()
        assert service.pid == pid
        assert service.is_ready()
    assert {r.reason for r in ledger.refusals} <= {"storage"}
    faults = [*ledger.faults, *ledger.compare(read_postgres(url))]
    settle("crashes of PostgreSQL under ingest", RESTARTS * scale, faults)


def test_commits_of_which_nobody_knows(
    tmp_path: Path, url: str, postgres: Postgres, scale: int
) -> None:
    """The line is cut around a COMMIT: sent again, it is there once."""
    most = CUTS * scale
    with CutLine(postgres.port, 0.2, most, INBOX) as line:
        print(f"the seed of these cuts is {line.seed}")  # noqa: T201 (shown)
        through = url.replace(str(postgres.port), str(line.port))
        settings = {
            "database": {"url": through},
            "sources": {"alertmanager": OPEN},
        }
        with Service(tmp_path, settings) as service:
            load = Load(service.port)
            with load.running() as ledger:
                wait_until(
                    lambda: line.cuts.total() >= most,
                    "the cuts",
                    60.0 * scale,
                )
                load.wait_for(50)
            load.send_all_again()
        assert set(line.cuts) == set(WAYS)
    assert {r.reason for r in ledger.refusals} <= {"storage"}
    faults = [*ledger.faults, *ledger.compare(read_postgres(url))]
    settle("cuts around a COMMIT of ingest", most, faults)
