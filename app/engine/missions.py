"""The mission chore: it finds what is due, and takes some at a time.

A mission is taken with a lease, under a token that only rises: whoever
comes late, after a freeze or a cut cable, matches no row any more. A worker
that dies lets its lease run out, and the next one goes on from the row.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from functools import partial

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.act.settings import ActSettings
from app.core.clock import Clock
from app.core.errors import SmokejumperError, TooLate
from app.core.log import get_log
from app.engine.advancing import Advancer
from app.engine.bell import Bell
from app.engine.keeper import Keeper
from app.engine.leases import Lease, wind_down
from app.engine.moves import Moves
from app.engine.quieting import expire_suggestions, hand_over, quiet
from app.engine.ways import Ways
from app.models.job import UNSENT
from app.models.mission import SECOND, Mission
from app.store.casefile import find_news, find_seq
from app.store.halts import find_halt
from app.store.jobs import find_live_jobs
from app.store.ledger import Connection
from app.store.missions import (
    LENDING,
    claim_due,
    count_stages,
    find_disturbed,
    find_left_alone,
    find_live,
    next_due,
    wake,
)
from app.store.unhealed import find_forgotten, find_unhealed

# Other processes write too, and nobody wakes us then; the kill switch of
# another node, or the file, ends what runs within a second.
LOOK_SECONDS = 0.8
SWEEP_SECONDS = 30.0
# A lease is renewed this much before its end, at the latest.
RENEW_SHARE = 3.0
RETRY_SECONDS = 2.0
PAGE = 200
# So many incidents are quieted, or handed over, in one turn.
FEW = 20
log = get_log("missions")


class Meters:
    """What the mission chore tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.stages = Gauge(
            "smokejumper_missions",
            "Missions that go on, by stage",
            ["stage"],
            registry=registry,
        )
        self.failures = Counter(
            "smokejumper_mission_failures_total",
            "Steps of missions that failed and are tried again",
            registry=registry,
        )
        self.fenced = Counter(
            "smokejumper_mission_fenced_total",
            "Moves that came too late, and were refused",
            registry=registry,
        )
        self.halted = Gauge(
            "smokejumper_halted",
            "Whether nothing may be started",
            registry=registry,
        )


class Look(msgspec.Struct, frozen=True):
    """What a look at the store found.

    Attributes:
        due_at: when the next mission can be taken, or None.
        disturbed: missions whose incidents are not open any more.
        running: missions whose jobs must be looked at now: nothing may run.
        is_halted: whether nothing may be started.
        left_alone: open incidents that nobody decided on.
        unhealed: those that were fixed, and still fire.
        stages: how many missions stand where, on a sweep.
    """

    due_at: int | None
    disturbed: tuple[int, ...] = ()
    running: tuple[int, ...] = ()
    is_halted: bool = False
    left_alone: tuple[int, ...] = ()
    unhealed: tuple[int, ...] = ()
    stages: dict[str, int] | None = None


class Parts(msgspec.Struct, frozen=True):
    """What the mission chore is made of."""

    advancer: Advancer
    moves: Moves
    ways: Ways
    keeper: Keeper
    settings: ActSettings
    clock: Clock
    meters: Meters
    is_deciding: Callable[[Connection], bool]


