"""A post room: a node that tells and sends on a real database, by itself."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from prometheus_client import CollectorRegistry
from sqlalchemy import select

from app.core.clock import SystemClock
from app.core.errors import OutgoingFailed
from app.decide.reins import DecideSettings
from app.decide.runbooks import Runbooks
from app.engine.casework import Casework
from app.engine.factfinding import FactFinder
from app.engine.keeper import Keeper
from app.engine.keeper import Meters as KeeperMeters
from app.engine.outgoing import Outgoing
from app.engine.posting import Parts, PostingChore
from app.engine.postmeters import Meters
from app.engine.telling import Teller, TellingChore
from app.engine.ways import RealWays
from app.fold.folding import Folder
from app.fold.rules import FoldSettings, make_rules
from app.guard.halting import Halting
from app.models.entry import Note
from app.models.inventory import Inventory
from app.models.message import Dispatch, Letter
from app.report.composing import Composer
from app.report.settings import ReportSettings
from app.report.templates import Templates
from app.store.dispatches import DISPATCH, to_dispatch
from app.store.glance import Seen
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.log import append
from app.store.reading import Reader, open_engine

PATIENCE = 60.0
T = TypeVar("T")


class Box:
    """The other end of a channel: open, shut, or failing for a while."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.waiting = 0
        self.most_waiting = 0
        self.failures = 0
        self.bugs = 0

    async def send(self, letter: Letter) -> str:
        """Take a letter once the box is open."""
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        try:
            await self.is_open.wait()
        finally:
            self.waiting -= 1
        if self.bugs:
            self.bugs -= 1
            raise KeyError("a bug")
        if self.failures:
            self.failures -= 1
            raise OutgoingFailed("not now")
        self.letters.append(letter)
        return f"no. {len(self.letters)}"

    @property
    def about(self) -> list[int]:
        """Return the incidents of all letters, in their order."""
        return [one.facts.incident for one in self.letters]


class PatientWays(RealWays):
    """The product's own ways, whose looks are waited for in the end."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.looks: set[asyncio.Future[Any]] = set()

    async def glance(
        self, work: Callable[[Connection], T], last: Seen[T] | None
    ) -> Seen[T]:
        """Look, and go on looking when nobody waits for it any more."""
        looking = asyncio.ensure_future(super().glance(work, last))
        self.looks.add(looking)
        looking.add_done_callback(self.looks.discard)
        return await asyncio.shield(looking)


class PostRoom:
    """One node; several may share a database and its boxes."""

    def __init__(
        self,
        location: Location,
        boxes: Mapping[str, Box],
        folder: Path,
        **report: Any,
    ) -> None:
        self.boxes = boxes
        self.clock = SystemClock()
        self.registry = CollectorRegistry()
        rules = make_rules(FoldSettings())
        self.reader = Reader(open_engine(location, 10.0))
        self.keeper = Keeper(
            Ledger(location, 10.0),
            Folder(rules, self.clock),
            self.clock,
            KeeperMeters(self.registry),
        )
        halting = Halting(folder / "HALT")
        self._ways = ways = PatientWays(self.keeper, self.reader, halting)
        casework = Casework(
            rules, DecideSettings(), Runbooks(None), self.clock, Inventory
        )
        quick = {"first_seconds": 0.01, "most_seconds": 0.01}
        settings = ReportSettings.model_validate({"retries": quick, **report})
        facts = FactFinder(casework, Inventory, "")
        teller = Teller(settings, list(boxes), facts, self.clock)
        self.teller = TellingChore(teller, ways, self.keeper)
        self.poster = PostingChore(
            Parts(
                outgoing=Outgoing(settings, self.clock),
                channels=boxes,
                composer=Composer(settings, Templates()),
                ways=ways,
                keeper=self.keeper,
                clock=self.clock,
                meters=Meters(self.registry),
                chance=lambda: 1.0,
            ),
            f"node-{id(self)}",
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start the keeper and the chores."""
        self.keeper.start()
        for chore in (self.teller, self.poster):
            self._tasks.append(asyncio.create_task(chore.run()))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop all."""
        await self.stop_sending()
        await asyncio.gather(*self._ways.looks, return_exceptions=True)
        await asyncio.to_thread(self.keeper.stop)
        self.reader.close()

    async def stop_sending(self) -> None:
        """Stop the chores, as a shut-down does."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def note(self, kind: str, *incidents: int, **body: Any) -> None:
        """Write a line into the log for each of some incidents."""
        notes = [
            Note(kind=kind, incident=one, actor="test", summary="s", body=body)
            for one in incidents
        ]
        now = self.clock.now()
        asked = self.keeper.ask(lambda c: append(c, now, notes))
        await asyncio.wrap_future(asked)

    def ways(self) -> list[Dispatch]:
        """Return all dispatches, in their order."""
        query = select(DISPATCH).order_by(DISPATCH.c.id)
        return self.reader.ask(
            lambda c: [to_dispatch(row) for row in c.execute(query)]
        )

    def figure(self, name: str, **labels: str) -> float:
        """Return what Prometheus is told."""
        return self.registry.get_sample_value(name, labels) or 0.0

    async def wait_for(self, is_so: Callable[[], object]) -> None:
        """Return when something has come true, or fail."""
        deadline = self.clock.monotonic() + PATIENCE
        while not is_so():
            assert self.clock.monotonic() < deadline, "it did not come true"
            await asyncio.sleep(0.01)

    async def wait_until(self, *states: str) -> None:
        """Return when all dispatches, of which there are some, are over."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await asyncio.to_thread(self.ways)
                if found and all(one.state in states for one in found):
                    return
                await asyncio.sleep(0.02)
