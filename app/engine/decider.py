"""The decider: it decides on open incidents, as long as the service runs.

It hears when the log has grown, and looks through all that is open now and
then besides. A brain is asked outside of any transaction; what it says is
written by the keeper in one turn. A crash in between leaves the incident
undecided, and it is decided on after the restart.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import suppress
from functools import partial
from typing import TypeVar

import msgspec

from app.core.clock import Clock
from app.core.errors import SmokejumperError
from app.core.log import get_log
from app.core.spans import Spans
from app.decide.budgets import bounds_of
from app.decide.reins import DecideSettings, read_reins
from app.engine.casework import Casefile, Casework
from app.engine.counsel import Counsel, NotNow
from app.engine.decidemeters import Meters
from app.engine.keeper import Keeper
from app.engine.line import Work
from app.engine.moves import Moves
from app.engine.recording import keep, keep_shadow
from app.engine.shadowing import Shadows
from app.engine.tracing import spans_of
from app.engine.undecided import Due, find_due
from app.models.record import Record
from app.store.aside import ask_aside
from app.store.casefile import find_news, find_open, find_seq
from app.store.claims import Claims
from app.store.decisions import Spent, count_spent
from app.store.glance import Seen
from app.store.ledger import Connection
from app.store.reading import Reader

# Other processes write too, and nobody wakes us then.
LOOK_SECONDS = 2.0
# What a sweep finds, the log has told of as a rule: it is worth a hundredth
# of the time, and with ten thousand open incidents it takes a second.
SWEEP_SECONDS, MOST_SWEEP_SECONDS, SWEEP_SHARE = 30.0, 600.0, 100
GATHER_SECONDS = 0.05
# After something failed, or when a budget will be free again.
RETRY_SECONDS = 5.0
PAGE = 200
T = TypeVar("T")
log = get_log("decide")


class Parts(msgspec.Struct, frozen=True):
    """What deciding is made of."""

    keeper: Keeper
    reader: Reader
    casework: Casework
    counsel: Counsel
    claims: Claims
    settings: DecideSettings
    clock: Clock
    meters: Meters
    spans: Spans
    is_door_busy: Callable[[], bool] = bool
    moves: Moves | None = None


class Opened(msgspec.Struct, frozen=True):
    """An incident that is about to be decided on."""

    due: Due
    file: Casefile
    spent: Spent


class DecidingChore:
    """Finds what is undecided, and decides some at a time."""

    def __init__(self, parts: Parts) -> None:
        """Take what it is made of."""
        self._parts = parts
        self._news = asyncio.Event()
        self._position: int | None = None
        self._seen: Seen[Look] | None = None
        self._swept_at = float("-inf")
        self._sweep_seconds = SWEEP_SECONDS
        self._suspects: set[int] = set()
        # When each was first seen to need a decision, and not before when.
        self._since: dict[int, float] = {}
        self._waits: dict[int, float] = {}
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._shadows = Shadows(parts.settings.concurrency, parts.clock)

    async def run(self) -> None:
        """Go on until cancelled."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            """Say that the log has grown, from the keeper's thread."""
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._news.set)

        self._parts.keeper.listen(wake)
        try:
            while True:
                await self._try_round()
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._news.wait()
                await asyncio.sleep(GATHER_SECONDS)
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Call off what is under way; it is decided on after the restart."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._shadows.stop()
        self._parts.claims.close()

    async def _try_round(self) -> None:
        """Look once; what fails is tried again later."""
        try:
            await self._round()
        except SmokejumperError as error:
            log.warning("decide.not_looked", error=str(error))
        except Exception:
            # A bug must not end deciding for all other incidents.
            log.exception("decide.look_crashed")

    async def _round(self) -> None:
        """Find what needs a decision, and begin with some of it."""
        parts = self._parts
        now = parts.clock.monotonic()
        # While it is switched off there is nothing to sweep for.
        is_off = self._seen is not None and not self._seen.found.is_on
        is_sweep = not is_off and now - self._swept_at >= self._sweep_seconds
        news = await self._glance(is_sweep=is_sweep)
        if not news.is_on:
            self._suspects.clear()
            self._since.clear()
            self._waits.clear()
            return
        if is_sweep or news.is_changed:
            self._swept_at = now if not news.is_changed else float("-inf")
        self._suspects |= news.incidents
        await self._sift()
        if is_sweep:
            self._sweep_seconds = rest_after(parts.clock.monotonic() - now)
        self._begin()
        parts.meters.waiting.set(len(self._since))

    async def _glance(self, *, is_sweep: bool) -> "Look":
        """Return which incidents may need a decision."""
        look = partial(self._look, is_sweep=is_sweep)
        last = self._seen
        if is_sweep or (last is not None and last.found.has_more):
            last = None
        seen = await self._parts.reader.glimpse(look, last)
        is_same, self._seen = seen is self._seen, seen
        if is_same:
            # What it found has been taken in already.
            return Look(seen.found.is_on)
        return seen.found

    def _look(self, connection: Connection, *, is_sweep: bool) -> "Look":
        """Return the same, on a snapshot."""
        reins = read_reins(connection, self._parts.settings)
        if self._position is None:
            self._position = find_seq(connection)
        news = find_news(connection, self._position)
        self._position = news.last
        found = set(news.incidents)
        if is_sweep and reins.enabled:
            found |= set(_all_open(connection))
        return Look(reins.enabled, news.is_changed, found, news.has_more)

    async def _sift(self) -> None:
        """Keep those of the suspects that need a decision."""
        now = self._parts.clock.monotonic()
        ready = [n for n in self._suspects if n not in self._under_way]
        for start in range(0, len(ready), PAGE):
            some = ready[start : start + PAGE]
            due = await ask_aside(self._try_to_find_due, some)
            for number in some:
                self._suspects.discard(number)
                if number in due:
                    self._since.setdefault(number, now)
                    wait = self._wait_of(due[number])
                    self._waits.setdefault(number, now + wait)
                else:
                    self._forget(number)

    def _wait_of(self, due: Due) -> float:
        """Return for how many seconds a decision should wait."""
        rest = (due.begins_at - self._parts.clock.now()) / 1e6
        return max(self._parts.settings.settle_seconds, rest)

    def _try_to_find_due(self, numbers: Sequence[int]) -> dict[int, Due]:
        """Return the same; a bug with one of them costs that one alone."""
        try:
            return self._find_due(numbers)
        except SmokejumperError:
            raise
        except Exception:
            log.exception("decide.passed_by", incidents=numbers)
        # A single one is looked at again when it changes, or with a sweep.
        due: dict[int, Due] = {}
        for one in numbers if len(numbers) > 1 else ():
            due |= self._try_to_find_due([one])
        return due

    def _find_due(self, numbers: Iterable[int]) -> dict[int, Due]:
        """Return those that need a decision; on a thread."""
        rest = self._parts.settings.rest_seconds
        with self._parts.reader.snapshot() as connection:
            return find_due(connection, list(numbers), rest)

    def _begin(self) -> None:
        """Begin with those whose time has come, the first seen first."""
        now = self._parts.clock.monotonic()
        for number, _ in sorted(self._since.items(), key=lambda one: one[1]):
            if len(self._under_way) >= self._most():
                return
            is_early = self._waits.get(number, 0.0) > now
            if number not in self._under_way and not is_early:
                task = asyncio.create_task(self._try_deciding(number))
                self._under_way[number] = task

    def _most(self) -> int:
        """Return how many are decided on at once; the door comes first."""
        return 1 if self._parts.is_door_busy() else self._concurrency

    @property
    def _concurrency(self) -> int:
        """Return how many are decided on at once."""
        return self._parts.settings.concurrency

    def _pause(self) -> float:
        """Return how long nothing can be due."""
        now = self._parts.clock.monotonic()
        waits = [
            wait - now
            for number, wait in self._waits.items()
            if number not in self._under_way
        ]
        if len(self._under_way) >= self._most():
            waits = []
        return min(max(min(waits, default=LOOK_SECONDS), 0.01), LOOK_SECONDS)

    async def _try_deciding(self, number: int) -> None:
        """Decide on one incident; what fails is tried again later."""
        parts = self._parts
        is_done = False
        try:
            is_done = await self._claim_and_decide(number)
        except NotNow:
            pass
        except SmokejumperError as error:
            parts.meters.failures.inc()
            log.warning("decide.failed", incident=number, error=str(error))
        except Exception:
            parts.meters.failures.inc()
            log.exception("decide.failed", incident=number)
        finally:
            del self._under_way[number]
            if is_done:
                self._forget(number)
                # What came meanwhile may need another one.
                self._suspects.add(number)
            else:
                later = parts.clock.monotonic() + RETRY_SECONDS
                self._waits[number] = later
            self._news.set()

    def _forget(self, number: int) -> None:
        """Forget that an incident needs a decision."""
        self._since.pop(number, None)
        self._waits.pop(number, None)

    async def _claim_and_decide(self, number: int) -> bool:
        """Decide on an incident that nobody else decides on.

        Returns:
            whether nothing is left to do.
        """
        claims = self._parts.claims
        if not await ask_aside(claims.take, number):
            return False
        try:
            opened = await ask_aside(self._open, number)
            if opened is not None:
                await self._decide(opened)
            return True
        finally:
            await asyncio.shield(ask_aside(claims.give_back, number))

    def _open(self, number: int) -> Opened | None:
        """Return the case, if it still needs a decision; on a thread."""
        parts = self._parts
        with parts.reader.snapshot() as connection:
            due = find_due(connection, [number], 0.0).get(number)
            if due is None:
                return None
            file = parts.casework.open_file(connection, number)
            if file is None:
                return None
            bounds = bounds_of(parts.clock.now())
            spent = count_spent(connection, number, **bounds)
        return Opened(due, file, spent)

    async def _decide(self, opened: Opened) -> None:
        """Ask, keep the answer, and ask a shadow."""
        parts, number = self._parts, opened.due.number
        since = self._since.get(number, 0.0)
        waited = parts.clock.monotonic() - since
        may_wait = waited < parts.settings.patience_seconds
        record = await parts.counsel.decide(
            opened.file, opened.spent, may_wait=may_wait
        )
        last = opened.due.last
        kept = await self._turn(
            partial(keep, record=record, last=last, moves=parts.moves)
        )
        if not kept:
            log.info("decide.not_kept", incident=number)
            return
        self._tell(record, kept)
        if opened.file.reins.shadow and record.cost.calls:
            ask = partial(self._shadow, opened.file, record, kept)
            self._shadows.begin(ask)

    async def _shadow(self, file: Casefile, live: Record, beside: int) -> None:
        """Let a shadow decide beside a decision."""
        counsel = self._parts.counsel
        record = await counsel.shadow(file, live.decision, beside)
        kept = await self._turn(partial(keep_shadow, record=record))
        if kept:
            self._tell(record, kept)

    def _tell(self, record: Record, kept: int) -> None:
        """Tell Prometheus, and whoever wants spans."""
        self._parts.meters.count(record)
        if self._parts.spans.is_on:
            self._parts.spans.add(spans_of(record, kept))

    async def _turn(self, work: Work[T]) -> T:
        """Do some work in a turn of the keeper."""
        asked = asyncio.wrap_future(self._parts.keeper.ask(work))
        return await asyncio.shield(asked)


class Look(msgspec.Struct, frozen=True):
    """What a look at the store found.

    Attributes:
        is_on: whether incidents are decided on at all.
        is_changed: whether the reins were changed.
        incidents: those that may need a decision.
        has_more: whether the log may tell of more.
    """

    is_on: bool
    is_changed: bool = False
    incidents: Set[int] = frozenset()
    has_more: bool = False


def rest_after(seconds: float) -> float:
    """Return how long to rest after a sweep that took so long."""
    rest = min(seconds * SWEEP_SHARE, MOST_SWEEP_SECONDS)
    return max(SWEEP_SECONDS, rest)


def _all_open(connection: Connection) -> Iterable[int]:
    """Yield every open incident, a page at a time."""
    after = 0
    while some := find_open(connection, after, PAGE):
        yield from some
        after = some[-1]
