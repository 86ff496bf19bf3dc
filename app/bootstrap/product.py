"""The product: everything that lives as long as the process."""

import asyncio
from collections.abc import Callable

import msgspec
from prometheus_client import CollectorRegistry

from app.access.gate import Gate
from app.bootstrap.access import Access
from app.bootstrap.side import Side
from app.bootstrap.voice import Voice
from app.core.clock import Clock
from app.core.errors import StorageFailed
from app.core.log import get_log
from app.core.look.readings import Readings
from app.core.settings import Settings
from app.decide.narrowing import Narrowing
from app.decide.stock import Stock
from app.engine.acting import Acting
from app.engine.anchor import AnchorFile
from app.engine.cleaner import Cleaner
from app.engine.desk import Desk
from app.engine.keeper import Keeper
from app.engine.simulating import Simulator
from app.engine.tending import Chore, tend
from app.engine.vitals import Vitals
from app.fold.people import People
from app.fold.rules import Rules
from app.ingest.intake import Entrance, Intake
from app.models.action import Catalogue
from app.store.committer import Committer
from app.store.location import Location
from app.store.reading import Reader
from app.store.tail import Tail

log = get_log("bootstrap")


class Product(msgspec.Struct):
    """Everything that lives as long as the process.

    Attributes:
        settings: the application's own settings.
        location: where the database is.
        entrances: the configured sources by name.
        own: those that only we ourselves send by; no list has them.
        intake: step 1.
        committer: the way to the disk.
        rules: how alerts become incidents.
        keeper: writes about incidents.
        people: what people ask for about incidents.
        anchor_file: where the end of the log is kept, or None.
        cleaner: takes off what is old.
        catalogue: what may be done.
        stock: what there is to do it to.
        narrowing: what the rules of the menu leave.
        desk: where decisions are made.
        acting: where they are ruled on, and acted upon.
        voice: what tells people.
        chores: what is done now and then while the service runs.
        tasks: those that run.
        reader: the way back.
        tail: the end of the action log, as it grows.
        endless: ends what never ends by itself; called before draining.
        registry: the metrics.
        clock: the time.
        access: who lets people in, and looks after them.
        side: what serves whoever watches.
        readings: what is measured here, None when nothing watches.
    """

    settings: Settings
    location: Location
    entrances: dict[str, Entrance]
    intake: Intake
    committer: Committer
    rules: Rules
    keeper: Keeper
    people: People
    anchor_file: AnchorFile | None
    cleaner: Cleaner
    catalogue: Catalogue
    stock: Stock
    narrowing: Narrowing
    desk: Desk
    acting: Acting
    voice: Voice
    reader: Reader
    tail: Tail
    registry: CollectorRegistry
    clock: Clock
    access: Access
    side: Side
    readings: Readings | None = None
    own: tuple[Entrance, ...] = ()
    chores: tuple[Chore, ...] = ()
    tasks: list[asyncio.Task[None]] = []
    endless: list[Callable[[], None]] = []

    @property
    def gate(self) -> Gate:
        """Return who knows who asks."""
        return self.access.gate

    @property
    def vitals(self) -> Vitals:
        """Return what the service counts of itself, over time."""
        return self.side.vitals

    @property
    def simulator(self) -> Simulator:
        """Return who calls the problem simulator."""
        return self.side.simulator

    async def start(self) -> None:
        """Start what runs in the background."""
        self.committer.start()
        self.keeper.start()
        for chore in (*self.chores, *self.side.chores):
            self.tasks.append(asyncio.create_task(tend(chore)))
        try:
            await asyncio.to_thread(self.reader.open)
        except StorageFailed as error:
            log.warning("reader.not_ready", error=str(error))
        await self.access.keys.locksmith.look()

    async def stop(self) -> None:
        """Finish what waits and give everything back."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.committer.stop()
        await asyncio.to_thread(self.keeper.stop)
        self.reader.close()
        self.tail.close()
        await self.desk.close()
