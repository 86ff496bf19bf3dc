"""The past: how this machine was, so that what is unusual can be said.

Each half minute one moment is kept, for an hour. A moment has the figures,
the counters and the largest processes; what was not among them held less
than the least that was.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median, quantiles
from sys import intern
from threading import Lock

import msgspec
import structlog

from app.core.clock import Clock
from app.core.errors import OutgoingFailed
from app.core.look.amounts import span
from app.core.look.counters import read_counters
from app.core.look.snapshot import TICKS, Key, Proc, Snapshot, take
from app.core.machine import look

EVERY_SECONDS = 30.0
MOST_MOMENTS = 120
# Of each moment the largest by time and the largest by memory. With 700
# processes and 120 figures an hour of it takes 2 MB (measured).
TOP = 20
log = structlog.get_logger(__name__)


class Usual(msgspec.Struct, frozen=True):
    """What a figure usually was.

    Attributes:
        median: half of the time it was less.
        high: 19 of 20 times it was less.
        seconds: how far back this goes.
        count: how many looks it is made of.
    """

    median: float
    high: float
    seconds: float
    count: int

    def show(self, show: Callable[[float], str]) -> str:
        """Return it for people, with what it is."""
        said = f"median of the past {span(self.seconds)}"
        return f"{show(self.median)} ({said})"


class Growth(msgspec.Struct, frozen=True):
    """How much more there is than a while ago.

    Attributes:
        more: the difference.
        seconds: since when.
        is_least: whether it is known only that it is no less.
    """

    more: float
    seconds: float
    is_least: bool = False


class Held(msgspec.Struct, frozen=True):
    """What one process took at one moment.

    Attributes:
        share: its time, in percent of one core.
        rss: its memory, in bytes.
    """

    share: float
    rss: int


class Moment(msgspec.Struct, frozen=True):
    """The machine at one moment, in small.

    Attributes:
        at: when, on the clock that never jumps.
        figures: totals by name.
        counters: what was counted by then, by name.
        held: what the largest processes took.
        floor: what any other process took at most.
        until: on the clock by which processes began, when it was.
    """

    at: float
    figures: dict[str, float]
    counters: dict[str, float]
    held: dict[Key, Held]
    floor: Held
    until: float


class Past:
    """Keeps a moment now and then, for an hour; from any thread."""

    def __init__(
        self,
        clock: Clock,
        take: Callable[[Snapshot | None], Snapshot] = take,
        count: Callable[[], dict[str, float]] = read_counters,
    ) -> None:
        """Take the time, and who looks at processes and at counters."""
        self._clock = clock
        self._take = take
        self._count = count
        self._lock = Lock()
        self._moments: deque[Moment] = deque(maxlen=MOST_MOMENTS)
        self._last: Snapshot | None = None

    async def run(self) -> None:
        """Look at the machine now and then, until cancelled."""
        # Not all that start with the machine shall look at once.
        await asyncio.sleep(EVERY_SECONDS * (os.getpid() % 30) / 300)
        was_told = False
        while True:
            try:
                snapshot, counters = await look(self._look)
            except OutgoingFailed as error:
                if not was_told:
                    log.warning("past.missed", reason=str(error))
                was_told = True
            else:
                was_told = False
                self.keep(snapshot, counters)
            await asyncio.sleep(EVERY_SECONDS)

    def _look(self) -> tuple[Snapshot, dict[str, float]]:
        """Return the machine as it is now."""
        return self._take(self._last), self._count()

    def keep(self, snapshot: Snapshot, counters: dict[str, float]) -> None:
        """Keep one moment; that of more than an hour ago is let go."""
        held, floor = _largest(snapshot, self._last)
        # The names are the same each time: they are kept once.
        kept = {
            intern(name): value
            for name, value in counters.items()
            if not name.startswith("core.")
        }
        figures = {intern(n): value for n, value in snapshot.figures.items()}
        at = snapshot.monotonic
        until = at + snapshot.ahead
        moment = Moment(at, figures, kept, held, floor, until)
        with self._lock:
            self._moments.append(moment)
            self._last = snapshot

    @property
    def seconds(self) -> float:
        """Return how far back it is known how the machine was."""
        moments = self._all()
        if not moments:
            return 0.0
        return max(0.0, self._clock.monotonic() - moments[0].at)

    def usual(self, name: str) -> Usual | None:
        """Return what a figure usually was."""
        return self._sum_up(
            [
                (moment, moment.figures[name])
                for moment in self._all()
                if name in moment.figures
            ]
        )

    def rate(self, name: str, of: str = "") -> Usual | None:
        """Return by how much a counter usually rose in a second.

        Args:
            name: the counter.
            of: for a share, in percent: how much another one rose.
        """
        return self._sum_up(list(self._rates(name, of)))

    def _rates(self, name: str, of: str) -> Iterator[tuple[Moment, float]]:
        """Yield how fast a counter rose, from one moment to the next."""
        for first, last in pairwise(self._all()):
            rise = _rise(first, last, name)
            whole = _rise(first, last, of) if of else last.at - first.at
            if rise is not None and whole is not None and whole > 0:
                yield first, rise / whole * (100.0 if of else 1.0)

    def grown(
        self, name: str, now: float, seconds: float = 3_600.0
    ) -> Growth | None:
        """Return how much a figure or counter has grown since a while ago."""
        for moment in self._since(seconds):
            before = moment.figures.get(name, moment.counters.get(name))
            if before is not None:
                return Growth(now - before, self._ago(moment))
        return None

    def usual_share(self, proc: Proc) -> Usual | None:
        """Return what a process usually took, in percent of one core."""
        return self._sum_up(
            [
                (moment, moment.held.get(proc.key, moment.floor).share)
                for moment in self._all()[1:]
                if _was_there(proc, moment)
            ]
        )

    def swollen(self, proc: Proc, seconds: float = 1_800.0) -> Growth | None:
        """Return how much more memory a process holds than a while ago."""
        for moment in self._since(seconds):
            if _was_there(proc, moment):
                held = moment.held.get(proc.key)
                before = held or moment.floor
                return Growth(
                    proc.rss - before.rss, self._ago(moment), held is None
                )
        return None

    def _all(self) -> list[Moment]:
        """Return all moments, the oldest first."""
        with self._lock:
            return list(self._moments)

    def _since(self, seconds: float) -> list[Moment]:
        """Return the moments that are no older, the oldest first."""
        first = self._clock.monotonic() - seconds - EVERY_SECONDS / 2
        return [one for one in self._all() if one.at >= first]

    def _ago(self, moment: Moment) -> float:
        """Return how long ago a moment was."""
        return max(0.0, self._clock.monotonic() - moment.at)

    def _sum_up(self, found: list[tuple[Moment, float]]) -> Usual | None:
        """Return what values usually were; nothing of fewer than two."""
        if len(found) < 2:
            return None
        values = [value for _, value in found]
        high = quantiles(values, n=20, method="inclusive")[-1]
        since = self._ago(found[0][0])
        return Usual(median(values), high, since, len(values))


def _was_there(proc: Proc, moment: Moment) -> bool:
    """Tell whether a process had begun by then."""
    return proc.start / TICKS <= moment.until


def _rise(first: Moment, last: Moment, name: str) -> float | None:
    """Return by how much a counter rose; nothing when it began anew."""
    before, after = first.counters.get(name), last.counters.get(name)
    if before is None or after is None or after < before:
        return None
    return after - before


def share_of(proc: Proc, before: Snapshot, seconds: float) -> float:
    """Return what a process took since then, in percent of one core."""
    earlier = before.procs.get(proc.key)
    ticks = proc.ticks - (earlier.ticks if earlier else 0)
    return 100.0 * max(0, ticks) / TICKS / max(seconds, 1e-3)


def _largest(
    now: Snapshot, before: Snapshot | None
) -> tuple[dict[Key, Held], Held]:
    """Return what the largest processes take, and the others at most."""
    shares: dict[Key, float] = {}
    if before is not None:
        seconds = now.monotonic - before.monotonic
        shares = {
            key: share_of(proc, before, seconds)
            for key, proc in now.procs.items()
        }
    by_share = sorted(shares, key=lambda key: -shares[key])
    by_rss = sorted(now.procs, key=lambda key: -now.procs[key].rss)
    kept = {*by_share[:TOP], *by_rss[:TOP]}
    held = {
        key: Held(shares.get(key, 0.0), now.procs[key].rss) for key in kept
    }
    floor = Held(
        max((shares[key] for key in by_share[TOP:]), default=0.0),
        max((now.procs[key].rss for key in by_rss[TOP:]), default=0),
    )
    return held, floor
