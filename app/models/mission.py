"""The mission: what we do about one incident, from a decision to an end.

An incident says what is wrong, and alerts move it. A mission says what we
do about it, and only the pipeline moves that: neither writes the other's
row. An incident has one mission at a time that is not over.
"""

from enum import StrEnum

import msgspec

from app.models.job import JobState
from app.models.ruling import Outcome
from app.models.verdict import Verdict

SECOND = 1_000_000
# No lease is longer: a dead node's work is taken over within 15 s.
MOST_LEASE_SECONDS = 12


class Stage(StrEnum):
    """Which step comes next."""

    DECIDING = "deciding"  # a brain chooses
    RULING = "ruling"  # the guard rules
    ASKING = "awaiting_approval"  # people answer
    STARTING = "starting"  # a job is planned, and nothing was sent
    ACTING = "acting"  # a job was started
    VERIFYING = "verifying"  # checks measure
    ESCALATED = "escalated"  # people have it, with the evidence
    CLOSED = "closed"  # it is over


OVER = (Stage.ESCALATED, Stage.CLOSED)
# Nothing has left the house in these.
IDLE = (Stage.DECIDING, Stage.RULING, Stage.ASKING, Stage.STARTING)


class End(StrEnum):
    """How a mission ended."""

    FIXED = "fixed"  # an action helped: measured
    NO_ACTION = "no_action"  # doing nothing was right
    OBSERVED = "observed"  # the log says what would have been done
    RESOLVED = "resolved"  # the problem went away by itself
    SUPPRESSED = "suppressed"  # muted, in maintenance, flapping or held
    MERGED = "merged"  # it lives on in another incident
    ESCALATED = "escalated"  # handed over to people


class Mission(msgspec.Struct, kw_only=True):
    """What we do about one incident; the columns say what.

    Attributes:
        id: its number.
        incident_id: the incident.
        target: the key of the incident's target, for fairness.
        version: rises with every move.
        stage: which step comes next.
        end: how it ended, empty while it goes on.
        reason: why it is where it is, in one line.
        round: how many decisions it had.
        decision_id: the decision that it follows now.
        approval_id: the question that it waits for or was granted, or 0.
        job_id: its last job, or 0.
        undoes: the decision that it takes back, or 0.
        due_at: when to look at it next; None when it is over.
        deadline_at: when people get it at the latest.
        holder: the worker that has it, or empty.
        lease_until: until when.
        fence: rises with every worker that takes it.
        opened_at: when it began.
        changed_at: when it moved last.
    """

    id: int = 0
    incident_id: int
    target: str
    version: int = 1
    stage: str = Stage.RULING.value
    end: str = ""
    reason: str = ""
    round: int = 1
    decision_id: int = 0
    approval_id: int = 0
    job_id: int = 0
    undoes: int = 0
    due_at: int | None
    deadline_at: int
    holder: str = ""
    lease_until: int = 0
    fence: int = 0
    opened_at: int
    changed_at: int

    @property
    def is_over(self) -> bool:
        """Tell whether it has come to its end."""
        return self.stage in OVER

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing of it runs outside."""
        return self.stage in IDLE


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how often; moments in microseconds.

    Attributes:
        rounds: so many decisions a mission has at most.
        deadline: so long after its beginning people get it.
        deciding: so long a decision may take.
        poll: so often a running job is looked at.
        measure: so often it is measured.
        well: so long it is waited, right before a start, for the end of an
            alert about what measures well already; 0: not at all.
        look: so often it is looked at meanwhile.
    """

    rounds: int = 2
    deadline: int = 3_600 * SECOND
    deciding: int = 600 * SECOND
    poll: int = 2 * SECOND
    measure: int = 10 * SECOND
    well: int = 0
    look: int = 5 * SECOND


# What happens to a mission. Each is one word of one step.


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A brain, or a person, has chosen.

    Attributes:
        decision: what was chosen.
        action: its action.
        reason: why.
        takes_back: whether it is what takes something back, edited.
    """

    decision: int
    action: str
    reason: str = ""
    takes_back: bool = False


class Ruled(msgspec.Struct, frozen=True, kw_only=True):
    """The guard has ruled; a job is planned, or a question is asked."""

    outcome: Outcome
    reason: str
    until: int | None = None
    seconds: int = 0
    job: int = 0
    approval: int = 0


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """People have answered, or their time is over."""

    is_granted: bool
    reason: str


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """It is written that the job starts: from here on it may run.

    Attributes:
        reason: which job it is.
        until: so long it, and what measures it, may take as declared.
    """

    reason: str = ""
    until: int = 0


class Postponed(msgspec.Struct, frozen=True, kw_only=True):
    """Right before the start it measures well: it may be over already."""

    reason: str
    until: int


class NotStarted(msgspec.Struct, frozen=True, kw_only=True):
    """Right before the start something spoke against it."""

    reason: str


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The backend says that the job runs."""

    until: int


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """The job has ended, or nobody can say what became of it.

    Attributes:
        state: how it ended.
        reason: why.
        is_checked: whether it is measured what it did.
        quiet: how its incident ended meanwhile, when it never ran; or None.
    """

    state: JobState
    reason: str
    is_checked: bool = True
    quiet: End | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """It was measured; without a verdict it goes on being measured.

    Attributes:
        verdict: whether it helped, or None.
        reason: why, in one line.
        until: when it is measured next.
        undo: the decision that takes it back, or 0.
        is_worse: whether it is worse than before.
        is_cut: whether its job was ended before its end: then nothing else
            is tried by itself.
    """

    verdict: Verdict | None
    reason: str = ""
    until: int | None = None
    undo: int = 0
    is_worse: bool = False
    is_cut: bool = False
    quiet: End | None = None


class Overtaken(msgspec.Struct, frozen=True, kw_only=True):
    """What a brain decided on is over, and the incident is not."""

    reason: str


class Quieted(msgspec.Struct, frozen=True, kw_only=True):
    """The incident is over, muted or merged: nothing more is started."""

    end: End
    reason: str


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """Its time is over: people get it."""

    reason: str


Event = (
    Decided
    | Ruled
    | Answered
    | Started
    | Postponed
    | NotStarted
    | Running
    | Ended
    | Measured
    | Overtaken
    | Quieted
    | Late
)
