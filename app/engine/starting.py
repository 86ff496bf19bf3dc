"""Starting: a planned job is claimed, and written down as started.

Only after that is on disk anything leaves the house.
"""

import msgspec
from msgspec.structs import replace

from app.engine.moves import Moves, Word, call_of
from app.engine.plans import Observed
from app.engine.quieting import quiet
from app.engine.rulings import Rulings
from app.models.brevity import clip
from app.models.job import Job, JobState, Order, order_of
from app.models.mission import (
    SECOND,
    Mission,
    NotStarted,
    Postponed,
    Started,
)
from app.models.verdict import Judgement, Reading
from app.store.jobs import Fenced, find_job, save_job
from app.store.ledger import Connection

LONGEST = 500


class Sent(msgspec.Struct, frozen=True):
    """What is written down as started, and may be sent now.

    Attributes:
        mission: the mission, acting now, or over when it may not start.
        order: what the backend is told, or None.
        backend: which backend.
    """

    mission: Mission
    order: Order | None = None
    backend: str = ""


class Starting:
    """The turns in which a job starts."""

    def __init__(self, moves: Moves, rulings: Rulings) -> None:
        """Take who moves missions, and who puts plans to the guard."""
        self._moves = moves
        self._rulings = rulings

    def claim(self, connection: Connection, mission: Mission) -> Job:
        """Take a planned job for the worker that has its mission."""
        job = find_job(connection, mission.job_id)
        if job is None:
            raise LookupError(f"job {mission.job_id}")
        if job.state == JobState.PLANNED or job.fence != mission.fence:
            claimed = replace(
                job, state=JobState.CLAIMED.value, fence=mission.fence
            )
            save_job(connection, job, claimed)
            return claimed
        return job

    def start(
        self,
        connection: Connection,
        mission: Mission,
        observed: Observed,
    ) -> Sent:
        """Write a claimed job down as started, if nothing speaks against it.

        Args:
            connection: a turn's transaction.
            mission: the mission.
            observed: what was looked at just now.

        Raises:
            Fenced: somebody else was first.
        """
        job = find_job(connection, mission.job_id)
        if job is None or job.state != JobState.CLAIMED:
            # A person, or the end of the problem, was first.
            raise Fenced(f"job {mission.job_id} is not claimed any more")
        held = self._hold_back(connection, mission, job, observed)
        if held is not None:
            return Sent(held)
        now = self._moves.clock.now()
        seconds = self._rulings.seconds_of(job)
        until = now + seconds * SECOND
        started = replace(
            job,
            state=JobState.STARTED.value,
            started_at=now,
            until=until,
            before=msgspec.json.encode(observed.before).decode(),
        )
        save_job(connection, job, started)
        word = _tell(started, observed.before)
        self._moves.tell(connection, mission, word)
        event = Started(
            reason=f"job {job.id} started",
            until=until + self._rulings.check_of(job),
        )
        moved = self._moves.move(connection, mission, event)
        order = order_of(started, seconds, self._rulings.hints_of(job))
        order = replace(order, bounds=self._rulings.bounds_of(job))
        return Sent(moved, order, job.backend)

    def _hold_back(
        self,
        connection: Connection,
        mission: Mission,
        job: Job,
        observed: Observed,
    ) -> Mission | None:
        """Return a mission whose job may not start now, None when it may."""
        over = quiet(connection, self._moves, mission.id)
        if over is not None:
            # It ended while it was looked at: nobody has to hear of that.
            return over
        if self._moves.clock.now() >= mission.deadline_at:
            late = NotStarted(reason="its time was over before it started")
            return self._moves.move(connection, mission, late)
        against = self._rulings.recheck(connection, mission, job, observed)
        if against is not None:
            why = f"{against.rule}: {against.reason}"
            no = NotStarted(reason=f"not started: {why}")
            return self._moves.move(connection, mission, no)
        well = self._find_well(mission, job, observed)
        if well is None:
            return None
        return self._postpone(connection, mission, job, well)

    def _find_well(
        self, mission: Mission, job: Job, observed: Observed
    ) -> Reading | None:
        """Return what says that there may be nothing left to do, or None.

        What a person granted is done at once, and what takes something back;
        and nobody waits for long: a check may measure something else than
        the alert is about.
        """
        until = job.planned_at + self._moves.limits.well
        if self._moves.clock.now() >= until:
            return None
        if mission.undoes or job.approval_id:
            return None
        good = (
            one for one in observed.before if one.judgement is Judgement.GOOD
        )
        return next(good, None)

    def _postpone(
        self, connection: Connection, mission: Mission, job: Job, well: Reading
    ) -> Mission:
        """Wait for the alert to end; the log says so once."""
        limits = self._moves.limits
        reason = clip(
            f"{well.check} measures well already: the alert gets"
            f" {limits.well // SECOND} s to end before job {job.id} starts",
            LONGEST,
        )
        if mission.reason != reason:
            word = Word(
                kind="job.postponed",
                actor=f"check:{well.check}",
                action=call_of(job.action, job.arguments),
                summary=reason,
                body={"job": job.id, "reading": msgspec.to_builtins(well)},
            )
            self._moves.tell(connection, mission, word)
        until = min(
            self._moves.clock.now() + limits.look,
            job.planned_at + limits.well,
        )
        event = Postponed(reason=reason, until=until)
        return self._moves.move(connection, mission, event)


def _tell(job: Job, before: tuple[Reading, ...]) -> Word:
    """Return what the log says of a start."""
    return Word(
        kind="job.started",
        actor=job.proposer,
        action=call_of(job.action, job.arguments),
        summary=clip(
            f"job {job.id} starts as {job.backend}:{job.name}", LONGEST
        ),
        body={
            "job": job.id,
            "decision": job.decision_id,
            "approval": job.approval_id,
            "key": job.key,
            "before": msgspec.to_builtins(before),
        },
    )
