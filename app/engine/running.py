"""Running: what a backend says of a job, written down in a turn."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from app.engine.moves import Moves, Word, call_of
from app.engine.quieting import find_end
from app.models.action import Catalogue
from app.models.brevity import clip
from app.models.job import (
    AWAY,
    HALTED,
    Bounds,
    Job,
    JobState,
    Order,
    Progress,
    order_of,
)
from app.models.mission import SECOND, Ended, Mission, Running
from app.models.record import clean
from app.models.verdict import Verdict
from app.store.decisions import set_verdict
from app.store.halts import find_halt
from app.store.heirs import find_heir
from app.store.jobs import find_job, find_live_jobs, save_job, tell_jobs
from app.store.ledger import Connection
from app.store.outputs import add_output
from app.store.overtaken import find_over, lives_on

LONGEST = 500


class Following(msgspec.Struct, frozen=True):
    """A job that goes on.

    Attributes:
        job: the job.
        order: what its backend is told of it.
        why_abort: why it must end, or empty.
        is_resolved: whether nothing of the incident goes on, or nothing of
            the problem that a brain decided on.
        is_away: whether that is so because it went away: what a person
            split off goes on.
        is_over_time: whether it took too long.
    """

    job: Job
    order: Order
    why_abort: str
    is_resolved: bool
    is_away: bool
    is_over_time: bool


class Jobs:
    """The turns of a job that was started."""

    def __init__(
        self,
        moves: Moves,
        catalogue: Catalogue,
        bounds: Callable[[Job], Bounds],
        most: int,
    ) -> None:
        """Take who moves missions, and what becomes of output.

        Args:
            moves: moves missions.
            catalogue: says what is measured.
            bounds: returns what a job spares, each time that it is sent.
            most: so many bytes of output are kept of one job.
        """
        self._bounds = bounds
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
        return self._rest(connection, mission, job, polls=1)

    def later(
        self, connection: Connection, mission: Mission, polls: int
    ) -> Mission:
        """Look again, so many polls later."""
        job = self.find(connection, mission)
        return self._rest(connection, mission, job, polls)

    def _rest(
        self, connection: Connection, mission: Mission, job: Job, polls: int
    ) -> Mission:
        """Look again so many polls later, or at once.

        Whoever wanted that it ends, while it was asked, need not wait.
        """
        is_told = job.told == job.abort or job.told.startswith(HALTED)
        can_be_told = bool(job.abort and job.reference) and not is_told
        rest = 0 if can_be_told else polls * self._moves.limits.poll
        until = self._moves.clock.now() + rest
        return self._moves.move(connection, mission, Running(until=until))

    def follow(
        self, connection: Connection, mission: Mission, halted: str
    ) -> Following:
        """Return a job that goes on, and why it must end, if it must."""
        job = self.find(connection, mission)
        incident = find_heir(connection, mission.incident_id)
        is_resolved = (
            incident is None
            or not incident.firing
            or bool(find_over(connection, job.decision_id, incident.id))
        )
        is_away = is_resolved and not (
            incident and lives_on(connection, job.decision_id, incident.id)
        )
        spec = self._catalogue.find(job.action)
        run = spec.find_way(job.backend, job.name) if spec else None
        why = job.abort
        if is_away and run is not None and run.when_resolved == "abort":
            why = why or AWAY
        why = why_halted(connection, halted) or why
        is_over_time = (
            job.until is not None and self._moves.clock.now() >= job.until
        )
        if is_over_time:
            why = why or f"it took longer than {_seconds_of(job)} s"
        order = self._order_of(job)
        return Following(
            job,
            order,
            why,
            is_resolved=is_resolved,
            is_away=is_away,
            is_over_time=is_over_time,
        )

    def told(self, connection: Connection, mission: Mission, word: str) -> Job:
        """Write down that a running job is told something, before it is."""
        job = self.find(connection, mission)
        knowing = replace(job, told=word, fence=mission.fence)
        save_job(connection, job, knowing)
        self._moves.tell(connection, mission, _told(job, word))
        return knowing

    def recall(
        self, connection: Connection, missions: Sequence[Mission], halted: str
    ) -> dict[int, Following]:
        """Write down that jobs are told to end, because all is halted.

        However many they are, as a handful of statements: whoever halts
        waits for that.

        Returns:
            The jobs that run, and did not know it, by their missions.
        """
        why = why_halted(connection, halted)
        if not why:
            return {}
        jobs = {one.id: one for one in find_live_jobs(connection)}
        found = [(jobs.get(one.job_id), one) for one in missions]
        unaware = {
            job.id: (job, mission)
            for job, mission in found
            if job and job.reference and job.told != why
        }
        running = tell_jobs(connection, unaware, why)
        told = [pair for number, pair in unaware.items() if number in running]
        lines = [(mission, _told(job, why)) for job, mission in told]
        self._moves.tell_all(connection, lines)
        now = self._moves.clock.now()
        return {
            mission.id: Following(
                job,
                self._order_of(job),
                why,
                is_resolved=False,
                is_away=False,
                is_over_time=job.until is not None and now >= job.until,
            )
            for job, mission in told
        }

    def _order_of(self, job: Job) -> Order:
        """Return what a backend is told of a job that runs."""
        spec = self._catalogue.find(job.action)
        hints = spec.hints if spec else ()
        order = order_of(job, _seconds_of(job), hints)
        return replace(order, bounds=self._bounds(job))

    def heard(
        self, connection: Connection, mission: Mission, word: str, against: str
    ) -> Job:
        """Write down that a running job was told something, or was not.

        Args:
            connection: a turn's transaction.
            mission: the mission that acts.
            word: what it was to be told.
            against: why nobody can say that it knows; empty when it does.
        """
        job = self.find(connection, mission)
        says = clip(clean(f"{word}: {against}"), LONGEST) if against else word
        knowing = replace(job, told=says, fence=mission.fence)
        save_job(connection, job, knowing)
        line = Word(
            kind="job.not_told" if against else "job.told",
            action=call_of(job.action, job.arguments),
            summary=f"job {job.id}: {says}"
            if against
            else f"job {job.id} was told: {says}",
            body={"job": job.id, "told": says},
        )
        self._moves.tell(connection, mission, line)
        return knowing

    def left(
        self, connection: Connection, mission: Mission, word: str
    ) -> None:
        """Write down that a job was not told: another node has it."""
        job = self.find(connection, mission)
        save_job(connection, job, replace(job, told="", fence=mission.fence))
        line = Word(
            kind="job.not_told",
            action=call_of(job.action, job.arguments),
            summary=f"job {job.id}: {word}: it runs on another machine",
            body={"job": job.id, "told": ""},
        )
        self._moves.tell(connection, mission, line)

    def end(
        self,
        connection: Connection,
        mission: Mission,
        state: JobState,
        reason: str,
        *,
        has_run: bool = True,
    ) -> Mission:
        """Write down how a job ended, and go on from there.

        Args:
            connection: a turn's transaction.
            mission: the mission that acts.
            state: how it ended.
            reason: why.
            has_run: whether it may have run; what certainly never did
                counts for no budget.
        """
        job = self.find(connection, mission)
        says = clip(clean(reason), LONGEST)
        spec = self._catalogue.find(job.action)
        is_checked = has_run and spec is not None and spec.check is not None
        verdict = _verdict(state, has_run=has_run, is_checked=is_checked)
        ended = replace(
            job,
            state=state.value,
            reason=says,
            started_at=job.started_at if has_run else None,
            ended_at=self._moves.clock.now(),
            fence=mission.fence,
            verdict=verdict,
            until=self._may_run_until(job, state),
        )
        save_job(connection, job, ended)
        if verdict:
            set_verdict(connection, job.decision_id, verdict)
        word = _tell_end(ended)
        self._moves.tell(connection, mission, word)
        number = mission.incident_id
        event = Ended(
            state=state,
            reason=word.summary,
            is_checked=is_checked,
            quiet=None if has_run else find_end(connection, number),
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


def _seconds_of(job: Job) -> int:
    """Return how long a started job was given, whatever is declared now."""
    if job.until is None or job.started_at is None:
        return 0
    return (job.until - job.started_at) // SECOND


def _tell_end(job: Job) -> Word:
    """Return what the log says of a job that has ended."""
    told = f"job {job.id} {job.state}"
    return Word(
        kind="job.ended",
        actor=f"backend:{job.backend}",
        action=call_of(job.action, job.arguments),
        summary=f"{told}: {job.reason}" if job.reason else told,
        body={
            "job": job.id,
            "decision": job.decision_id,
            "state": job.state,
            "reference": job.reference,
            "output_bytes": job.output_bytes,
        },
    )


def why_halted(connection: Connection, halted: str) -> str:
    """Return why nothing may run, by the switch or the file, or empty."""
    held = find_halt(connection)
    if held.is_halted:
        return f"{HALTED} by {held.by}: {held.reason}"
    return f"{HALTED}: {halted}" if halted else ""


def _told(job: Job, word: str) -> Word:
    """Return the line that a job is told something."""
    return Word(
        kind="job.told",
        action=call_of(job.action, job.arguments),
        summary=f"job {job.id} is told: {word}",
        body={"job": job.id, "told": word},
    )


def _verdict(state: JobState, *, has_run: bool, is_checked: bool) -> str:
    """Return what is known of a job's help before anything is measured."""
    if not has_run or state in (JobState.SUCCEEDED, JobState.FAILED):
        return ""
    is_measured = is_checked and state is not JobState.UNKNOWN
    return "" if is_measured else Verdict.UNKNOWN.value
