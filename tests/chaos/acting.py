"""A service that acts on a real receiver, and what must hold of it."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import yaml
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from app.store.location import locate
from tests.chaos.acting_main import (
    ACTIONS,
    CRASH_AT,
    CRASH_WITH,
    LATCH,
    POINTS,
)
from tests.chaos.load import wait_until
from tests.chaos.proof import Proof
from tests.flow.decider_main import ACTION
from tests.flow.deciding import DecidingService, firing
from tests.receiver import Book, Receiver

SECRET = "a-secret-of-this-test"
RUN = {"backend": "webhook", "job": "flush", "timeout_seconds": 60}
SPEC: dict[str, Any] = {
    "name": "flush_queue",
    "purpose": "Flush the queue of one host.",
    "when_to_use": "A queue is full.",
    "when_not_to_use": "It is not.",
    "parameters": {
        "host": {
            "purpose": "the host that the queue is on",
            "shape": "host",
            "labels": ["instance", "host"],
            "inventory": "host",
        }
    },
    "risk": "reversible",
    "run": RUN,
    "check": {
        "name": "alert_is_over",
        "hold_seconds": 1,
        "within_seconds": 30,
        "every_seconds": 1,
    },
    "cooldown_seconds": 0,
    "budget": {"runs": 1000, "window_seconds": 60},
}
POLICY = {
    "rules": [],
    "budgets": [],
    "blast": {"targets": 100_000, "siblings": 100_000},
    "breaker": {"rate": 1, "runs": 100_000},
}
GOING = "SELECT id FROM mission WHERE stage NOT IN ('closed', 'escalated')"
ENDED = (
    'SELECT i.target_name, m."end" FROM incident i JOIN mission m'
    " ON m.incident_id = i.id WHERE m.stage IN ('closed', 'escalated')"
)
JOBS = "SELECT key, started_at, is_idempotent FROM job"
ASKED = "SELECT id FROM approval WHERE state = 'asked'"
ALERTS = "SELECT fingerprint, status FROM alert"
REASONS = "SELECT reason FROM mission WHERE stage = 'escalated'"
# What was certainly never sent has no time of a start any more: a hold that
# was lost between the commit and the sending.
STARTED = (
    "job WHERE started_at IS NOT NULL OR reason LIKE 'it was not started: %'"
)
# What is told in the log exactly as often as it is in the rows.
TOLD = (
    ("starts", STARTED, "'job.started'"),
    ("ends", STARTED, "'job.ended'"),
    ("missions", "mission", "'mission.closed', 'incident.escalated'"),
    ("decisions", "decision", "'decision.made'"),
    ("rulings", "ruling", "'ruling.made'"),
    ("approvals", "approval", "'approval.asked'"),
    ("incidents", "incident", "'incident.opened'"),
)


def _endpoint(url: str, mode: str) -> dict[str, Any]:
    """Return the settings of an endpoint of a receiver."""
    return {
        "url": f"{url}/{mode}/flush",
        "find_url": f"{url}/find?key={{key}}",
        "secret": SECRET,
        "allow": ["127.0.0.0/8"],
    }


class ActingService(DecidingService):
    """A node that runs one action at a receiver."""

    entry = ("-m", "tests.chaos.acting_main")

    def __init__(
        self,
        receiver: Receiver,
        folder: Path,
        *,
        url: str = "",
        through: str = "",
        mode: str = "later",
        trust: str = "auto",
        act: Mapping[str, Any] | None = None,
        run: Mapping[str, Any] | None = None,
        endpoint: Mapping[str, Any] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.points = folder / "points"
        self.receiver = receiver
        actions = folder / "actions"
        actions.mkdir(exist_ok=True)
        (actions / "flush_queue.yaml").write_text(yaml.safe_dump(SPEC))
        policy = {**POLICY, "trust": {"otherwise": trust}}
        self.policy = folder / "policy.yaml"
        self.policy.write_text(yaml.safe_dump(policy))
        self.halt_file = folder / "HALT"
        where = {**_endpoint(receiver.url, mode), **(endpoint or {})}
        settings = {
            "policy": {
                "file": str(self.policy),
                "halt_file": str(self.halt_file),
            },
            "backends": {"webhook": {"endpoints": {"flush": where}}},
            "act": {
                "poll_seconds": 0.2,
                "lease_seconds": 2,
                "run": {"flush_queue": {**RUN, **(run or {})}},
                **(act or {}),
            },
            **({"database": {"url": through or url}} if url else {}),
            **(more or {}),
        }
        super().__init__(folder, settings)
        self.where = url or f"sqlite:///{self.database}"
        self._engine = create_engine(
            locate(self.where, Path()).url, poolclass=NullPool
        )
        self._environ[ACTION] = "flush_queue"
        self._environ[ACTIONS] = str(actions)

    def crash_at(
        self,
        point: str,
        sign: int = signal.SIGKILL,
        latch: Path | None = None,
    ) -> None:
        """Let the next start end, or freeze, at a point."""
        self._environ[LATCH] = str(latch or "")
        self._environ[POINTS] = str(self.points)
        self._environ[CRASH_AT] = point
        self._environ[CRASH_WITH] = str(int(sign))

    def passed(self) -> list[str]:
        """Return the points that were passed."""
        if not self.points.exists():
            return []
        return self.points.read_text().splitlines()

    @property
    def has_ended(self) -> bool:
        """Tell whether it has ended by itself."""
        return self._process is None or self._process.poll() is not None

    def signal(self, sign: signal.Signals) -> None:
        """Send it a signal, and wait for nothing."""
        os.kill(self.pid, sign)

    @property
    def goes_on(self) -> bool:
        """Tell whether it has neither ended nor been frozen."""
        if self.has_ended:
            return False
        told = Path(f"/proc/{self.pid}/stat").read_text()
        return told.rpartition(")")[2].split()[0] != "T"

    def ask(self, query: str) -> list[Any]:
        """Return rows of the database; none while it cannot be asked."""
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(text(query)).all())
        except DBAPIError:
            return []

    def has(self, query: str) -> bool:
        """Tell whether a question has an answer."""
        return bool(self.ask(query))

    def close(self) -> None:
        """Give back what asks the database."""
        self._engine.dispose()

    def deliver(self, *alerts: dict[str, Any]) -> bool:
        """Send alerts; tell whether they were acknowledged."""
        body = {"version": "4", "alerts": alerts}
        try:
            answer = httpx.post(
                f"{self.url}/webhooks/alertmanager", json=body, timeout=20
            )
        except httpx.TransportError:
            return False
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202


class Story:
    """Some incidents, from their alerts to their ends, whatever happens."""

    def __init__(self, *nodes: ActingService) -> None:
        self._nodes = nodes
        self._store = nodes[0]
        self._receiver = nodes[0].receiver
        self.hosts: set[str] = set()
        self._acknowledged: set[str] = set()
        self._resolved: set[str] = set()

    def fire(self, host: str) -> None:
        """Let something be wrong with a host."""
        self.hosts.add(host)
        if self._deliver(firing(host)):
            self._acknowledged.add(host)

    def _deliver(self, alert: dict[str, Any]) -> bool:
        """Send an alert to any node that takes it."""
        nodes = [one for one in self._nodes if one.goes_on]
        random.shuffle(nodes)
        return any(one.deliver(alert) for one in nodes)

    def help_on(self) -> None:
        """Grant what is asked, and tell that what was worked on is over."""
        for (number,) in self._store.ask(ASKED):
            self._grant(number)
        rows = self._store.ask(
            "SELECT i.target_name FROM incident i JOIN job j"
            " ON j.incident_id = i.id WHERE j.ended_at IS NOT NULL"
        )
        for (name,) in rows:
            if name not in self._resolved and self._deliver(ended(name)):
                self._resolved.add(name)

    def _grant(self, number: int) -> None:
        """Grant a question at any node that takes it; as often as needed."""
        body = {"author": "ana", "comment": "yes"}
        for node in self._nodes:
            path = f"{node.url}/api/v1/approvals/{number}/grant"
            # Whoever has no answer looks again, and clicks again.
            with suppress(httpx.TransportError):
                answer = httpx.post(path, json=body, timeout=20)
                assert answer.status_code in (200, 409, 503), answer.text

    def is_over(self) -> bool:
        """Tell whether every host has an incident that has come to an end."""
        self.help_on()
        told = self.ends().keys()
        for host in self.hosts - self._acknowledged:
            self.fire(host)
        return told >= self.hosts and not self._store.has(GOING)

    def wait(self, seconds: float = 90) -> None:
        """Return when all is over."""
        wait_until(self.is_over, "every incident to end", seconds)

    def ends(self) -> dict[str, str]:
        """Return how it ended, by host."""
        return dict(self._store.ask(ENDED))

    def alert_faults(self) -> list[str]:
        """Return which alerts are not there once, or led to no end."""
        rows = Counter(tuple(row) for row in self._store.ask(ALERTS))
        wanted = [(host, "firing") for host in self._acknowledged]
        wanted += [(host, "resolved") for host in self._resolved]
        return [
            *(f"lost: the alert {one}" for one in wanted if not rows[one]),
            *(f"twice: {one}" for one, many in rows.items() if many > 1),
            *(f"no end: {host}" for host in self.hosts - self.ends().keys()),
            *("no reason: an escalation" for why in self.reasons() if not why),
        ]

    def reasons(self) -> Counter[str]:
        """Return why people were given an incident, and how often."""
        return Counter(why for (why,) in self._store.ask(REASONS))

    def faults(self) -> list[str]:
        """Return all that must not be."""
        return [
            *self._twice(),
            *self._unknown(),
            *self._untold(),
            *Proof(self._store.where).chain_faults(),
        ]

    def _twice(self) -> Iterator[str]:
        """Yield what was started twice."""
        lines = Book(self._receiver.ledger).lines()
        starts = [one for one in lines if one["what"] == "start"]
        for what, counts in (
            ("key", Counter(one["key"] for one in starts)),
            ("decision", Counter(one["told"]["decision"] for one in starts)),
            ("incident", Counter(one["told"]["incident"] for one in starts)),
        ):
            for name, count in counts.items():
                if count > 1:
                    yield f"{what} {name} was started {count} times"

    def _unknown(self) -> Iterator[str]:
        """Yield what was sent, and should not have been as the rows say."""
        jobs = {row.key: row for row in self._store.ask(JOBS)}
        for one in Book(self._receiver.ledger).lines():
            job, what = jobs.get(one["key"]), one["what"]
            if job is None or job.started_at is None:
                yield f"{what} of {one['key']}, and nobody wrote that down"
            # The receiver knows its keys, and yet nobody relies on that.
            elif what == "again" and not job.is_idempotent:
                yield f"{one['key']} was sent again"

    def _untold(self) -> Iterator[str]:
        """Yield what the rows say and the log does not, or more often."""
        for what, rows, kinds in TOLD:
            count = self._store.ask(f"SELECT count(*) FROM {rows}")
            told = self._store.ask(
                f"SELECT count(*) FROM entry WHERE kind IN ({kinds})"
            )
            if count != told:
                yield f"{what}: {count} in the rows, {told} in the log"
        for number, state in self._store.ask(
            "SELECT id, state FROM job"
            " WHERE state IN ('planned', 'claimed', 'started')"
        ):
            yield f"job {number} is {state} for ever"


def ended(host: str) -> dict[str, Any]:
    """Return what says that the alert about a host is over."""
    over = {"status": "resolved", "endsAt": "2026-11-21T02:15:02Z"}
    return {**firing(host), **over}
