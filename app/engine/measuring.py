"""Measuring: a reading is written down, and the verdict when there is one."""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from app.engine.moves import PIPELINE, Moves, Word, call_of
from app.engine.proposing import Proposing
from app.engine.quieting import find_end
from app.models.action import Catalogue, Check
from app.models.job import AWAY, Job, JobState
from app.models.mission import SECOND, End, Measured, Mission
from app.models.verdict import Judgement, Reading, Verdict
from app.store.decisions import set_verdict
from app.store.jobs import find_job, save_job
from app.store.ledger import Connection
from app.verify.judging import Conclusion

# So many readings of one job are kept, the newest.
MOST = 500
FEW = 2
# After these the next reading may tell.
OPEN = (Judgement.GOOD, Judgement.WORSE)
# What was ended, or given up, before its end.
CUT = (JobState.ABORTED, JobState.TIMED_OUT)
# So far apart the clocks of two nodes may be.
SKEW = 60 * SECOND
Conclude = Callable[[Check, tuple[Reading, ...], int, int], Conclusion]


class Measuring:
    """The turns of a mission that is measured."""

    def __init__(
        self,
        moves: Moves,
        catalogue: Catalogue,
        conclude: Conclude,
        proposing: Proposing,
    ) -> None:
        """Take who moves, what is declared, who judges, and who undoes."""
        self._moves = moves
        self._catalogue = catalogue
        self._conclude = conclude
        self._proposing = proposing

    def give_up(
        self, connection: Connection, mission: Mission, reason: str
    ) -> Mission:
        """Write down that nobody knows whether it helped."""
        job = find_job(connection, mission.job_id)
        if job is not None:
            unknown = Verdict.UNKNOWN
            known = replace(job, verdict=unknown.value, fence=mission.fence)
            save_job(connection, job, known)
            set_verdict(connection, job.decision_id, unknown.value)
            spec = self._catalogue.find(job.action)
            check = spec.check if spec else None
            found = Conclusion(verdict=unknown, reason=reason)
            line = _tell(known, check, found, PIPELINE)
            self._moves.tell(connection, mission, line)
        event = Measured(verdict=Verdict.UNKNOWN, reason=reason)
        return self._moves.move(connection, mission, event)

    def take(
        self, connection: Connection, mission: Mission, reading: Reading
    ) -> Mission:
        """Write down a reading, and what follows from all of them."""
        job = find_job(connection, mission.job_id)
        if job is None or job.ended_at is None:
            raise LookupError(f"job {mission.job_id} has not ended")
        spec = self._catalogue.find(job.action)
        if spec is None or spec.check is None:
            reason = (
                f"the catalogue does not say how {job.action} is measured"
                " any more"
            )
            return self.give_up(connection, mission, reason)
        readings = (*readings_of(job.after), reading)[-MOST:]
        now = self._moves.clock.now()
        if now < job.ended_at - SKEW:
            # No reading would count before the clock is there again.
            return self.give_up(connection, mission, "the clock was set back")
        found = self._conclude(spec.check, readings, job.ended_at, now)
        # Of what was read before it ended nothing is said.
        since = tuple(one for one in readings if one.at >= job.ended_at)
        found = _of_state(job, found, since)
        verdict = found.verdict.value if found.verdict else ""
        known = replace(
            job,
            after=msgspec.json.encode(readings).decode(),
            verdict=verdict,
            fence=mission.fence,
        )
        save_job(connection, job, known)
        undo = 0
        if found.verdict is not None:
            set_verdict(connection, job.decision_id, verdict)
            by = f"check:{spec.check.name}"
            line = _tell(known, spec.check, found, by)
            self._moves.tell(connection, mission, line)
            if found.is_worse and spec.undo and _may_undo(job, mission):
                undo = self._proposing.undo(connection, job, spec.undo)
        event = Measured(
            verdict=found.verdict,
            reason=found.reason,
            until=found.look_again_at,
            undo=undo,
            is_worse=found.is_worse,
            is_cut=job.state in CUT,
            quiet=_quiet(connection, job, found, reading),
        )
        return self._moves.move(connection, mission, event)


