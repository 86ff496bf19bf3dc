"""Sending: the one place where an order leaves the house.

What is written down as started is sent once. When nobody knows whether it
arrived, the backend is asked by the key; when that does not say it either,
the job is unknown and people get it. Only what is declared idempotent is
sent again.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from msgspec.structs import replace

from app.core.clock import Clock
from app.core.errors import (
    CannotTell,
    NotAccepted,
    NotHere,
    OutgoingFailed,
)
from app.engine.beginning import begin
from app.engine.fleet import Fleet
from app.engine.looking import in_time, look_before
from app.engine.running import Following, Jobs
from app.engine.ways import Hold, Ways
from app.models.job import AWAY, Job, JobState, Order, Progress
from app.models.mission import SECOND, Mission
from app.ports import Backend, Hearing
from app.store.ledger import Connection

TRIES = 3
PAUSE_SECONDS = 1.0
# A backend that cannot be asked is asked again so many polls later.
PATIENCE = 3
# After its time, the node that a job runs on may still tell of its end.
LAST_WORD = 30 * SECOND
RESOLVED = "alert_resolved"
LOST_US = OutgoingFailed("we ended while it was being sent")
LOST = "the lease ran out before it was sent"


class Sending:
    """Speaks with backends."""

    def __init__(
        self,
        jobs: Jobs,
        fleet: Fleet,
        ways: Ways,
        clock: Clock,
        reaches: Callable[..., bool],
    ) -> None:
        """Take who writes down what they say, and where they are.

        Args:
            jobs: writes down what backends say.
            fleet: where they are, and what was sent.
            ways: how the store is reached.
            clock: the time.
            reaches: tells whether a job would run from here as planned.
        """
        self._reaches = reaches
        self._jobs = jobs
        self._fleet = fleet
        self._ways = ways
        self._clock = clock

    async def send(
        self, mission: Mission, order: Order, name: str, hold: Hold
    ) -> Mission:
        """Send what is written down as started, the first time."""
        backend = self._fleet.find(name)
        if backend is None:
            why = f"there is no backend {name!r} any more"
            return await self.never_ran(mission, why)
        # The last look before it leaves: the commit may have taken long.
        why = await self._why_not(mission)
        if why or not hold.is_held():
            return await self.never_ran(mission, why or LOST)
        self._fleet.note(mission.job_id, backend, order)
        for left in reversed(range(TRIES)):
            try:
                progress = await begin(backend, order, hold)
            except NotAccepted as error:
                why = str(error)
                if left and error.may_retry:
                    await self._ways.pause(PAUSE_SECONDS)
                    why = await self._why_not(mission)
                    if not why and hold.is_held():
                        continue
                return await self.never_ran(mission, why or LOST)
            except OutgoingFailed as error:
                return await self._look_up_soon(
                    mission, order, backend, error, hold
                )
            reference = progress.reference or order.reference
            known = replace(order, reference=reference)
            self._fleet.note(mission.job_id, backend, known)
            # What is not known to run cannot be told to end.
            is_hurried = hold.hurried.is_set()
            write = self._ways.urge if is_hurried else self._ways.turn
            return await write(self._noting(mission, progress))
        raise AssertionError("unreachable")

    async def watch(
        self, mission: Mission, halted: str, hold: Hold
    ) -> Mission:
        """See how a job goes on; end it when it must."""
        now = self._clock.now()
        following = await self._ways.look(
            partial(self._jobs.follow, mission=mission, halted=halted)
        )
        job, order = following.job, following.order
        backend = self._fleet.find(job.backend)
        if backend is None:
            why = f"there is no backend {job.backend!r} any more"
            return await self._end(mission, JobState.UNKNOWN, why)
        try:
            if not job.reference:
                return await self._look_up(
                    mission, order, backend, LOST_US, hold
                )
            if following.why_abort:
                return await self._abort(mission, following, backend)
            if following.is_away and not job.told:
                await self._tell(mission, following, backend, hold)
            # A halt does not wait until a backend that hangs is given up.
            with hold.interruptible():
                seen = await in_time(backend.watch(order))
            self._fleet.note(job.id, backend, order)
            return await self._note(mission, seen)
        except OutgoingFailed as error:
            return await self._missed(mission, job, now, error)

    async def end(self, mission: Mission, told: Following) -> Mission:
        """End a job of which it is written down that it is told to end."""
        backend = self._fleet.find(told.job.backend)
        if backend is None:
            why = f"there is no backend {told.job.backend!r} any more"
            return await self._end(mission, JobState.UNKNOWN, why)
        now = self._clock.now()
        try:
            return await self._call_off(mission, told, backend, None)
        except NotHere:
            # Its own node finds it as one that knows of nothing.
            left = partial(
                self._jobs.left, mission=mission, word=told.why_abort
            )
            await self._ways.urge(left)
            raise
        except OutgoingFailed as error:
            return await self._missed(mission, told.job, now, error)

    async def never_ran(self, mission: Mission, why: str) -> Mission:
        """Write down that a job was certainly not started."""
        self._fleet.forget(mission.job_id)
        end = partial(
            self._jobs.end,
            mission=mission,
            state=JobState.FAILED,
            reason=f"it was not started: {why}",
            has_run=False,
        )
        return await self._ways.turn(end)

    async def give_up(self, mission: Mission, why: str) -> Mission:
        """Stop following a job; nobody knows what became of it."""
        return await self._end(mission, JobState.UNKNOWN, why)

    async def _abort(
        self, mission: Mission, following: Following, backend: Backend
    ) -> Mission:
        """End a job that must end; what does not end in time is unknown."""
        why = following.why_abort
        seen = await look_before(following, backend)
        if seen is not None and seen.has_ended:
            return await self._note(mission, seen)
        if following.job.told != why:
            told = partial(self._jobs.told, mission=mission, word=why)
            await self._ways.turn(told)
        return await self._call_off(mission, following, backend, seen)

    async def _call_off(
        self,
        mission: Mission,
        following: Following,
        backend: Backend,
        seen: Progress | None,
    ) -> Mission:
        """Tell a backend to end a job; it may have said that it goes on."""
        self._fleet.told(following.job.id)
        try:
            progress = await in_time(backend.abort(following.order))
        except OutgoingFailed:
            self._fleet.told(following.job.id, missed=following.why_abort)
            raise
        if following.is_over_time and not progress.has_ended:
            # Some only say so to whoever asks, and not too often; it may
            # have long since.
            with suppress(OutgoingFailed):
                progress = await in_time(backend.watch(following.order))
        if progress.has_ended or not following.is_over_time:
            says = progress if progress.has_ended or not seen else seen
            return await self._note(mission, says)
        state, why = JobState.TIMED_OUT, following.why_abort
        return await self._end(mission, state, why, seen or progress)

    async def _tell(
        self,
        mission: Mission,
        following: Following,
        backend: Backend,
        hold: Hold,
    ) -> None:
        """Tell a running job that the problem went away by itself, once.

        The log says it afterwards, and only what is so. Who dies in between
        tells it again: to hear that twice does no harm.
        """
        against = f"nobody listens at {following.job.backend}"
        if isinstance(backend, Hearing):
            hear = backend.hear(following.order, RESOLVED)
            try:
                with hold.interruptible():
                    if await in_time(hear):
                        against = ""
            except OutgoingFailed as error:
                against = f"nobody knows whether it heard: {error}"
        heard = partial(
            self._jobs.heard, mission=mission, word=RESOLVED, against=against
        )
        await self._ways.turn(heard)

    async def _look_up_soon(
        self,
        mission: Mission,
        order: Order,
        backend: Backend,
        error: OutgoingFailed,
        hold: Hold,
    ) -> Mission:
        """Ask at once whether it arrived, and later when nobody answers."""
        try:
            return await self._look_up(mission, order, backend, error, hold)
        except OutgoingFailed:
            return await self._later(mission)

    async def _look_up(
        self,
        mission: Mission,
        order: Order,
        backend: Backend,
        error: OutgoingFailed,
        hold: Hold,
    ) -> Mission:
        """Ask a backend whether it knows a job; never send by guess.

        Raises:
            OutgoingFailed: it cannot be asked now.
        """
        try:
            found = await in_time(backend.find(order))
        except CannotTell:
            found, says = None, "the backend does not know jobs by keys"
        else:
            says = "the backend does not know it"
        if found is not None:
            return await self._note(mission, found)
        job = await self._ways.look(partial(self._jobs.find, mission=mission))
        if job.is_idempotent:
            return await self._send_again(mission, order, backend, hold)
        why = f"nobody knows whether it ran ({error}; {says})"
        return await self._end(mission, JobState.UNKNOWN, why)

    async def _send_again(
        self, mission: Mission, order: Order, backend: Backend, hold: Hold
    ) -> Mission:
        """Send once more what does no harm twice, as long as it may be."""
        for _ in range(TRIES):
            # A try may take a minute: what held before it is old news.
            against = await self._why_not(mission)
            if against or not hold.is_held():
                against = against or LOST
                why = (
                    f"nobody knows whether it ran, and it must not: {against}"
                )
                return await self._end(mission, JobState.UNKNOWN, why)
            try:
                progress = await begin(backend, order, hold)
            except NotAccepted as error:
                if not error.may_retry:
                    break
            except OutgoingFailed:
                pass
            else:
                if progress.reference or progress.has_ended:
                    return await self._note(mission, progress)
            await self._ways.pause(PAUSE_SECONDS)
        # Only this try certainly did not run, if it is certain at all.
        why = "it was sent again, and nobody knows whether it ran"
        return await self._end(mission, JobState.UNKNOWN, why)

    async def _why_not(self, mission: Mission) -> str:
        """Return why nothing may be sent once more, as it is now."""
        halted = await self._ways.halted()
        see = partial(self._see, mission=mission, halted=halted)
        return await self._ways.look(see)

    def _see(
        self, connection: Connection, mission: Mission, halted: str
    ) -> str:
        """Return what speaks against it; on one snapshot."""
        following = self._jobs.follow(connection, mission, halted)
        if following.job.state != JobState.STARTED:
            return f"it is {following.job.state} already"
        if following.is_resolved:
            return AWAY
        if following.why_abort:
            return following.why_abort
        if not self._reaches(connection, mission):
            return "it would not run from here as planned"
        return ""

    async def _note(self, mission: Mission, progress: Progress) -> Mission:
        """Write down what a backend says."""
        return await self._ways.turn(self._noting(mission, progress))

    def _noting(
        self, mission: Mission, progress: Progress
    ) -> Callable[[Connection], Mission]:
        """Return the work of writing down what a backend says."""
        if progress.has_ended:
            self._fleet.forget(mission.job_id)
        return partial(self._jobs.note, mission=mission, progress=progress)

    async def _missed(
        self, mission: Mission, job: Job, now: int, error: OutgoingFailed
    ) -> Mission:
        """Ask again later, unless a job had had its time by then.

        Raises:
            NotHere: its own node follows it, and may tell of its end.
        """
        is_elsewhere = isinstance(error, NotHere)
        if is_elsewhere and job.until and now < job.until + LAST_WORD:
            raise error
        if job.until is not None and now >= job.until:
            why = f"nobody knows what became of it: {error}"
            return await self._end(mission, JobState.UNKNOWN, why)
        return await self._later(mission)

    async def _later(self, mission: Mission) -> Mission:
        """Ask again later."""
        later = partial(self._jobs.later, mission=mission, polls=PATIENCE)
        return await self._ways.turn(later)

    async def _end(
        self,
        mission: Mission,
        state: JobState,
        why: str,
        seen: Progress | None = None,
    ) -> Mission:
        """Write down how a job ended, and what it wrote until then."""
        end = partial(self._jobs.end, mission=mission, state=state, reason=why)
        if seen is not None:
            last = replace(seen, state=state, reason=why)
            end = partial(self._jobs.note, mission=mission, progress=last)
        moved = await self._ways.turn(end)
        # Not before: what is given up may run, and the store may be away.
        self._fleet.forget(mission.job_id)
        return moved
