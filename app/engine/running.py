"""Running: what a backend says of a job, written down in a turn."""

import msgspec
from msgspec.structs import replace

from app.engine.moves import Moves, Word, call_of
from app.models.action import Catalogue
from app.models.brevity import clip
from app.models.job import Job, JobState, Order, Progress, order_of
from app.models.mission import Ended, Mission, Running
from app.models.record import clean
from app.models.verdict import Verdict
from app.store.decisions import set_verdict
from app.store.halts import find_halt
from app.store.heirs import find_heir
from app.store.jobs import find_job, save_job
from app.store.ledger import Connection
from app.store.outputs import add_output

LONGEST = 500


class Following(msgspec.Struct, frozen=True):
    """A job that goes on.

    Attributes:
        job: the job.
        order: what its backend is told of it.
        why_abort: why it must end, or empty.
        is_resolved: whether nothing of the incident goes on.
        is_over_time: whether it took too long.
    """

    job: Job
    order: Order
    why_abort: str
    is_resolved: bool
    is_over_time: bool


class Jobs:
    """The turns of a job that was started."""

    def __init__(self, moves: Moves, catalogue: Catalogue, most: int) -> None:
        """Take who moves missions, and what becomes of output.

        Args:
            moves: moves missions.
            catalogue: says what is measured.
            most: so many bytes of output are kept of one job.
        """
        self._moves = moves
        self._catalogue = catalogue
        self._most = most

    def find(self, connection: Connection, mission: Mission) -> Job:
        """Return the job of a mission that acts."""
        job = find_job(connection, mission.job_id)
        if job is None:
            raise LookupError(f"job {mission.job_id}")
        return job

    def note(
        self,
        connection: Connection,
        mission: Mission,
        progress: Progress,
    ) -> Mission:
        """Write down how a job goes on, or how it ended."""
        job = self.find(connection, mission)
        job = self._take_output(connection, job, mission, progress)
        if progress.has_ended:
            return self.end(
                connection, mission, progress.state, progress.reason
            )
        return self.later(connection, mission, polls=1)

    def later(
        self, connection: Connection, mission: Mission, polls: int
    ) -> Mission:
        """Look again, so many polls later."""
        until = self._moves.clock.now() + polls * self._moves.limits.poll
        return self._moves.move(connection, mission, Running(until=until))

    def follow(
        self, connection: Connection, mission: Mission, halted: str
    ) -> Following:
        """Return a job that goes on, and why it must end, if it must."""
        job = self.find(connection, mission)
        incident = find_heir(connection, mission.incident_id)
        is_resolved = incident is None or not incident.firing
        spec = self._catalogue.find(job.action)
        run = spec.find_way(job.backend, job.name) if spec else None
        seconds = run.timeout_seconds if run else 0
        why = job.abort
        if is_resolved and run is not None and run.when_resolved == "abort":
            why = why or "the problem went away by itself"
        held = find_halt(connection)
        if held.is_halted:
            why = f"halted by {held.by}: {held.reason}"
        elif halted:
            why = f"halted: {halted}"
        is_over_time = (
            job.until is not None and self._moves.clock.now() >= job.until
        )
        if is_over_time:
            why = why or f"it took longer than {seconds} s"
        return Following(
            job, order_of(job, seconds), why, is_resolved, is_over_time
        )

    def told(self, connection: Connection, mission: Mission, word: str) -> Job:
        """Write down that a running job is told something, before it is."""
        job = self.find(connection, mission)
        knowing = replace(job, told=word, fence=mission.fence)
        save_job(connection, job, knowing)
        line = Word(
            kind="job.told",
            action=call_of(job.action, job.arguments),
            summary=f"job {job.id} is told: {word}",
            body={"job": job.id, "told": word},
        )
        self._moves.tell(connection, mission, line)
        return knowing

    def end(
        self,
        connection: Connection,
        mission: Mission,
        state: JobState,
        reason: str,
        *,
        has_run: bool = True,
    ) -> Mission:
        """Write down how a job ended, and go on from there."""
        job = self.find(connection, mission)
        says = clip(clean(reason), LONGEST)
        verdict = _verdict(state, has_run=has_run)
        ended = replace(
            job,
            state=state.value,
            reason=says,
            ended_at=self._moves.clock.now(),
            fence=mission.fence,
            verdict=verdict,
            until=self._may_run_until(job, state),
        )
        save_job(connection, job, ended)
        if verdict:
            set_verdict(connection, job.decision_id, verdict)
        word = Word(
            kind="job.ended",
            actor=f"backend:{job.backend}",
            action=call_of(job.action, job.arguments),
            summary=f"job {job.id} {state}: {says}"
            if says
            else f"job {job.id} {state}",
            body={
                "job": job.id,
                "decision": job.decision_id,
                "state": state.value,
                "reference": job.reference,
                "output_bytes": job.output_bytes,
            },
        )
        self._moves.tell(connection, mission, word)
        spec = self._catalogue.find(job.action)
        is_checked = has_run and spec is not None and spec.check is not None
        event = Ended(
            state=state,
            reason=word.summary,
            is_checked=is_checked,
        )
        return self._moves.move(connection, mission, event)

    def _may_run_until(self, job: Job, state: JobState) -> int | None:
        """Return until when a job may still work on its target.

        One that did not end when it was told to has its time once more.
        """
        if state is not JobState.TIMED_OUT or job.started_at is None:
            return job.until
        now = self._moves.clock.now()
        return now + max(0, (job.until or now) - job.started_at)

    def _take_output(
        self,
        connection: Connection,
        job: Job,
        mission: Mission,
        progress: Progress,
    ) -> Job:
        """Keep what a job wrote, and what the backend calls it."""
        size, is_cut = job.output_bytes, bool(job.is_cut)
        if progress.output:
            size, is_cut = add_output(
                connection, job.id, progress.output, self._most
            )
        known = replace(
            job,
            reference=progress.reference or job.reference,
            cursor=progress.cursor or job.cursor,
            output_bytes=size,
            is_cut=int(is_cut or job.is_cut),
            fence=mission.fence,
        )
        if known != job:
            save_job(connection, job, known)
        return known


def _verdict(state: JobState, *, has_run: bool) -> str:
    """Return what is known of a job's help before anything is measured."""
    is_measured = state in (JobState.SUCCEEDED, JobState.FAILED)
    return "" if is_measured or not has_run else Verdict.UNKNOWN.value
