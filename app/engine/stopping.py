"""Stopping: a person ends a job, or stops everything."""

import msgspec
from msgspec.structs import replace

from app.core.errors import Refused
from app.engine.moves import Moves, Word, call_of
from app.models.entry import Note
from app.models.job import UNSENT, Job
from app.models.mission import NotStarted, Stage
from app.store.halts import Halt, find_halt, put_halt
from app.store.jobs import find_job, forget_halt, save_job
from app.store.ledger import Connection
from app.store.log import append
from app.store.missions import find_mission, wake


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants.

    Attributes:
        author: who wants it.
        reason: why.
        version: the version that the person saw, or None.
    """

    author: str
    reason: str
    version: int | None = None


class Stopping:
    """Ends jobs, and halts and resumes everything; each in a turn."""

    def __init__(self, moves: Moves) -> None:
        """Take who moves missions."""
        self._moves = moves

    def abort(self, connection: Connection, number: int, stop: Stop) -> Job:
        """Ask that a job ends; what has not started never does.

        Raises:
            Refused: there is no such job, or it has ended.
        """
        job = find_job(connection, number)
        if job is None:
            raise Refused(
                404,
                "not_found",
                f"There is no job {number}.",
                field="job",
                remedy="List what there is with GET /api/v1/jobs.",
            )
        if not job.is_live:
            raise Refused(
                409,
                "has_ended",
                f"Job {number} is {job.state} already.",
                field="job",
                remedy="Nothing of it runs any more.",
            )
        why = f"{stop.author}: {stop.reason}"
        mission = find_mission(connection, job.mission_id)
        if mission is None:
            raise LookupError(f"mission {job.mission_id}")
        wanted = replace(job, abort=why)
        save_job(connection, job, wanted)
        word = Word(
            kind="job.abort_asked",
            actor=f"person:{stop.author}",
            action=call_of(job.action, job.arguments),
            summary=f"job {job.id} must end: {stop.reason}",
            body={"job": job.id, "state": job.state},
        )
        self._moves.tell(connection, mission, word)
        if job.state in UNSENT and mission.stage == Stage.STARTING:
            event = NotStarted(reason=f"aborted by {why}")
            self._moves.move(connection, mission, event, is_taken=True)
            return find_job(connection, number) or wanted
        wake(connection, [mission.id], self._moves.clock.now())
        return wanted

    def halt(self, connection: Connection, stop: Stop) -> Halt:
        """Let nothing start any more, and end what runs."""
        return self._set(connection, stop, is_halted=True)

    def resume(self, connection: Connection, stop: Stop) -> Halt:
        """Let things start again."""
        return self._set(connection, stop, is_halted=False)

    def _set(
        self, connection: Connection, stop: Stop, *, is_halted: bool
    ) -> Halt:
        """Set the kill switch; to set it as it is changes nothing.

        Another person's halt is another one: whoever lifts the first has
        not read why there is a second.
        """
        held = find_halt(connection)
        if stop.version is not None and stop.version != held.version:
            raise Refused(
                409,
                "changed_meanwhile",
                f"The kill switch is of version {held.version} now.",
                field="if-match",
                remedy="Read it again and decide anew.",
            )
        is_same = held.by == stop.author or not is_halted
        if held.is_halted == is_halted and is_same:
            return held
        now = self._moves.clock.now()
        halt = Halt(
            version=held.version + 1,
            is_halted=is_halted,
            reason=stop.reason,
            by=stop.author,
            at=now,
        )
        put_halt(connection, halt)
        if not is_halted:
            forget_halt(connection)
        does = "nothing may start" if is_halted else "actions may start again"
        note = Note(
            kind="halt.changed",
            actor=f"person:{stop.author}",
            summary=f"{does}: {stop.reason}",
            body={"is_halted": is_halted, "version": halt.version},
        )
        append(connection, now, [note])
        return halt
