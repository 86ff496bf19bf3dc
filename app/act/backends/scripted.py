"""Run jobs that are written in the settings: for tests and trying out.

Nothing is done anywhere. What was started is a line in a file that is on
disk before anybody is told, so a restart finds it, and tests can count.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from pydantic import Field

from app.core.clock import Clock
from app.core.configfile import Section
from app.core.errors import CannotTell, NotAccepted, OutgoingFailed
from app.models.job import JobState, Order, Progress
from app.ports import Backend, BackendEnv

HANG_SECONDS = 86_400.0
SECOND = 1_000_000
START = "start"
# The same key once more: nothing was started, and tests see who asked.
AGAIN = "again"
ABORT = "abort"
HEAR = "hear"


class Step(Section):
    """What a job writes, and how long after its start."""

    says: str = Field(max_length=65_536)
    seconds: float = Field(0.0, ge=0, le=86_400)


class Script(Section):
    """How one job goes.

    Attributes:
        steps: what it writes.
        seconds: how long it runs.
        ends: how it ends.
        reason: why it ends so.
        refuses: not at all, now (it may be asked again), or for ever.
        lose_answer: it starts, and whoever asked is not told.
        cannot_tell: nobody can look it up by its key.
        hangs: what of it never comes back.
    """

    steps: tuple[Step, ...] = Field((), max_length=1_000)
    seconds: float = Field(0.0, ge=0, le=86_400)
    ends: Literal["succeeded", "failed", "aborted", "timed_out"] = "succeeded"
    reason: str = Field("", max_length=500)
    refuses: Literal["", "now", "forever"] = ""
    lose_answer: bool = False
    cannot_tell: bool = False
    hangs: Literal["", "start", "watch"] = ""


class ScriptedSettings(Section):
    """The jobs by their names, and where it is written what was started."""

    ledger: str = "var/scripted.jsonl"
    jobs: dict[str, Script] = Field(default_factory=dict, max_length=1_000)


class Line(msgspec.Struct, frozen=True):
    """One line of the ledger: what happened to which job, and when."""

    what: str
    key: str
    name: str
    at: int
    word: str = ""


def plugin(env: BackendEnv) -> Backend | None:
    """Return the backend, or None when it is not configured."""
    if not env.is_configured:
        return None
    settings = env.settings(ScriptedSettings)
    ledger = LedgerFile(env.home / settings.ledger)
    return Scripted(settings.jobs, ledger, env.clock)


class LedgerFile:
    """What was started, on disk before anybody is told; for all nodes."""

    def __init__(self, file: Path) -> None:
        """Take where it is; it is made with its first line."""
        self._file = file

    def read(self) -> list[Line]:
        """Return all lines; the last one may be half written: left out."""
        if not self._file.exists():
            return []
        written = self._file.read_bytes().split(b"\n")[:-1]
        return [msgspec.json.decode(text, type=Line) for text in written]

    def append(self, choose: Callable[[list[Line]], Line]) -> list[Line]:
        """Return all lines with one more, chosen while nobody else writes."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            lines = self.read()
            lines.append(choose(lines))
            # Whoever died while writing left half a line.
            file.truncate(self._file.read_bytes().rfind(b"\n") + 1)
            file.write(msgspec.json.encode(lines[-1]) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return lines


class Scripted:
    """Starts a job once for each key, and lets it go as it is written."""

    def __init__(
        self, jobs: Mapping[str, Script], ledger: LedgerFile, clock: Clock
    ) -> None:
        """Take the jobs, where it is written what was started, the time."""
        self._jobs = jobs
        self._ledger = ledger
        self._clock = clock

    def knows(self, job: str) -> bool:
        """Tell whether a job of this name is written."""
        return job in self._jobs

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether its jobs can work on a host: it cannot know."""
        del host, is_here
        return True

    async def start(self, order: Order) -> Progress:
        """Start a job, or say how far it is when it was started before."""
        script = self._jobs.get(order.name)
        if script is None:
            raise NotAccepted(f"there is no job {order.name!r}")
        if script.refuses:
            may_retry = script.refuses == "now"
            raise NotAccepted(f"{order.name} refuses", may_retry=may_retry)
        lines = await self._note(START, order)
        if script.hangs == "start":
            await asyncio.sleep(HANG_SECONDS)
        if script.lose_answer:
            raise OutgoingFailed(f"the answer of {order.name} is lost")
        return self._tell(order, lines)

    async def watch(self, order: Order) -> Progress:
        """Return how a job goes on."""
        script = self._jobs.get(order.name)
        if script is not None and script.hangs == "watch":
            await asyncio.sleep(HANG_SECONDS)
        return self._tell(order, await asyncio.to_thread(self._ledger.read))

    async def abort(self, order: Order) -> Progress:
        """End a job now."""
        return self._tell(order, await self._note(ABORT, order))

    async def find(self, order: Order) -> Progress | None:
        """Return a job by its key, or None when it was never started."""
        script = self._jobs.get(order.name)
        if script is None or script.cannot_tell:
            raise CannotTell(f"{order.name} does not know its jobs by keys")
        lines = await asyncio.to_thread(self._ledger.read)
        if _moment(START, order.key, lines) is None:
            return None
        return self._tell(order, lines)

    async def hear(self, order: Order, word: str) -> bool:
        """Note what a job was told."""
        await self._note(HEAR, order, word)
        return True

    async def _note(
        self, what: str, order: Order, word: str = ""
    ) -> list[Line]:
        """Return all that happened, with one line more."""

        def choose(lines: list[Line]) -> Line:
            """Return the line, once it is known what happened before."""
            was_there = _moment(START, order.key, lines) is not None
            kind = AGAIN if what == START and was_there else what
            now = self._clock.now()
            return Line(kind, order.key, order.name, now, word)

        return await asyncio.to_thread(self._ledger.append, choose)

    def _tell(self, order: Order, lines: list[Line]) -> Progress:
        """Return how far a job is by now."""
        began = _moment(START, order.key, lines)
        script = self._jobs.get(order.name)
        if began is None or script is None:
            raise OutgoingFailed(f"there is no job {order.key}")
        end = began + int(script.seconds * SECOND)
        aborted = _moment(ABORT, order.key, lines)
        was_aborted = aborted is not None and aborted < end
        until = min(self._clock.now(), end if aborted is None else aborted)
        written = "".join(
            step.says
            for step in script.steps
            if began + int(step.seconds * SECOND) <= until
        )
        if was_aborted:
            state, reason = JobState.ABORTED, "it was told to end"
        elif self._clock.now() >= end:
            state, reason = JobState(script.ends), script.reason
        else:
            state, reason = JobState.STARTED, ""
        return Progress(
            state=state,
            reference=order.key,
            reason=reason,
            output=written[int(order.cursor or 0) :],
            cursor=str(len(written)),
        )


def _moment(what: str, key: str, lines: list[Line]) -> int | None:
    """Return when something happened to a job first, or None."""
    found = (line.at for line in lines if (line.what, line.key) == (what, key))
    return next(found, None)