class MissionChore:
    """Takes missions as far as they go, as long as the service runs."""

    def __init__(self, parts: Parts, node: str) -> None:
        """Take what it is made of, and what no other worker is called."""
        self._parts = parts
        self._node = node
        self._bell = Bell()
        self._position: int | None = None
        self._swept_at = float("-inf")
        self._leases: dict[int, Lease] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Go on until cancelled."""
        self._bell.hang(self._parts.keeper)
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            await self._bell.rounds(self._try_round)
        finally:
            await self._stop()
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _stop(self) -> None:
        """Call off what is under way, and let others have it at once."""
        left = await wind_down(self._tasks.values(), self._leases)
        if left:
            give = partial(LENDING.free, holder=self._node, ids=left)
            with suppress(SmokejumperError):
                await self._parts.ways.turn(give)

    async def _try_round(self) -> float:
        """Look once; return for how long nothing can be due."""
        try:
            return await self._round()
        except SmokejumperError as error:
            log.warning("missions.not_looked", error=str(error))
        except Exception:
            # A bug must not end acting for all other incidents.
            log.exception("missions.look_crashed")
        return RETRY_SECONDS

    async def _round(self) -> float:
        """Look, quiet what is over, take what is due."""
        now = self._parts.clock.monotonic()
        is_sweep = now - self._swept_at >= SWEEP_SECONDS
        says = await self._parts.ways.halted()
        look = partial(self._look, is_sweep=is_sweep, halted=says)
        seen = await self._parts.ways.look(look)
        self._parts.meters.halted.set(int(seen.is_halted))
        # What must end comes before all that is merely late.
        is_stopping = seen.is_halted and await self._halt(seen)
        await self._in_turns(seen.disturbed, quiet)
        if is_sweep and not is_stopping:
            # A full page may have another one behind it.
            is_full = len(seen.disturbed) >= PAGE
            self._swept_at = float("-inf") if is_full else now
            await self._sweep(seen)
        due_at = self._parts.clock.now() if is_stopping else seen.due_at
        return await self._take(due_at)

    async def _halt(self, seen: Look) -> bool:
        """Let what runs be ended at once; tell whether anything does."""
        is_called_off = await self._interrupt()
        if seen.running:
            moment = self._parts.clock.now()
            stir = partial(wake, ids=seen.running, now=moment)
            await self._parts.ways.turn(stir)
        return is_called_off or bool(seen.running)

    def _look(
        self, connection: Connection, *, is_sweep: bool, halted: str
    ) -> Look:
        """Return what there is to do; on a snapshot."""
        now = self._parts.clock.now()
        if self._position is None:
            self._position = find_seq(connection)
        news = find_news(connection, self._position)
        self._position = news.last
        touched = None if is_sweep else news.incidents
        disturbed: tuple[int, ...] = ()
        if touched is None or touched:
            found = find_disturbed(connection, touched, 0, PAGE)
            disturbed = tuple(number for number, _ in found)
        is_halted = bool(halted) or find_halt(connection).is_halted
        running: tuple[int, ...] = ()
        if is_halted:
            running = _find_unaware(connection, now)
        seen = Look(
            due_at=next_due(connection, now),
            disturbed=disturbed,
            running=running,
            is_halted=is_halted,
        )
        return self._search(connection, seen) if is_sweep else seen

    def _search(self, connection: Connection, seen: Look) -> Look:
        """Return what is only looked for now and then, too."""
        seconds = self._parts.settings.deciding_seconds
        before = self._parts.clock.now() - seconds * SECOND
        is_deciding = self._parts.is_deciding(connection)
        left: list[int] = []
        if is_deciding:
            left += find_left_alone(connection, before, PAGE)
            left += find_forgotten(connection, before, PAGE)
        return msgspec.structs.replace(
            seen,
            left_alone=tuple(left),
            unhealed=tuple(find_unhealed(connection, before, PAGE)),
            stages=count_stages(connection),
        )

    async def _sweep(self, seen: Look) -> None:
        """Do what is only done now and then."""
        stages = self._parts.meters.stages
        stages.clear()
        for stage, count in (seen.stages or {}).items():
            stages.labels(stage).set(count)
        for numbers, reason in (
            (seen.left_alone, "nobody decided on it in its time"),
            (seen.unhealed, "it was measured as fixed, and still fires"),
        ):
            await self._in_turns(numbers, partial(hand_over, reason=reason))
        expire = partial(
            expire_suggestions, moves=self._parts.moves, limit=PAGE
        )
        await self._parts.ways.turn(expire)

    async def _interrupt(self) -> bool:
        """Call off what only looks, so that it is ended at once, if any is."""
        found = [n for n, one in self._leases.items() if one.is_interruptible]
        tasks = [self._tasks[number] for number in found]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if found:
            give = partial(LENDING.free, holder=self._node, ids=found)
            await self._parts.ways.turn(give)
        return bool(found)

    async def _in_turns(
        self, numbers: Sequence[int], work: Callable[..., Mission | None]
    ) -> None:
        """Do the same for some missions or incidents, a few in one turn."""
        for start in range(0, len(numbers), FEW):
            some = numbers[start : start + FEW]
            do = partial(work, moves=self._parts.moves)

            def each(
                connection: Connection,
                do: Callable[..., Mission | None] = do,
                some: Sequence[int] = some,
            ) -> None:
                """Do it for each."""
                for number in some:
                    do(connection, number=number)

            with suppress(TooLate):
                await self._parts.ways.turn(each)

    async def _keep_renewing(self) -> None:
        """Keep what is under way for longer, whatever else is slow."""
        pause = self._parts.settings.lease_seconds / RENEW_SHARE
        while True:
            await asyncio.sleep(pause)
            try:
                await self._renew()
            except SmokejumperError as error:
                log.warning("missions.not_renewed", error=str(error))

    async def _renew(self) -> None:
        """Keep what is under way for longer."""
        began = self._parts.clock.monotonic()
        seconds = self._parts.settings.lease_seconds
        ids = list(self._leases)
        if not ids:
            return
        until = self._parts.clock.now() + int(seconds * SECOND)
        work = partial(
            LENDING.renew, holder=self._node, ids=ids, lease_until=until
        )
        ours = await self._parts.ways.turn(work)
        for number in ids:
            lease = self._leases.get(number)
            if lease is not None and number in ours:
                lease.renew(began)

    async def _take(self, due_at: int | None) -> float:
        """Take what is due; return for how long nothing can be."""
        parts = self._parts
        now = parts.clock.now()
        room = parts.settings.concurrency - len(self._tasks)
        if due_at is None or room <= 0:
            return LOOK_SECONDS
        if due_at > now:
            return min(LOOK_SECONDS, (due_at - now) / SECOND)
        seconds = parts.settings.lease_seconds
        began = Lease(parts.clock, seconds)
        work = partial(
            claim_due,
            holder=self._node,
            now=now,
            lease_until=now + int(seconds * SECOND),
            limit=room,
        )
        for mission in await parts.ways.turn(work):
            self._begin(mission, began)
        return LOOK_SECONDS

    def _begin(self, mission: Mission, began: Lease) -> None:
        """Go on with a mission that was taken."""
        if not began.is_held() or mission.id in self._tasks:
            # The first of two claims of ours finds itself fenced.
            return
        # It counts from before the claim; each is renewed by itself.
        lease = copy(began)
        self._leases[mission.id] = lease
        task = asyncio.create_task(self._advance(mission, lease))
        self._tasks[mission.id] = task

    async def _advance(self, mission: Mission, lease: Lease) -> None:
        """Take a mission as far as it goes; what fails is tried again."""
        parts = self._parts
        try:
            await parts.advancer.advance(mission, lease)
        except TooLate as error:
            parts.meters.fenced.inc()
            log.info("mission.fenced", mission=mission.id, why=str(error))
        except SmokejumperError as error:
            parts.meters.failures.inc()
            log.warning("mission.failed", mission=mission.id, error=str(error))
        except Exception:
            parts.meters.failures.inc()
            log.exception("mission.failed", mission=mission.id)
        finally:
            # When it failed, its lease runs out, and it is tried again.
            self._leases.pop(mission.id, None)
            self._tasks.pop(mission.id, None)
            self._bell.ring()


def _find_unaware(connection: Connection, now: int) -> tuple[int, ...]:
    """Return missions that sleep, and whose jobs do not know of a halt.

    What is under way already is not woken: that would be done again and
    again. Of a job that no backend has told of there is nothing to end.
    """
    jobs = [
        job
        for job in find_live_jobs(connection)
        if not job.told.startswith("halted")
        and (job.reference or job.state in UNSENT)
    ]
    going = find_live(connection, {job.incident_id for job in jobs})
    return tuple(
        one.id
        for one in going.values()
        if one.due_at is not None and one.due_at > now
    )
