"""The mission chore: it finds what is due, and takes some at a time.

A mission is taken with a lease, under a token that only rises: whoever
comes late, after a freeze or a cut cable, matches no row any more. A worker
that dies lets its lease run out, and the next one goes on from the row.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from app.core.errors import NotHere, SmokejumperError, TooLate
from app.core.log import get_log
from app.engine.bell import Bell
from app.engine.elsewhere import Elsewhere
from app.engine.leases import Lease, call_off, wind_down
from app.engine.looks import Look, knows_of_halt, look_at_halt
from app.engine.parts import Parts
from app.engine.piecemeal import do_each
from app.engine.quieting import quiet
from app.engine.recall import Taken
from app.engine.sweeping import PAGE, Sweep
from app.models.mission import SECOND, Mission
from app.store.casefile import find_news, find_seq
from app.store.glance import Seen
from app.store.jobs import find_unwanted, forget_halt
from app.store.ledger import Connection
from app.store.lending import Loan
from app.store.missions import (
    LENDING,
    claim_due,
    find_disturbed,
    next_due,
)
from app.store.overtaken import find_overtaken

# Other processes write too, and nobody wakes us then; whoever looks out for
# a halt does so more often: see app/engine/lookout.py.
LOOK_SECONDS = 2.0
# While all is halted, what was under way is looked after again so soon.
HALTED_SECONDS = 0.25
# A lease is renewed this much before its end, at the latest.
RENEW_SHARE = 3.0
RETRY_SECONDS = 2.0
# Nothing is due by itself: it is rung for.
FOREVER = 86_400.0
log = get_log("missions")


class MissionChore:
    """Takes missions as far as they go, as long as the service runs."""

    def __init__(self, parts: Parts, node: str) -> None:
        """Take what it is made of, and what no other worker is called."""
        self._parts = parts
        self._node = node
        self._bell = Bell()
        # It rings when all is halted: a round may wait for its turns.
        self._alarm = Bell()
        self._halting = asyncio.Lock()
        self._position: int | None = None
        self._sweep = Sweep(parts)
        self._seen: Seen[Look] | None = None
        # What the file of the kill switch said when it was last looked at;
        # nobody knows of the time before the start.
        self._said: str | None = None
        self._leases: dict[int, Lease] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        # Missions that were called off, and are still ours in the store.
        self._loose: set[int] = set()
        self._elsewhere = Elsewhere(parts.clock)

    def stop_all(self) -> None:
        """End at once what runs, if all is halted; on the event loop."""
        self._alarm.ring()

    async def run(self) -> None:
        """Go on until cancelled."""
        self._bell.hang(self._parts.keeper)
        alarm = self._alarm.rounds(self._try_stop)
        stopping = asyncio.create_task(alarm)
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            await self._bell.rounds(self._try_round)
        finally:
            await call_off(stopping)
            await self._stop()
            await call_off(renewing)

    async def _stop(self) -> None:
        """Call off what is under way, and let others have it at once."""
        left = await wind_down(self._tasks.values(), self._leases)
        await self._give_back([*left, *self._loose])

    async def _give_back(self, ids: Collection[int]) -> None:
        """Let others have missions at once, or when their leases run out."""
        if ids:
            give = partial(LENDING.free, holder=self._node, ids=ids)
            with suppress(SmokejumperError):
                await self._parts.ways.urge(give)

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

    async def _try_stop(self) -> float:
        """End what runs if all is halted, whatever a round waits for."""
        try:
            says = await self._parts.ways.halted()
            look = partial(look_at_halt, clock=self._parts.clock, halted=says)
            await self._halt(await self._parts.ways.look(look), says)
        except SmokejumperError as error:
            log.warning("missions.not_stopped", error=str(error))
        except Exception:
            log.exception("missions.stop_crashed")
        # What is left, and what fails, is looked after by rounds.
        self._bell.ring()
        return FOREVER

    async def _round(self) -> float:
        """Look, quiet what is over, take what is due."""
        is_sweep = self._sweep.is_due()
        says = await self._parts.ways.halted()
        ours = tuple(self._leases)
        look = partial(self._look, ours, is_sweep=is_sweep, halted=says)
        last = None if is_sweep or says else self._lasting()
        self._seen = await self._parts.ways.glance(look, last)
        seen = self._seen.found
        self._parts.meters.halted.set(int(seen.is_halted))
        for number in seen.unwanted:
            if number in self._leases:
                self._leases[number].hurried.set()
        was_halted = self._said or seen.knows_of_halt
        if was_halted and not (says or seen.is_halted):
            # Its file is gone: another one is another word.
            await self._parts.ways.turn(forget_halt)
        self._said = says
        # What must end comes before all that is merely late.
        is_stopping = await self._halt(seen, says)
        await self._in_turns(seen.disturbed, quiet)
        if is_sweep and not is_stopping:
            await self._sweep.see_to(seen)
        due_at = self._parts.clock.now() if is_stopping else seen.due_at
        pause = await self._take(due_at)
        is_ending = seen.is_halted and (self._tasks or seen.is_going)
        return min(pause, HALTED_SECONDS) if is_ending else pause

    def _lasting(self) -> Seen[Look] | None:
        """Return what was seen last, if only writing can change it."""
        if self._seen is None:
            return None
        found, now = self._seen.found, self._parts.clock.now()
        # What must end is looked at until it has; what could not be quieted
        # comes with the next sweep.
        if found.is_halted or found.disturbed or found.has_more or found.left:
            return None
        return self._seen.before(found.due_at, now)

    async def _halt(self, seen: Look, says: str) -> bool:
        """Let what runs be ended at once; tell whether anything does.

        It waits for nothing that was due earlier, nor for a slot, nor for
        one another: all that it may be are told to end in one turn.
        """
        if not seen.is_halted:
            return False
        async with self._halting:
            return await self._end_all(seen, says)

    async def _end_all(self, seen: Look, says: str) -> bool:
        """Let what runs be ended, as the only one who does.

        What only looks is called off, so that it is ended at once.
        """
        looks = [n for n, one in self._leases.items() if one.is_interruptible]
        await call_off(*(self._tasks[number] for number in looks))
        self._loose.update(looks)
        self._loose -= self._tasks.keys()
        for lease in self._leases.values():
            lease.hurried.set()
        left = self._elsewhere.now()
        ids = (*self._loose, *(n for n in seen.running if n not in left))
        room = PAGE + self._parts.settings.concurrency - len(self._tasks)
        if not ids or room <= 0:
            return bool(ids)
        began = Lease(self._parts.clock, self._parts.settings.lease_seconds)
        work = partial(
            self._parts.advancer.recall.take,
            loan=self._loan(),
            ids=ids[:room],
            loose=tuple(self._loose),
            halted=says,
        )
        found = await self._parts.ways.urge(work)
        self._loose.clear()
        for one in found:
            self._begin(one, began)
        return True

    def _look(
        self,
        ours: Collection[int],
        connection: Connection,
        *,
        is_sweep: bool,
        halted: str,
    ) -> Look:
        """Return what there is to do; on a snapshot."""
        now, left = self._parts.clock.now(), self._elsewhere.now()
        if self._position is None:
            self._position = find_seq(connection)
        news = find_news(connection, self._position)
        self._position = news.last
        touched = None if is_sweep else news.incidents
        disturbed: tuple[int, ...] = ()
        if touched is None or touched:
            found = find_disturbed(connection, touched, 0, PAGE)
            over = find_overtaken(connection, touched, PAGE)
            disturbed = (*(number for number, _ in found), *over)
        seen = msgspec.structs.replace(
            look_at_halt(connection, self._parts.clock, halted),
            due_at=next_due(connection, now, left),
            left=left,
            disturbed=disturbed,
            unwanted=find_unwanted(connection, ours),
            knows_of_halt=self._said is None and knows_of_halt(connection),
            has_more=news.has_more,
        )
        return self._sweep.search(connection, seen, ours) if is_sweep else seen

    async def _in_turns(
        self, numbers: Sequence[int], work: Callable[..., Mission | None]
    ) -> None:
        """Do the same for some missions or incidents, a few in one turn."""
        do = partial(work, moves=self._parts.moves)
        await do_each(self._parts.ways, numbers, do)

    async def _keep_renewing(self) -> None:
        """Keep what is under way for longer, whatever else is slow."""
        pause = self._parts.settings.lease_seconds / RENEW_SHARE
        while True:
            await asyncio.sleep(pause)
            try:
                await self._renew()
            except SmokejumperError as error:
                log.warning("missions.not_renewed", error=str(error))
            except Exception:
                # What is under way would lose its lease, for good.
                log.exception("missions.renewing_crashed")

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
        await self._claim(room)
        return LOOK_SECONDS

    async def _claim(self, room: int) -> None:
        """Take missions for as long as a lease lasts, and go on with them."""
        began = Lease(self._parts.clock, self._parts.settings.lease_seconds)
        left = self._elsewhere.now()
        work = partial(claim_due, loan=self._loan(), limit=room, left=left)
        for mission in await self._parts.ways.turn(work):
            self._begin(Taken(mission), began)

    def _loan(self) -> Loan:
        """Return by whom missions are taken, and for how long."""
        now = self._parts.clock.now()
        seconds = self._parts.settings.lease_seconds
        return Loan(self._node, now, now + int(seconds * SECOND))

    def _begin(self, taken: Taken, began: Lease) -> None:
        """Go on with a mission that was taken."""
        mission = taken.mission
        # The first of two claims of ours finds itself fenced. Who is told to
        # end does not wait for a task that has just let it go.
        is_ours = mission.id in self._tasks and taken.told is None
        if is_ours or not began.is_held():
            return
        # It counts from before the claim; each is renewed by itself.
        lease = began.another()
        self._leases[mission.id] = lease
        task = asyncio.create_task(self._advance(taken, lease))
        self._tasks[mission.id] = task

    async def _advance(self, taken: Taken, lease: Lease) -> None:
        """Take a mission as far as it goes; what fails is tried again."""
        mission = taken.mission
        parts = self._parts
        try:
            await parts.advancer.end(taken, lease)
        except NotHere:
            if self._tasks.get(mission.id) is asyncio.current_task():
                self._elsewhere.leave(mission.id)
                await self._give_back([mission.id])
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
            if self._tasks.get(mission.id) is asyncio.current_task():
                del self._tasks[mission.id], self._leases[mission.id]
            # It may have been sent while all was halted, and runs now.
            is_hurried = lease.hurried.is_set()
            (self._alarm if is_hurried else self._bell).ring()
