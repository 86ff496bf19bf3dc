"""Vitals: what the service counts of itself, over time.

Prometheus asks for counters and does the rest. Here the same counters make
a few series for who looks at the console and has no Prometheus: an hour of
values and a day of minutes for each, some 60 kB, whatever happens.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping

import psutil
from prometheus_client import CollectorRegistry

from app.core.clock import Clock
from app.core.errors import SmokejumperError
from app.core.log import get_log
from app.core.look.readings import Readings
from app.engine.tallies import Tallies, quantile, read_tallies
from app.store.aside import ask_aside
from app.store.ledger import Connection
from app.store.reading import Reader
from app.store.vitals import Counts, Mark, count_now, measure_size

EVERY_SECONDS = 5.0
# How late the loop is is asked so often within that time.
TICKS = 10
MINUTE, WINDOW = 60.0, 300.0
ROUNDS = round(WINDOW / EVERY_SECONDS) + 1
# The size of the database is asked for once a minute.
SIZE_ROUNDS = 12
PER_SECOND, PER_MINUTE, COUNT = "/s", "/min", ""
METERS: Mapping[str, tuple[str, str]] = {
    "alerts": (PER_SECOND, "alerts that this node took"),
    "folded": ("%", "alerts of five minutes that made no new incident"),
    "decisions": (PER_MINUTE, "decisions of this node"),
    "decide_p50": ("s", "time to decision: half of five minutes' are quicker"),
    "decide_p95": ("s", "time to decision: 95 of 100 are quicker"),
    "undecided": (PER_MINUTE, "decisions that no brain answered, or failed"),
    "tokens_in": (PER_MINUTE, "tokens that models read"),
    "tokens_out": (PER_MINUTE, "tokens that models wrote"),
    "deciding": (COUNT, "incidents that wait for a decision"),
    "approvals": (COUNT, "questions that wait for people"),
    "jobs": (COUNT, "jobs that run"),
    "queue": (COUNT, "deliveries that wait for the disk"),
    "unfolded": (COUNT, "alerts that wait to be folded"),
    "messages": (COUNT, "messages that wait to be sent"),
    "listeners": (COUNT, "streams that are open here"),
    "cpu": ("%", "CPU of this process, 100 is one core"),
    "memory": ("bytes", "memory of this process"),
    "database": ("bytes", "size of the database"),
    "lag": ("s", "how late the event loop was, at worst"),
}
UNITS = {name: unit for name, (unit, _) in METERS.items()}
log = get_log("vitals")


class Vitals:
    """Looks at what the service counts, every few seconds.

    Attributes:
        readings: what came of it.
    """

    def __init__(
        self, registry: CollectorRegistry, reader: Reader, clock: Clock
    ) -> None:
        """Take where things are counted, where to read, and the time."""
        self.readings = Readings(clock, EVERY_SECONDS, len(METERS))
        self._registry = registry
        self._reader = reader
        self._clock = clock
        self._self = psutil.Process()
        self._rounds: deque[tuple[float, Tallies]] = deque(maxlen=ROUNDS)
        self._new: deque[tuple[int, int]] = deque(maxlen=ROUNDS)
        self._mark: Mark | None = None
        self._worked = (clock.monotonic(), time.process_time())
        self._left = 0

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            lag = await self._tick()
            try:
                await ask_aside(self.look, lag)
            except SmokejumperError as error:
                log.warning("vitals.failed", error=str(error))

    def look(self, lag: float = 0.0) -> None:
        """Look once; what cannot be known has no value, and is no zero.

        Args:
            lag: how late the event loop was meanwhile, in seconds.
        """
        now = self._clock.monotonic()
        tallies = read_tallies(self._registry)
        values = dict(tallies.levels)
        values["lag"] = lag
        values["memory"] = float(self._self.memory_info().rss)
        values |= self._work(now)
        self._rounds.append((now, tallies))
        values |= self._rates()
        try:
            values |= self._reader.ask(self._ask)
        finally:
            # What the process knows is known without the database, too.
            self.readings.add(values, UNITS)

    async def _tick(self) -> float:
        """Wait until it is time to look; return how late that was."""
        worst, part = 0.0, EVERY_SECONDS / TICKS
        for _ in range(TICKS):
            begun = self._clock.monotonic()
            await asyncio.sleep(part)
            worst = max(worst, self._clock.monotonic() - begun - part)
        return worst

    def _work(self, now: float) -> dict[str, float]:
        """Return how much of a core was used since the last look."""
        begun, worked = self._worked
        self._worked = now, time.process_time()
        if now <= begun:
            return {}
        return {"cpu": 100 * (self._worked[1] - worked) / (now - begun)}

    def _rates(self) -> dict[str, float]:
        """Return what happened in the past seconds and minutes."""
        if len(self._rounds) < 2:
            return {}
        now, newest = self._rounds[-1]
        rates = {}
        begun, before = self._rounds[-2]
        if now > begun:
            change = newest.totals["alerts"] - before.totals["alerts"]
            rates["alerts"] = max(0.0, change) / (now - begun)
        begun, before = next(
            one for one in self._rounds if now - one[0] <= MINUTE
        )
        if now > begun:
            for name in ("decisions", "undecided", "tokens_in", "tokens_out"):
                change = newest.totals[name] - before.totals[name]
                rates[name] = max(0.0, change) * MINUTE / (now - begun)
        _, before = self._rounds[0]
        for name, share in (("decide_p50", 0.5), ("decide_p95", 0.95)):
            seconds = quantile(before.buckets, newest.buckets, share)
            if seconds is not None:
                rates[name] = seconds
        return rates

    def _ask(self, connection: Connection) -> dict[str, float]:
        """Return what the database knows."""
        counts = count_now(connection, self._mark)
        self._mark = counts.mark
        values = {
            "approvals": float(counts.approvals),
            "jobs": float(counts.jobs),
        }
        self._left -= 1
        if self._left < 0:
            self._left = SIZE_ROUNDS - 1
            values["database"] = float(measure_size(connection))
        return values | self._folded(counts)

    def _folded(self, counts: Counts) -> dict[str, float]:
        """Return the share of alerts that were part of what was known."""
        self._new.append((counts.alerts, counts.incidents))
        alerts = sum(one for one, _ in self._new)
        if not alerts:
            return {}
        incidents = min(alerts, sum(one for _, one in self._new))
        return {"folded": 100 * (1 - incidents / alerts)}
