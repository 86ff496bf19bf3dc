"""The report: what an outside receiver says of a job, as JSON."""

from collections.abc import Mapping

import msgspec

from app.models.job import JobState

STATES: Mapping[str, JobState] = {
    "running": JobState.STARTED,
    "succeeded": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "aborted": JobState.ABORTED,
    "timed_out": JobState.TIMED_OUT,
}
# Said of a key that no job has.
NEVER = "never_started"
# Before a cursor: the receiver's own, or how many chars we have read.
THEIRS = "theirs:"
CHARS = "chars:"


class Report(msgspec.Struct):
    """What is said of a job, all of it optional.

    Attributes:
        key: what we call the job.
        status: how far it is, one of STATES or a word of the receiver's.
        reason: why it is so, in one line.
        output: what it wrote: since the cursor, or all of it.
        cursor: where to read on.
        id: what the receiver calls the job.
        url: where the job can be asked for.
    """

    key: str | None = None
    status: str | None = None
    reason: str | None = None
    output: str | None = None
    cursor: str | int | None = None
    id: str | int | None = None
    url: str | None = None

    def read_on(self, cursor: str) -> tuple[str, str]:
        """Return the output that is new, and where to read on.

        A receiver with cursors sends what is new. One without sends all
        that there is, each time.

        Args:
            cursor: up to where it was read.
        """
        output = self.output or ""
        if self.cursor is not None:
            return output, f"{THEIRS}{self.cursor}"
        if not output:
            return "", cursor
        seen = 0
        if cursor.startswith(CHARS):
            seen = int(cursor.removeprefix(CHARS))
        return output[seen:], f"{CHARS}{max(seen, len(output))}"


def read_report(body: bytes) -> Report:
    """Return what a body says; an empty one says nothing.

    Raises:
        ValueError: it is no JSON of a job.
    """
    if not body.strip():
        return Report()
    try:
        return msgspec.json.decode(body, type=Report)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("is no JSON of a job") from error
