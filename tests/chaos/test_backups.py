"""Backups under load: each one whole, and a service that goes on from it.

The service takes alerts and acts while it is backed up. Each backup is
restored elsewhere: what was acknowledged before it began is there, and the
job that ran at that moment is asked for at its backend, never sent again.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.chaos.acting import ActingService, Story
from tests.chaos.ledger import Found, Ledger, read_postgres, read_sqlite
from tests.chaos.load import Load, wait_until
from tests.chaos.proof import Proof
from tests.chaos.tally import settle
from tests.flow.deciding import firing
from tests.postgres import Postgres
from tests.receiver import Book, Receiver

pytestmark = pytest.mark.chaos
# So many for each step of CHAOS_SCALE.
BACKUPS = 1
ACKS = 30
SECONDS = 120
# What the load says is taken and folded; nobody acts on it.
NOW = datetime.now(UTC)
MUTE = {
    "kind": "mute",
    "matchers": ['{alertname="Chaos"}'],
    "from": (NOW - timedelta(days=1)).isoformat(),
    "until": (NOW + timedelta(days=1)).isoformat(),
    "author": "ana",
    "comment": "the load of a test",
}


class Site:
    """Makes services that have a database of their own each."""

    def __init__(
        self, folder: Path, receiver: Receiver, server: Postgres | None
    ) -> None:
        """Take where they are, whom they ask, and their PostgreSQL."""
        self._folder = folder
        self._receiver = receiver
        self._server = server

    def make(self, name: str) -> ActingService:
        """Return a service whose database is not there yet."""
        url = ""
        if self._server is not None:
            url = self._server.make_database(f"{self._folder.name}_{name}")
        # A job that runs until it is told to end: a backup has it half way.
        return ActingService(
            self._receiver,
            self._folder / name,
            url=url,
            mode="endless",
            run={"timeout_seconds": 600},
        )


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)]
)
def site(
    request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver
) -> Site:
    """Return where services are made, for each kind of database."""
    is_file = request.param == "sqlite"
    server = None if is_file else request.getfixturevalue("postgres")
    return Site(tmp_path, receiver, server)


def read(service: ActingService) -> Found:
    """Return what a database holds of deliveries and alerts."""
    if service.where.startswith("sqlite"):
        return read_sqlite(service.database)
    return read_postgres(service.where)


def running(service: ActingService, host: str) -> bool:
    """Tell whether a job of a host has been started and is not over."""
    return service.has(
        "SELECT id FROM job WHERE state = 'started'"
        f" AND reference <> '' AND target = 'host:{host}'"
    )


def back_up(service: ActingService, file: Path, load: Load) -> Ledger:
    """Make a backup; return what was acknowledged before it began."""
    load.wait_for(ACKS)
    before = Ledger(acks=list(load.ledger.acks), sent=load.ledger.sent)
    made = service.run("backup", str(file))
    assert made.returncode == 0, made.stderr
    return before


def end_all(receiver: Receiver) -> None:
    """Let every job be over, as somebody does at the backend itself."""
    book = Book(receiver.ledger)
    for one in book.lines():
        if one["what"] == "start":
            book.note("abort", one["key"])


def kept(before: Ledger, found: Found) -> list[str]:
    """Return what was acknowledged and is missing, or is there twice.

    What other loads sent is there as well, and is not asked for.
    """
    others = ("strange: nobody sent",)
    return [one for one in before.compare(found) if not one.startswith(others)]


def twice(receiver: Receiver) -> list[str]:
    """Return what was started twice, or sent again."""
    lines = Book(receiver.ledger).lines()
    starts = Counter(one["key"] for one in lines if one["what"] == "start")
    doubled = [f"doubled: {key}" for key, many in starts.items() if many > 1]
    return doubled + [
        f"doubled: {one['key']} was sent again"
        for one in lines
        if one["what"] == "again"
    ]


def go_on(service: ActingService, file: Path, host: str) -> None:
    """Restore a backup, and see the service carry on from it."""
    restored = service.run("restore", str(file))
    assert restored.returncode == 0, restored.stderr
    with service:
        verified = service.run("log", "verify")
        assert verified.returncode == 0, verified.stdout
        wait_until(
            lambda: not running(service, host), f"the job of {host}", SECONDS
        )
        assert service.ask(
            f"SELECT state FROM job WHERE target = 'host:{host}'"
        ) == [("aborted",)]
        assert Proof(service.where).chain_faults() == []
        assert service.deliver(firing("after-restore"))
    service.close()


def test_each_backup_is_whole_and_goes_on(
    site: Site, receiver: Receiver, tmp_path: Path, scale: int
) -> None:
    """Nothing acknowledged is missing in one, and nothing runs twice."""
    service = site.make("origin")
    made: list[tuple[Path, Ledger, str]] = []
    faults: list[str] = []
    with service:
        url = f"{service.url}/api/v1/mutes"
        muted = httpx.post(url, json=MUTE, timeout=30)
        assert muted.status_code == 201, muted.text
        story = Story(service)
        for number in range(BACKUPS * scale):
            host = f"web-{number}"
            story.fire(host)
            is_running = partial(running, service, host)
            wait_until(is_running, f"a job on {host}", SECONDS)
            file = tmp_path / f"{number}.backup"
            load = Load(service.port, clients=2)
            with load.running() as ledger:
                made.append((file, back_up(service, file, load), host))
            faults += ledger.faults
        service.kill()
    end_all(receiver)
    for number, (file, before, host) in enumerate(made):
        other = site.make(f"copy{number}")
        go_on(other, file, host)
        faults += kept(before, read(other))
    service.close()
    settle("backups under load", len(made), [*faults, *twice(receiver)])
