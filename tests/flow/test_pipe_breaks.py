"""F28: whatever stage of the pipe is broken, the canary tells so.

Each stage is broken from outside while the service runs, and mended again:
the age of that stage and of all behind it grows, and it is named.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from app.models.canary import STAGES
from tests.flow.deciding import firing
from tests.flow.test_canary import EVERY, figures, flying, stuck
from tests.service import Service
from tests.unit.act.local.stands import wait_for

PATIENCE = 90.0
# With a canary each minute an alarm is to sound within 2 minutes; here it
# comes every few seconds, and sounds after as many beats.
LATE = 2 * EVERY
Break = Callable[[Path], AbstractContextManager[None]]
REFUSED = "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"


def changed(file: Path, *statements: str) -> None:
    """Do something to the database, as a program beside the service."""
    with closing(sqlite3.connect(file, timeout=60)) as other:
        for statement in statements:
            other.execute(statement)
        other.commit()


@contextmanager
def shut(file: Path) -> Iterator[None]:
    """Let nobody write: the door answers 503, and all behind it stands."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout = 60000")
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def refusing(file: Path, when: str) -> Iterator[None]:
    """Refuse some rows: what writes them fails, all before it goes on."""
    changed(file, f"CREATE TRIGGER broken BEFORE {when} {REFUSED}")
    yield
    changed(file, "DROP TRIGGER broken")


# What is broken, and before which stage a canary stands.
WAYS: dict[str, tuple[Break, str]] = {
    "the door": (shut, "accepted"),
    "deciding": (partial(refusing, when="INSERT ON decision"), "decided"),
    "measuring": (
        partial(refusing, when="UPDATE ON job WHEN NEW.verdict = 'fixed'"),
        "verified",
    ),
    "telling": (
        partial(refusing, when="UPDATE ON dispatch WHEN NEW.state = 'sent'"),
        "told",
    ),
}


def ages(service: Service) -> list[float]:
    """Return how old the last canary is that came through each stage."""
    seen = figures(service)
    return [seen[f"age:{stage}"] for stage in STAGES]


def is_fresh(service: Service) -> bool:
    """Tell whether canaries come through all of it."""
    return max(ages(service)) < LATE


def send(service: Service) -> int:
    """Send an alert; return the status of the answer."""
    body = {"version": "4", "alerts": [firing("web-01")]}
    url = f"{service.url}/webhooks/alertmanager"
    return httpx.post(url, json=body, timeout=60).status_code


@pytest.mark.parametrize("stage", WAYS)
def test_a_broken_stage_is_seen_by_its_age(tmp_path: Path, stage: str) -> None:
    """It grows past two beats while it is broken, and falls when mended."""
    breaks, named = WAYS[stage]
    with flying(tmp_path) as service:
        wait_for(lambda: "took:closed" in figures(service), PATIENCE)
        wait_for(partial(is_fresh, service), PATIENCE)

        def is_seen() -> bool:
            """Tell whether all stages from the broken one on are late."""
            return min(ages(service)[STAGES.index(named) :]) > LATE

        with breaks(service.database):
            wait_for(is_seen, PATIENCE)
            wait_for(lambda: stuck(service) == (named, "late"), PATIENCE)
            # Behind the door, nothing that is broken shuts it.
            expected = 503 if stage == "the door" else 202
            assert send(service) == expected
        wait_for(partial(is_fresh, service), PATIENCE)
