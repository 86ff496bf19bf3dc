"""The cleaner: once an hour it takes off what is old, batch by batch.

Each batch is a turn of the keeper, with a pause after it: whoever waits for
a receipt or a fold comes first.
"""

import asyncio
from collections.abc import Iterator
from typing import TypeVar

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import Field

from app.core.clock import Clock
from app.core.configfile import Section
from app.core.errors import SmokejumperError
from app.core.log import get_log
from app.engine.keeper import Keeper, Work
from app.store import retention
from app.store.ledger import Connection
from app.store.retention import Room, Sweep, Swept

DAY = 86_400 * 1_000_000
HOUR = DAY // 24
PAUSE_SECONDS = 0.02
# By size, nothing that came within the last hour is taken off.
SHRINKS = 12
T = TypeVar("T")
log = get_log("cleaner")


class RetentionSettings(Section):
    """How long things are kept, in days; 0 is for ever."""

    deliveries_days: float = Field(30.0, ge=0)
    alerts_days: float = Field(90.0, ge=0)
    incidents_days: float = Field(400.0, ge=0)
    log_days: float = Field(0.0, ge=0)
    max_bytes: int = Field(0, ge=0)
    every_seconds: float = Field(3_600.0, ge=1)


class Meters:
    """What the cleaner tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.deleted = Counter(
            "smokejumper_retention_deleted",
            "Rows that were removed by age or size",
            ["table"],
            registry=registry,
        )
        self.used = Gauge(
            "smokejumper_database_used_bytes",
            "Bytes of the database that hold rows",
            registry=registry,
        )
        self.is_over = Gauge(
            "smokejumper_database_is_over_size",
            "1 when all that may be removed does not make it small enough",
            registry=registry,
        )


class Step(msgspec.Struct, frozen=True):
    """One table that is swept: what, how, and how long it is kept."""

    table: str
    sweep: Sweep
    days: float


class Cleaner:
    """Sweeps the tables, oldest rows first."""

    def __init__(
        self,
        keeper: Keeper,
        settings: RetentionSettings,
        clock: Clock,
        meters: Meters,
    ) -> None:
        """Take who writes, how long things are kept, and the time."""
        self._keeper = keeper
        self._settings = settings
        self._clock = clock
        self._meters = meters

    async def run(self) -> None:
        """Clean up now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._settings.every_seconds)
            try:
                await self.clean()
            except SmokejumperError as error:
                log.warning("retention.failed", error=str(error))

    async def clean(self) -> dict[str, int]:
        """Take off what is too old, then what is too much."""
        gone = dict.fromkeys((step.table for step in self._steps()), 0)
        for step in self._steps():
            if step.days:
                before = self._clock.now() - int(step.days * DAY)
                gone[step.table] += await self._sweep(step, before)
        await self._shrink(gone)
        if any(gone.values()):
            log.info("retention.cleaned", **gone)
        return gone

    async def _shrink(self, gone: dict[str, int]) -> None:
        """Take off more, ever younger rows, until it is small enough."""
        most = self._settings.max_bytes
        room = await self._measure()
        for before in self._younger():
            if not most or room.used <= most:
                break
            for step in self._steps():
                gone[step.table] += await self._sweep(step, before)
                room = await self._measure()
                if room.used <= most:
                    break
        is_over = bool(most) and room.used > most
        self._meters.is_over.set(is_over)
        if is_over:
            log.warning(
                "retention.over_size",
                used=room.used,
                max_bytes=most,
                remedy="raise retention.max_bytes, or close old incidents",
            )

    def _younger(self) -> Iterator[int]:
        """Yield moments, each closer to now, the last an hour ago."""
        now = self._clock.now()
        age = HOUR * 2**SHRINKS
        while age >= HOUR:
            yield now - age
            age //= 2

    def _steps(self) -> tuple[Step, ...]:
        """Return the tables in the order in which they are given up."""
        keep = self._settings
        return (
            Step("delivery", retention.sweep_deliveries, keep.deliveries_days),
            Step("alert", retention.sweep_alerts, keep.alerts_days),
            Step("incident", retention.sweep_incidents, keep.incidents_days),
            Step("entry", retention.sweep_log, keep.log_days),
        )

    async def _sweep(self, step: Step, before: int) -> int:
        """Sweep one table to its end; return how many rows that took off."""
        if step.table == "entry":
            await self._turn(
                lambda turn: retention.cut_log(turn, before, self._clock.now())
            )
        after: int | None = 0
        count = 0
        while after is not None:
            swept = await self._turn(_batch(step.sweep, before, after))
            count += swept.deleted
            after = swept.upto
            self._meters.deleted.labels(step.table).inc(swept.deleted)
            await asyncio.sleep(PAUSE_SECONDS)
        return count

    async def _measure(self) -> Room:
        """Return how large the database is, and tell Prometheus."""
        room = await self._turn(retention.measure_room)
        self._meters.used.set(room.used)
        return room

    async def _turn(self, work: Work[T]) -> T:
        """Do some work in a turn of the keeper."""
        return await asyncio.wrap_future(self._keeper.ask(work))


def _batch(sweep: Sweep, before: int, after: int) -> Work[Swept]:
    """Return one batch of a sweep as work for the keeper."""

    def work(connection: Connection) -> Swept:
        """Sweep in a turn."""
        return sweep(connection, before, after)

    return work
