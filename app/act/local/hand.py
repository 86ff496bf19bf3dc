"""The hand: what a deed has while it is done: a voice, and an end."""

import time
from collections.abc import Callable
from pathlib import Path

from app.act.local.notes import FileNotes
from app.core.errand import Errand
from app.core.errors import SmokejumperError
from app.models.job import UNBOUND, Bounds, JobState

MOST_CHARS = 1_000_000
CUT = "(the rest of the output was left out)\n"
PIECE_SECONDS = 0.05


class Unwilling(SmokejumperError):
    """A deed was not done, for a reason; nothing was changed."""


class Stopped(SmokejumperError):
    """A deed was told to end, or its time is over.

    Attributes:
        state: how it ended: aborted or timed_out.
    """

    def __init__(self, state: JobState, text: str) -> None:
        """Take how and why it ended."""
        self.state = state
        super().__init__(text)


class Hand:
    """What one deed has while it is done; used by its thread only."""

    def __init__(
        self,
        key: str,
        seconds: float,
        write: Callable[[str], None],
        stop_file: Path,
        bounds: Bounds = UNBOUND,
    ) -> None:
        """Take what the job is known by, how long it may take, who writes.

        Args:
            key: what the job is known by.
            seconds: how long it may take.
            write: takes its output.
            stop_file: it must end as soon as this file is there.
            bounds: what it spares, beside what its own settings say.
        """
        self.key = key
        self.bounds = bounds
        self._write = write
        self._stop_file = stop_file
        self._until = time.monotonic() + seconds
        self._room = MOST_CHARS

    @property
    def errand(self) -> Errand:
        """Return what a warden gets: notes of this job, and its patience."""
        return Errand(self._notes, self.wait)

    @property
    def seconds_left(self) -> float:
        """Return how long it may still take."""
        return max(0.0, self._until - time.monotonic())

    def say(self, text: str) -> None:
        """Write a line, or some, into the job's output; up to a bound."""
        if self._room <= 0:
            return
        line = text if text.endswith("\n") else f"{text}\n"
        self._room -= len(line)
        self._write(line if self._room > 0 else CUT)

    def keep(self, kind: str, data: bytes) -> Path:
        """Return a file beside the journal with this, or raise OSError."""
        return self._notes.keep(kind, data)

    def once(self, name: str, seconds: float) -> bool:
        """Tell whether something may be done that was not done lately.

        It is written down as done now; see the notes for what that raises.
        """
        return self._notes.once(name, seconds)

    def check(self) -> None:
        """Return while it may go on, raise Stopped when it must end."""
        if self._stop_file.exists():
            raise Stopped(JobState.ABORTED, "it was told to end")
        if time.monotonic() >= self._until:
            raise Stopped(JobState.TIMED_OUT, "its time was over")

    def wait(self, seconds: float) -> None:
        """Wait, or raise Stopped when it must end meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.check()
            time.sleep(min(PIECE_SECONDS, left))
        self.check()

    @property
    def _notes(self) -> FileNotes:
        """Return the notes of this job."""
        return FileNotes(self._stop_file.parent, self.key)
