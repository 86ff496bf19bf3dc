"""The service of this release starts on what an earlier one left behind."""

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import create_engine, text

from app.store.location import Location, locate
from app.store.migrate import head
from tests.chaos.acting import SECRET, ActingService
from tests.chaos.load import wait_until
from tests.flow.deciding import firing
from tests.flow.telling import QUICK, Pager
from tests.postgres import Postgres
from tests.receiver import Book, Receiver
from tests.service import Service
from tests.upgrade.conftest import url_of
from tests.upgrade.earlier import REVISIONS, Rows, make_earlier, rows_of

SECONDS = 90
ON_POSTGRES = pytest.mark.real
# Before the log, before it was searched, before anything was decided.
EARLY = [
    ("sqlite", "0001"),
    ("sqlite", "0002"),
    ("sqlite", "0004"),
    pytest.param("postgres", "0002", marks=ON_POSTGRES),
    pytest.param("postgres", "0004", marks=ON_POSTGRES),
]
# With a job that was started, and with letters that wait.
ACTING = [
    ("sqlite", "0005"),
    ("sqlite", "0006"),
    pytest.param("postgres", "0006", marks=ON_POSTGRES),
]


def ask(location: Location, query: str) -> list[Any]:
    """Return rows of a database."""
    engine = create_engine(location.url)
    with engine.connect() as connection:
        rows = list(connection.execute(text(query)).all())
    engine.dispose()
    return rows


def names(service: Service, path: str, field: str, **query: str) -> list[str]:
    """Return one field of all that a list shows."""
    url = f"{service.url}/api/v1{path}"
    answer = httpx.get(url, params={"limit": "500", **query}, timeout=30)
    return [one[field] for one in answer.raise_for_status().json()["items"]]


