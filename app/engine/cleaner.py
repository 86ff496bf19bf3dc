"""The cleaner: once an hour it takes off what is old, batch by batch.

Each batch is a turn of the keeper, with a pause after it: whoever waits for
a receipt or a fold comes first.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import TypeVar

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import Field

from app.core.clock import Clock
from app.core.configfile import Section
from app.core.errors import SmokejumperError
from app.core.log import get_log
from app.engine.keeper import Keeper
from app.engine.line import Work
from app.store import retention
from app.store.ledger import Connection
from app.store.retention import Sweep, Swept
from app.store.room import Room, measure_room

DAY = 86_400 * 1_000_000
HOUR = DAY // 24
PAUSE_SECONDS = 0.02
# By size, nothing that came within the last hour is taken off.
SHRINKS = 12
# By size, the log is cut in pieces; so many rows go between two looks.
CUT_PIECE = 500
MOST_UNSEEN = 10_000
T = TypeVar("T")
log = get_log("cleaner")


# The longest that makes sense; for ever is 0.
MOST_DAYS = 36_600
MOST_SECONDS = 31 * 86_400


class RetentionSettings(Section):
    """How long things are kept, in days; 0 is for ever."""

    deliveries_days: float = Field(30.0, ge=0, le=MOST_DAYS)
    alerts_days: float = Field(90.0, ge=0, le=MOST_DAYS)
    incidents_days: float = Field(400.0, ge=0, le=MOST_DAYS)
    log_days: float = Field(0.0, ge=0, le=MOST_DAYS)
    max_bytes: int = Field(0, ge=0)
    every_seconds: float = Field(3_600.0, ge=1, le=MOST_SECONDS)


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
        self._seen = self._look_at_clocks()
        self._has_waited = False

    async def run(self) -> None:
        """Clean up now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._settings.every_seconds)
            try:
                await self.clean_when_sure()
            except SmokejumperError as error:
                log.warning("retention.failed", error=str(error))
            except Exception:
                # A bug must not end cleaning: the disk would fill in silence.
                log.exception("retention.crashed")

    async def clean_when_sure(self) -> None:
        """Clean up, but not in the round after the clock was set on.

        By a clock that is years ahead all is old, and what is gone is gone.
        """
        before, self._seen = self._seen, self._look_at_clocks()
        jump = self._seen - before
        if jump <= HOUR or self._has_waited:
            # Never twice in a row: a machine that sleeps each night looks so.
            self._has_waited = False
            await self.clean()
            return
        self._has_waited = True
        log.warning(
            "retention.clock_was_set_on",
            seconds=jump // 1_000_000,
            remedy="see that the clock is right: the next round believes it",
        )

    def _look_at_clocks(self) -> int:
        """Return how far the wall is ahead of what has passed for us."""
        return self._clock.now() - int(self._clock.monotonic() * 1_000_000)

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
            for step in self._given_up():
                if most and room.used > most:
                    room = await self._slim(step, before, room, gone)
        is_over = bool(most) and room.used > most
        self._meters.is_over.set(is_over)
        if is_over:
            log.warning(
                "retention.over_size",
                used=room.used,
                max_bytes=most,
                remedy="raise retention.max_bytes, close old incidents, or"
                " let the log be cut: retention.log_days",
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

    def _given_up(self) -> tuple[Step, ...]:
        """Return the tables that may be swept by size.

        The log is for ever unless its owner says how long.
        """
        keeps_log = not self._settings.log_days
        steps = self._steps()
        return tuple(s for s in steps if s.table != "entry" or not keeps_log)

    async def _sweep(self, step: Step, before: int) -> int:
        """Sweep one table to its end; return how many rows that took off."""
        return sum([count async for count in self._batches(step, before)])

    async def _slim(
        self, step: Step, before: int, room: Room, gone: dict[str, int]
    ) -> Room:
        """Sweep one table until the database is small enough.

        Args:
            step: the table.
            before: what is younger stays.
            room: how large the database is.
            gone: where the rows that were taken off are counted.

        Returns:
            How large it is then.
        """
        most = self._settings.max_bytes
        start, count, look_at = room.used, 0, 0
        sweep = self._batches(step, before, CUT_PIECE)
        async with aclosing(sweep) as batches:
            async for deleted in batches:
                gone[step.table] += deleted
                count += deleted
                if not deleted or count < look_at:
                    continue
                room = await self._measure()
                if room.used <= most:
                    return room
                freed = start - room.used
                look_at = count + _half_way(room.used - most, freed, count)
        return await self._measure() if count else room

    async def _batches(
        self, step: Step, before: int, most: int | None = None
    ) -> AsyncGenerator[int, None]:
        """Sweep one table to its end, and yield the rows of each batch.

        Args:
            step: the table.
            before: what is younger stays.
            most: how many entries one cut takes off the log, None for all.
        """
        is_more = True
        while is_more:
            after: int | None = 0
            while after is not None:
                swept = await self._turn(_batch(step.sweep, before, after))
                self._meters.deleted.labels(step.table).inc(swept.deleted)
                yield swept.deleted
                after = swept.upto
                await asyncio.sleep(PAUSE_SECONDS)
            is_more = step.table == "entry" and await self._cut(before, most)

    async def _cut(self, before: int, most: int | None) -> bool:
        """Let the log begin later; tell whether that takes anything off."""

        def work(connection: Connection) -> int:
            """Cut in a turn."""
            now = self._clock.now()
            return retention.cut_log(connection, before, now, most)

        return await self._turn(work) > 0

    async def _measure(self) -> Room:
        """Return how large the database is, and tell Prometheus."""
        room = await self._turn(measure_room)
        self._meters.used.set(room.used)
        return room

    async def _turn(self, work: Work[T]) -> T:
        """Do some work in a turn of the keeper."""
        return await asyncio.wrap_future(self._keeper.ask(work))


def _half_way(excess: int, freed: int, rows: int) -> int:
    """Return how many rows may go before it is measured again.

    Half of what seems to be needed: other rows may be larger.

    Args:
        excess: bytes that are still too many.
        freed: bytes that were given back so far.
        rows: rows that were taken off for them.
    """
    if freed <= 0:
        return 0
    return min(excess * rows // freed // 2, MOST_UNSEEN)


def _batch(sweep: Sweep, before: int, after: int) -> Work[Swept]:
    """Return one batch of a sweep as work for the keeper."""

    def work(connection: Connection) -> Swept:
        """Sweep in a turn."""
        return sweep(connection, before, after)

    return work
