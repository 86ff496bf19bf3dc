"""A hall: a node that folds and decides on a real database, with fakes."""

import asyncio
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Self

import msgspec
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from app.bootstrap import open_inbox
from app.core.clock import SystemClock
from app.core.configfile import Config
from app.engine.desk import Desk, Room
from app.engine.keeper import Keeper, Meters
from app.fold.folding import Folder
from app.fold.rules import FoldSettings, make_rules
from app.models.alert import Severity, Status
from app.models.decision_tables import DecisionRow
from app.models.entry import Note
from app.models.inventory import Inventory
from app.models.tables import EntryRow, IncidentRow
from app.ports import Brain
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.log import append
from app.store.reading import Reader, open_engine
from tests.brains import make_decider, the_catalogue
from tests.fakes import make_alert, make_filing

PATIENCE = 60.0
QUICK = {"settle_seconds": 0, "rest_seconds": 0, "brain": "fake"}
bodies = count(1)


class Hall:
    """One node; several may share a database."""

    def __init__(
        self,
        location: Location,
        brains: Mapping[str, Brain],
        tree: Mapping[str, Any] | None = None,
        **decide: Any,
    ) -> None:
        self.clock = SystemClock()
        self.registry = CollectorRegistry()
        tree = dict(tree or {})
        fold = FoldSettings.model_validate(tree.pop("incidents", {}))
        rules = make_rules(fold)
        self.reader = Reader(open_engine(location, 10.0))
        self.inbox = open_inbox(location, 10.0)
        self.keeper = Keeper(
            Ledger(location, 10.0),
            Folder(rules, self.clock),
            self.clock,
            Meters(self.registry),
        )
        settings = {"decide": {**QUICK, **decide}, **tree}
        self.desk = Desk(
            make_decider(brains),
            Config(settings, {(): "test"}),
            Room(
                keeper=self.keeper,
                reader=self.reader,
                rules=rules,
                catalogue=the_catalogue(),
                location=location,
                clock=self.clock,
                registry=self.registry,
                home=Path(),
                wait_seconds=5.0,
                inventory=Inventory,
            ),
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the keeper and the chore."""
        self.keeper.start()
        self._task = asyncio.create_task(self.desk.chore.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop both."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self.keeper.stop)
        self.reader.close()
        self.inbox.close()

    def tell(
        self, host: str = "web-01", name: str = "DiskFull", **more: Any
    ) -> None:
        """Let a source say something about a host."""
        begins = more.pop("starts_at", self.clock.now() - 1_000_000)
        values = {
            "occurrence": f"{begins} {more}",
            "name": name,
            "labels": {
                "alertname": name,
                "instance": f"{host}:9100",
                "mountpoint": "/var",
            },
            "severity": Severity.WARNING,
            "starts_at": begins,
            **more,
        }
        mark = str(values.pop("fingerprint", f"{host}/{name}"))
        self.write([make_alert(mark, **values)])

    def write(self, alerts: list[Any]) -> None:
        """Let a source say this in one delivery."""
        filing = make_filing(
            *alerts,
            body=str(next(bodies)).encode(),
            received_at=self.clock.now(),
        )
        self.inbox.write([filing])
        self.keeper.wake()

    def end(self, host: str = "web-01", name: str = "DiskFull") -> None:
        """Let a problem of a host be over."""
        now = self.clock.now()
        began = self.rows(IncidentRow)[-1].begins_at
        self.tell(
            host,
            name,
            status=Status.RESOLVED,
            starts_at=began,
            ends_at=now,
        )

    async def turn(self, work: Callable[[Connection], Any]) -> Any:
        """Do some work in a turn of the keeper."""
        return await asyncio.wrap_future(self.keeper.ask(work))

    async def note(self, kind: str, incident: int) -> None:
        """Write a line into the log."""
        said = Note(
            kind=kind, incident=incident, actor="person:ana", summary=kind
        )
        await self.turn(
            lambda turn: append(turn, self.clock.now(), [said]) and None
        )

    def rows(self, table: Any) -> list[Any]:
        """Return the rows of a table by id."""
        query = select(table.__table__).order_by(table.id)
        return self.reader.ask(lambda c: list(c.execute(query)))

    @property
    def decisions(self) -> list[Any]:
        """Return what was decided, no shadow's."""
        return [row for row in self.rows(DecisionRow) if not row.is_shadow]

    @property
    def shadows(self) -> list[Any]:
        """Return what shadows decided."""
        return [row for row in self.rows(DecisionRow) if row.is_shadow]

    def log(self, kind: str) -> list[Any]:
        """Return what the action log says of one kind."""
        return [row for row in self.rows(EntryRow) if row.kind == kind]

    def body(self, entry: Any) -> dict[str, Any]:
        """Return the details of an entry."""
        found: dict[str, Any] = msgspec.json.decode(entry.body)
        return found

    async def until(self, is_so: Callable[[], object]) -> None:
        """Return when something has come true, or fail."""
        deadline = time.monotonic() + PATIENCE
        while not await asyncio.to_thread(is_so):
            assert time.monotonic() < deadline, "it did not come true in time"
            await asyncio.to_thread(time.sleep, 0.02)

    async def quiet(self) -> None:
        """Return when all that came is folded, and looked at twice.

        The chore shows that it looked by deciding on one more incident.
        """
        mark = f"mark-{next(bodies)}"
        self.tell(mark)
        await self.until(lambda: self.of(mark))

    def of(self, host: str) -> list[Any]:
        """Return the decisions on a host."""
        return [
            row for row in self.decisions if row.target.endswith(f":{host}")
        ]

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of a metric, 0 before it is there."""
        return self.registry.get_sample_value(name, labels) or 0.0