def check_log(service: Service) -> None:
    """See that the log is whole, old entries and new ones."""
    verified = service.run("log", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.parametrize(("empty", "revision"), EARLY, indirect=["empty"])
def test_it_goes_on(empty: Location, tmp_path: Path, revision: str) -> None:
    """It folds what waited and what is new, and finds what is old."""
    make_earlier(empty, revision, rows_of(revision))
    service = Service(tmp_path, {"database": {"url": url_of(empty)}})
    with service:
        url = f"{service.url}/webhooks/alertmanager"
        body = {"version": "4", "alerts": [firing("new-01")]}
        assert httpx.post(url, json=body, timeout=20).status_code == 202
        wanted = {"unfolded-01", "new-01", "web-01", "web-02", "db-01"}
        wait_until(
            lambda: wanted <= set(names(service, "/incidents", "target_name")),
            "all alerts to be folded",
            SECONDS,
        )
        found = names(service, "/incidents", "target_name", text="web-01")
        assert "web-01" in found
        opened = {"kind": "incident.opened", "since": "2020-01-01T00:00:00Z"}
        for host in ("web-01", "new-01"):
            targets = names(service, "/log", "target", text=host, **opened)
            assert targets == [host]
        check_log(service)


class Owed:
    """A service on a database in which a job and letters were under way."""

    def __init__(
        self,
        where: tuple[Location, Path],
        rows: Rows,
        receiver: Receiver,
        pager: Pager,
    ) -> None:
        """Make the database, and what the job is known by."""
        self.location, folder = where
        self.job = rows["job"][-1]
        assert self.job["state"] == "started"
        key = self.job["key"]
        self.job["reference"] = f"{receiver.url}/jobs/{key}"
        # It was upgraded at once, not days later.
        soon = time.time_ns() // 1_000 + SECONDS * 1_000_000
        self.job["until"] = soon
        for one in rows["mission"]:
            one["deadline_at"] = soon
        told = {"decision": self.job["decision_id"], "incident": 4}
        Book(receiver.ledger).start(key, "later", told)
        self.service = ActingService(
            receiver, folder / "node", url=url_of(self.location)
        )
        tree = yaml.safe_load(self.service.config.read_text())
        tree["channels"] = {"ops": pager.channel}
        tree["report"] = {"retries": QUICK}
        self.service.config.write_text(yaml.safe_dump(tree))

    def has_ended(self) -> bool:
        """Tell whether nothing is owed any more."""
        query = f"SELECT id FROM job WHERE id = {self.job['id']}"
        query += " AND ended_at IS NULL"
        due = "SELECT id FROM dispatch WHERE due_at IS NOT NULL"
        return not ask(self.location, query) and not ask(self.location, due)


@pytest.mark.parametrize(("empty", "revision"), ACTING, indirect=["empty"])
def test_what_was_owed_is_carried_on(
    empty: Location, tmp_path: Path, revision: str
) -> None:
    """A started job is asked for, never sent again; letters go out once."""
    rows = rows_of(revision)
    with Pager() as pager, Receiver(tmp_path, secret=SECRET) as receiver:
        owed = Owed((empty, tmp_path), rows, receiver, pager)
        make_earlier(empty, revision, rows)
        with owed.service:
            wait_until(owed.has_ended, "what was owed", SECONDS)
            check_log(owed.service)
        owed.service.close()
        key = owed.job["key"]
        assert receiver.starts(key) == 1
        assert receiver.noted("again", key) == 0
        (job,) = ask(empty, f"SELECT state FROM job WHERE key = '{key}'")
        assert job.state == "succeeded"
        told = Counter(one["key"] for one in pager.letters)
        assert set(told.values()) <= {1}
        assert len(told) >= len(rows.get("dispatch", []))


def test_two_nodes_start_at_once(empty: Location, tmp_path: Path) -> None:
    """One brings the database forward, the other one waits, both run."""
    make_earlier(empty, "0004", rows_of("0004"))
    nodes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        settings = {"database": {"url": url_of(empty)}}
        nodes.append(Service(tmp_path / name, settings))
    said: list[str] = []

    def migrate(node: Service) -> None:
        """Bring it forward from the command line."""
        done = node.run("migrate", "--json")
        said.append(f"{done.returncode} {done.stdout}{done.stderr}")

    threads = [threading.Thread(target=migrate, args=(n,)) for n in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one.startswith("0 ") for one in said), said
    assert any('"0004"' in one for one in said), said
    assert ask(empty, "SELECT version_num FROM alembic_version") == [(head(),)]


@pytest.mark.parametrize(
    ("empty", "command"),
    [
        ("sqlite", "serve"),
        pytest.param("postgres", "migrate", marks=ON_POSTGRES),
    ],
    indirect=["empty"],
)
def test_a_newer_database_is_left_alone(
    empty: Location, tmp_path: Path, command: str
) -> None:
    """An older release ends with 3, and says what to do."""
    said = refused(empty, tmp_path, "9999", command)
    assert "was made by a newer release" in said
    assert "restore a backup of this one" in said


@pytest.mark.parametrize(
    ("empty", "revision", "remedy"),
    [
        ("sqlite", "9999", "was made by a newer release"),
        ("sqlite", "0004", "main.py migrate"),
    ],
    indirect=["empty"],
)
def test_a_start_that_may_not_migrate_looks(
    empty: Location, tmp_path: Path, revision: str, remedy: str
) -> None:
    """With migrate_on_start off it serves its own schema and no other."""
    assert remedy in refused(empty, tmp_path, revision, "serve", is_on=False)


def refused(
    location: Location,
    folder: Path,
    revision: str,
    *command: str,
    is_on: bool = True,
) -> str:
    """Return what is said of a database of another schema."""
    known = revision if revision in REVISIONS else max(REVISIONS)
    make_earlier(location, known, {})
    engine = create_engine(location.url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = :now"),
            {"now": revision},
        )
    engine.dispose()
    database = {"url": url_of(location), "migrate_on_start": is_on}
    done = Service(folder, {"database": database}).run(*command)
    assert done.returncode == 3, done.stdout + done.stderr
    version = ask(location, "SELECT version_num FROM alembic_version")
    assert version == [(revision,)]
    return " ".join(done.stderr.split())


@pytest.mark.real
def test_no_backup_leaves_out_what_it_does_not_know(
    postgres: Postgres, tmp_path: Path
) -> None:
    """An older release makes no archive of a newer PostgreSQL."""
    url = postgres.make_database("newer_one")
    said = refused(locate(url, tmp_path), tmp_path, "9999", "backup", "x")
    assert "was made by a newer release" in said


def test_a_newer_backup_is_not_put_in_place(tmp_path: Path) -> None:
    """It is refused before the database is there, not behind it."""
    (tmp_path / "one").mkdir()
    newer = locate(f"sqlite:///{tmp_path}/one/newer.db", tmp_path)
    refused(newer, tmp_path / "one", "9999", "migrate")
    service = Service(tmp_path)
    done = service.run("restore", str(newer.file))
    assert done.returncode == 3
    assert "was made by a newer release" in " ".join(done.stderr.split())
    assert not service.database.exists()