def _quiet(
    connection: Connection, job: Job, found: Conclusion, last: Reading
) -> End | None:
    """Return how an incident ended whose job was ended with it, if well.

    Nobody knows whether it helped, and nobody has to: it was declared to
    end when there is nothing left to do, and did no harm.
    """
    is_its_word = job.state == JobState.ABORTED and job.told == AWAY
    is_good = last.judgement is Judgement.GOOD
    if not (is_its_word and is_good and found.verdict is Verdict.UNKNOWN):
        return None
    return find_end(connection, job.incident_id)


def _of_state(
    job: Job, found: Conclusion, since: tuple[Reading, ...]
) -> Conclusion:
    """Return the verdict on a job by how it ended."""
    if job.state == JobState.FAILED:
        return _of_failed(found, since)
    return _of_cut(job, found, since) if job.state in CUT else found


def _may_undo(job: Job, mission: Mission) -> bool:
    """Tell whether what a job did may be taken back without a person.

    What was given up may be at work still, and holds its target: people get
    it at once.
    """
    return not mission.undoes and job.state != JobState.TIMED_OUT


def _may_tell_more(found: Conclusion, since: tuple[Reading, ...]) -> bool:
    """Tell whether one more reading may say something of what went wrong.

    Two readings tell; what is good by then may stay so, and what became
    worse must be seen so twice.
    """
    if found.verdict is not None:
        return False
    return len(since) < FEW or since[-1].judgement in OPEN


def _of_failed(found: Conclusion, since: tuple[Reading, ...]) -> Conclusion:
    """Return the verdict on a job that failed: it is not waited for long."""
    if found.verdict is not None or _may_tell_more(found, since):
        return found
    return msgspec.structs.replace(
        found,
        verdict=Verdict.NOT_FIXED,
        reason=f"the job failed, and {since[-1].says or 'it is bad'}",
        look_again_at=None,
    )


def _of_cut(
    job: Job, found: Conclusion, since: tuple[Reading, ...]
) -> Conclusion:
    """Return the verdict on a job that was ended before its end.

    Harm is told, like that of one that failed. Whoever ended it before its
    time never let it help, so nobody says whether it did.
    """
    if found.is_worse or not since:
        return found
    last = since[-1]
    says = last.says or f"it is {last.judgement}"
    if not _had_its_time(job):
        is_good = last.judgement is Judgement.GOOD and len(since) >= FEW
        if _may_tell_more(found, since) and not is_good:
            return found
        reason = f"the job was ended: {says}"
        return Conclusion(verdict=Verdict.UNKNOWN, reason=reason)
    is_said = found.verdict in (Verdict.FIXED, Verdict.UNKNOWN)
    if is_said or _may_tell_more(found, since):
        return found
    reason = f"the job had its time, and was ended: {says}"
    is_known = last.judgement is not Judgement.UNKNOWN
    verdict = Verdict.NOT_FIXED if is_known else Verdict.UNKNOWN
    return Conclusion(verdict=verdict, reason=reason)


def _had_its_time(job: Job) -> bool:
    """Tell whether a job ended no sooner than it should have."""
    if job.state == JobState.TIMED_OUT:
        return True
    if job.until is None or job.ended_at is None:
        return False
    return job.ended_at >= job.until


def readings_of(text: str) -> tuple[Reading, ...]:
    """Return readings as they were stored."""
    return msgspec.json.decode(text, type=tuple[Reading, ...])


def _tell(job: Job, check: Check | None, found: Conclusion, by: str) -> Word:
    """Return what the log says of a verdict, and of whom it is."""
    before = readings_of(job.before)
    after = readings_of(job.after)
    return Word(
        kind="verdict.given",
        actor=by,
        action=call_of(job.action, job.arguments),
        summary=f"{found.verdict}: {found.reason}",
        body={
            "job": job.id,
            "decision": job.decision_id,
            "verdict": job.verdict,
            "is_worse": found.is_worse,
            "check": check.model_dump(mode="json") if check else {},
            "before": msgspec.to_builtins(before[-3:]),
            "after": msgspec.to_builtins((*after[:2], *after[-3:])),
            "readings": len(after),
        },
    )
