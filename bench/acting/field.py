"""Where acting is measured: services, a receiver and a database, all here.

Nothing leaves the machine. The policy lets everything run at once: what is
measured is what a run costs, not how often one may be.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
import yaml
from sqlalchemy import Connection, Engine, create_engine, text

from bench.ingest.run import cpu_seconds
from tests.flow.decider_main import ACTION, FILE, SECONDS
from tests.postgres import Postgres
from tests.programs import free_port
from tests.service import HOME, OPEN, Service

NAME = "touch_host"
SECRET = "bench-secret"
PATIENCE = 900.0
PROBE = {"name": "tcp_probe", "hold_seconds": 0, "every_seconds": 1}
# Short windows: a policy that is in use counts few runs, too.
WINDOW = "10s"


class Plan(msgspec.Struct, frozen=True):
    """What is set up.

    Attributes:
        is_postgres: on which database.
        nodes: how many services share it.
        polls: how often a job is asked for until it is over.
        trust: how far the ladder goes: auto, approve.
        settings: further settings.
    """

    is_postgres: bool = False
    nodes: int = 1
    polls: int = 0
    trust: str = "auto"
    settings: dict[str, Any] = {}


def policy(trust: str) -> dict[str, Any]:
    """Return a policy that holds nothing back but by the ladder."""
    budget = {"runs": 100_000, "window": WINDOW}
    pers: dict[str, list[str]] = {
        "again": ["action", "target"],
        "action-hour": ["action"],
        "team-hour": ["team"],
        "hour": [],
        "day": [],
    }
    budgets = [{"name": n, "per": per, **budget} for n, per in pers.items()]
    return {
        "rules": [],
        "evidence": {"decided": "1h", "granted": "2h"},
        "ask": {"for": "1h"},
        "budgets": budgets,
        "blast": {"targets": 100_000, "siblings": 100_000, "window": WINDOW},
        "breaker": {"rate": 1.0, "window": WINDOW},
        "trust": {"otherwise": trust},
    }


def action(port: int) -> dict[str, Any]:
    """Return an action that a receiver runs, and that a probe measures."""
    return {
        "name": NAME,
        "purpose": "Do what the receiver of the bench does.",
        "when_to_use": "In a measurement.",
        "when_not_to_use": "Anywhere else.",
        "parameters": {
            "host": {
                "purpose": "the host",
                "shape": "host",
                "labels": ["instance"],
                "inventory": "host",
            }
        },
        "risk": "reversible",
        "run": {"backend": "webhook", "job": "touch"},
        "check": {**PROBE, "options": {"host": "127.0.0.1", "port": port}},
        "cooldown_seconds": 0,
        "budget": {"runs": 1000, "window_seconds": 10},
    }


class Node(Service):
    """A service that decides for nothing, and acts."""

    entry = ("-m", "bench.acting.serve")

    def peak_mb(self) -> float:
        """Return the most memory that it ever had."""
        return _status_mb(self.pid, "VmHWM")

    def resident_mb(self) -> float:
        """Return the memory that it has."""
        return _status_mb(self.pid, "VmRSS")


class Field:
    """A database, a receiver, and services on them."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Take where all of it lies, and what is set up."""
        self._folder = folder
        self._plan = plan
        self._stack = ExitStack()
        self.nodes: list[Node] = []
        # The SQLite file, None on PostgreSQL.
        self.file: Path | None = folder / "bench.db"
        self.halt_file = folder / "HALT"
        self._engine: Engine | None = None
        self._port = free_port()

    def __enter__(self) -> Self:
        """Start all of it."""
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self._stack.close()

    def _open(self) -> None:
        """Start the database, the receiver and the services."""
        url = f"sqlite:///{self.file}"
        if self._plan.is_postgres:
            self.file = None
            server = self._stack.enter_context(Postgres())
            url = server.make_database("bench")
        words = [sys.executable, "-m", "bench.acting.receiver"]
        words += [str(self._port), str(self._plan.polls)]
        receiver = subprocess.Popen(words, cwd=HOME)
        self._stack.callback(receiver.wait)
        self._stack.callback(receiver.terminate)
        actions = self._folder / "actions"
        actions.mkdir()
        (actions / "touch.yaml").write_text(yaml.safe_dump(action(self._port)))
        (self._folder / "policy.yaml").write_text(
            yaml.safe_dump(policy(self._plan.trust))
        )
        for number in range(self._plan.nodes):
            home = self._folder / f"node-{number}"
            home.mkdir()
            node = Node(home, self._settings(url), self._environ())
            self._stack.enter_context(node)
            self.nodes.append(node)
        driver = url.replace("postgresql:", "postgresql+psycopg:")
        self._engine = create_engine(driver)
        self._stack.callback(self._engine.dispose)

    def _settings(self, url: str) -> dict[str, Any]:
        """Return the settings of a service."""
        endpoint = {
            "url": f"http://127.0.0.1:{self._port}/start",
            "secret": SECRET,
            "allow": ["127.0.0.0/8"],
        }
        decide = {
            "brain": "fake",
            "settle_seconds": 0,
            "calls_per_minute": 1_000_000,
            "patience_seconds": 3_600,
        }
        return {
            "sources": {"alertmanager": OPEN},
            "database": {"url": url},
            "log": {"level": "warning"},
            "decide": decide,
            "policy": {
                "file": str(self._folder / "policy.yaml"),
                "halt_file": str(self.halt_file),
            },
            "backends": {"webhook": {"endpoints": {"touch": endpoint}}},
            "act": {"poll_seconds": 0.05},
            **self._plan.settings,
        }

    def _environ(self) -> dict[str, str]:
        """Return what the fake brain is told, and where the action lies."""
        return {
            FILE: str(self._folder / "calls"),
            SECONDS: "0",
            ACTION: NAME,
            "BENCH_ACTIONS": str(self._folder / "actions"),
        }

    def ask(self, query: str, **bounds: object) -> list[Any]:
        """Return the rows of a question to the database itself."""
        if self._engine is None:
            raise RuntimeError("it is not open")
        with self._engine.connect() as connection:
            return list(connection.execute(text(query), bounds))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a transaction while no service runs."""
        if self._engine is None:
            raise RuntimeError("it is not open")
        for node in self.nodes:
            node.stop()
        with self._engine.begin() as connection:
            yield connection
        for node in self.nodes:
            node.start()

    def count(self, table: str, where: str = "1 = 1") -> int:
        """Return how many rows there are."""
        ((number,),) = self.ask(f"SELECT count(*) FROM {table} WHERE {where}")
        return int(number)

    def calls(self) -> int:
        """Return how often the brain was asked."""
        file = self._folder / "calls"
        return file.read_bytes().count(b"\n") if file.exists() else 0

    def started(self) -> dict[str, float]:
        """Return what the receiver has counted."""
        place = f"http://127.0.0.1:{self._port}/count"
        with urllib.request.urlopen(place, timeout=10) as found:
            counted: dict[str, float] = json.loads(found.read())
        return counted

    def cpu(self) -> float:
        """Return the processor time of the services, in seconds."""
        return sum(cpu_seconds(node.pid) for node in self.nodes)

    def wait_for(
        self, is_so: Callable[[], object], every: float = 0.2
    ) -> None:
        """Return when something has come true, or fail."""
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                raise TimeoutError("it did not come true in time")
            time.sleep(every)


def machine() -> str:
    """Return what it was measured on."""
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    python = sys.version.split()[0]
    return f"{cores} cores, load {load:.1f} before, Python {python}"


def _status_mb(pid: int, name: str) -> float:
    """Return a line of a process's memory in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {name}")
