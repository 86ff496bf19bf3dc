"""Advancing: do what the stage of a mission asks for, and write it down.

The story is told by app/pipeline.py. Here each stage has one method: it
looks at the world outside of any turn, and one turn writes what came of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import msgspec

from app.core.clock import Clock
from app.core.errors import SmokejumperError
from app.core.log import get_log
from app.engine.fleet import Fleet
from app.engine.measuring import Measuring, readings_of
from app.engine.motions import Motions
from app.engine.moves import Moves
from app.engine.plans import Needs, Observed
from app.engine.recall import Recall, Taken
from app.engine.rulings import Rulings
from app.engine.running import Jobs
from app.engine.sending import Sending
from app.engine.starting import Starting
from app.engine.ways import Hold, Ways
from app.models.mission import Answered, Late, Mission, Stage
from app.models.ruling import Precondition
from app.models.verdict import Reading
from app.ports import Backend
from app.store.jobs import find_job
from app.verify.checking import Verifier

# A mission that is due again and again lets others have a turn.
MOST_STEPS = 12
# Once its backend is asked whether it runs, and once it is told to end.
LAST_LOOKS = 2
log = get_log("missions")


class Crew(msgspec.Struct, frozen=True):
    """Who does the work of each stage.

    Attributes:
        moves: moves missions.
        motions: makes what is ruled on, and what is measured.
        rulings: puts it to the guard.
        starting: starts jobs.
        jobs: follows jobs.
        measuring: writes down what was measured.
        verifier: measures.
        backends: where jobs run.
    """

    moves: Moves
    motions: Motions
    rulings: Rulings
    starting: Starting
    jobs: Jobs
    measuring: Measuring
    verifier: Verifier
    backends: Mapping[str, Backend]


class Advancer:
    """Takes missions as far as they go.

    Attributes:
        recall: tells what runs to end.
        fleet: ends what was sent when the store is away.
    """

    def __init__(self, crew: Crew, ways: Ways, clock: Clock) -> None:
        """Take who does the work, how the store is reached, and the time."""
        self._crew = crew
        self._ways = ways
        self._clock = clock
        self.recall = Recall(crew.jobs)
        self.fleet = Fleet(crew.backends, clock)
        self._sending = Sending(
            crew.jobs, self.fleet, ways, clock, crew.motions.reaches
        )
        self._stages: Mapping[
            Stage, Callable[[Mission, Hold], Awaitable[Mission]]
        ] = {
            Stage.RULING: self._rule,
            Stage.STARTING: self._start,
            Stage.ACTING: self._watch,
            Stage.VERIFYING: self._measure,
        }

    async def advance(self, mission: Mission, hold: Hold) -> Mission:
        """Take a mission as far as it goes now.

        Raises:
            Fenced: somebody else has it, or was first.
            Misstep: what happened does not fit where it stands.
        """
        for _ in range(MOST_STEPS):
            now = self._clock.now()
            if mission.due_at is None or mission.due_at > now:
                break
            mission = await self._step(mission, hold, now)
        return mission

    async def end(self, taken: Taken, hold: Hold) -> Mission:
        """End a job that was told to end, and go on from there.

        Raises:
            Fenced: somebody else has it, or was first.
        """
        mission = taken.mission
        if taken.told is not None:
            mission = await self._sending.end(mission, taken.told)
        return await self.advance(mission, hold)

    async def _step(self, mission: Mission, hold: Hold, now: int) -> Mission:
        """Do what one stage asks for."""
        stage = Stage(mission.stage)
        if stage is Stage.ASKING:
            event = Answered(
                is_granted=False, reason="nobody answered in time"
            )
            return await self._move(mission, event)
        if stage is Stage.DECIDING:
            return await self._late(mission, "nothing was decided in time")
        if now >= mission.deadline_at:
            return await self._end(mission, stage, hold)
        return await self._stages[stage](mission, hold)

    async def _move(self, mission: Mission, event: Answered | Late) -> Mission:
        """Move a mission for what happened by itself."""
        move = self._crew.moves.move
        return await self._ways.turn(
            partial(move, mission=mission, event=event)
        )

    async def _end(
        self, mission: Mission, stage: Stage, hold: Hold
    ) -> Mission:
        """Hand over what took too long; what nobody measured is unknown."""
        reason = f"its time was over ({stage})"
        if stage is Stage.ACTING:
            mission = await self._look_last(mission, hold)
            if mission.stage != stage:
                return mission
            return await self._sending.give_up(mission, reason)
        if stage is Stage.VERIFYING:
            late = partial(
                self._crew.measuring.give_up, mission=mission, reason=reason
            )
            return await self._ways.turn(late)
        return await self._late(mission, reason)

    async def _look_last(self, mission: Mission, hold: Hold) -> Mission:
        """Return a mission whose job may have ended while nobody was here."""
        try:
            for _ in range(LAST_LOOKS):
                if mission.stage == Stage.ACTING:
                    mission = await self._watch(mission, hold)
        except SmokejumperError:
            raise
        except Exception:
            # A bug of a backend is no reason to hold a target.
            log.exception("mission.not_looked_at", mission=mission.id)
        return mission

    async def _late(self, mission: Mission, reason: str) -> Mission:
        """Hand a mission over to people."""
        return await self._move(mission, Late(reason=reason))

    async def _rule(self, mission: Mission, _hold: Hold) -> Mission:
        """Let the guard rule on what was chosen."""
        needs = await self._needs(mission)
        observed = await self._observe(needs)
        rule = partial(
            self._crew.rulings.rule, mission=mission, observed=observed
        )
        return await self._ways.turn(rule)

    async def _start(self, mission: Mission, hold: Hold) -> Mission:
        """Measure, write down that it starts, and only then send it."""
        claim = partial(self._crew.starting.claim, mission=mission)
        await self._ways.turn(claim)
        needs = await self._needs(mission)
        before: tuple[Reading, ...] = ()
        if needs is not None and needs.spec.check is not None:
            verifier = self._crew.verifier
            found = await verifier.measure(needs.spec, needs.subject)
            before = (verifier.judge(needs.spec, None, found),)
        observed = await self._observe(needs)
        observed = msgspec.structs.replace(observed, before=before)
        start = partial(
            self._crew.starting.start, mission=mission, observed=observed
        )
        sent = await self._ways.turn(start)
        if sent.order is None:
            return sent.mission
        if not hold.is_held():
            # It took so long that another worker may look it up by now.
            why = "the lease ran out before it was sent"
            return await self._sending.never_ran(sent.mission, why)
        return await self._sending.send(
            sent.mission, sent.order, sent.backend, hold
        )

    async def _watch(self, mission: Mission, hold: Hold) -> Mission:
        """See how a job goes on."""
        halted = await self._ways.halted()
        return await self._sending.watch(mission, halted, hold)

    async def _measure(self, mission: Mission, _hold: Hold) -> Mission:
        """Measure whether it helped."""
        crew = self._crew
        needs = await self._needs(mission)
        if needs is None:
            give_up = partial(
                crew.measuring.give_up,
                mission=mission,
                reason="nothing says how to measure it",
            )
            return await self._ways.turn(give_up)
        job = await self._ways.look(partial(find_job, number=mission.job_id))
        before = readings_of(job.before) if job else ()
        since = (job.ended_at if job else None) or self._clock.now()
        subject = msgspec.structs.replace(needs.subject, since=since)
        first = before[-1] if before else None
        judged = await crew.verifier.follow(needs.spec, subject, first)
        take = partial(crew.measuring.take, mission=mission, reading=judged)
        return await self._ways.turn(take)

    async def _needs(self, mission: Mission) -> Needs | None:
        """Return what is to be measured, or None when nothing is."""
        motions = self._crew.motions
        return await self._ways.look(partial(motions.needs, mission=mission))

    async def _observe(self, needs: Needs | None) -> Observed:
        """Return what must be known outside of a turn."""
        preconditions: tuple[Precondition, ...] = ()
        if needs is not None and needs.spec.preconditions:
            verifier = self._crew.verifier
            preconditions = await verifier.preconditions(
                needs.spec, needs.subject
            )
        return Observed(
            preconditions=preconditions, halted=await self._ways.halted()
        )
