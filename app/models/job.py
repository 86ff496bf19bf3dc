"""The job: one run of one decision, from its plan to what became of it.

``started`` is written before anything leaves the house, together with the
key that the backend knows the job by. So a job that was started is looked
up after a crash, and never sent again by guess.
"""

import hashlib
from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec

from app.models.action import ActionSpec
from app.models.menu import Arguments

encode = msgspec.json.Encoder(order="deterministic").encode


class JobState(StrEnum):
    """How far a job has come."""

    PLANNED = "planned"  # allowed; a worker will take it
    CLAIMED = "claimed"  # a worker has it; nothing was sent
    STARTED = "started"  # it may have been sent, and may run
    SUCCEEDED = "succeeded"  # so says the backend; nothing is measured
    FAILED = "failed"
    ABORTED = "aborted"
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"  # nobody can say whether it ran


MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.PLANNED: frozenset({JobState.CLAIMED, JobState.ABORTED}),
    JobState.CLAIMED: frozenset(
        {JobState.STARTED, JobState.ABORTED, JobState.PLANNED}
    ),
    JobState.STARTED: frozenset(
        {
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.ABORTED,
            JobState.TIMED_OUT,
            JobState.UNKNOWN,
        }
    ),
}
# Of these one target has one at most.
LIVE = (JobState.PLANNED, JobState.CLAIMED, JobState.STARTED)
# Nothing of these has left the house.
UNSENT = (JobState.PLANNED, JobState.CLAIMED)
# How the word begins that a job is told by the kill switch.
HALTED = "halted"
# What a job is told that is declared to end with its problem.
AWAY = "the problem went away by itself"


class Job(msgspec.Struct, kw_only=True):
    """One run of one decision; the columns say what.

    Attributes:
        id: its number.
        incident_id: the incident that it is for.
        mission_id: the mission that it belongs to.
        decision_id: the decision that it runs.
        action: the action's name.
        arguments: with what, as JSON.
        target: the one thing that it works on; see target_of.
        environment: of the target, as the inventory has it.
        team: whose target it is.
        risk: the action's risk.
        backend: where it runs.
        name: the job's name there.
        key: what the backend knows it by: the same for every try.
        is_idempotent: whether it may be sent again when nobody knows.
        proposer: who proposed it: brain:cascade, person:ana, undo.
        approval_id: the approval that it rests on, or 0.
        state: how far it has come.
        reference: what the backend calls it, once it says so.
        reason: why it ended as it did.
        fence: of the worker that moved it last.
        planned_at: when it was allowed.
        started_at: when it was committed to be sent; None before that, and
            when it certainly never ran.
        until: when it is given up, once started.
        ended_at: when it ended.
        output_bytes: how much output is stored.
        cursor: how far the backend's output was read.
        is_cut: whether output was left out.
        before: the readings from before the start, as JSON.
        after: those since it ended, as JSON.
        verdict: whether it helped, empty until it is known.
        abort: who wants it to end, and why; or empty.
        told: what the running job was told, or empty.
    """

    id: int = 0
    incident_id: int
    mission_id: int
    decision_id: int
    action: str
    arguments: str
    target: str
    environment: str = ""
    team: str = ""
    risk: str
    backend: str
    name: str
    key: str
    is_idempotent: int = 0
    proposer: str
    approval_id: int = 0
    state: str = JobState.PLANNED.value
    reference: str = ""
    reason: str = ""
    fence: int = 0
    planned_at: int
    started_at: int | None = None
    until: int | None = None
    ended_at: int | None = None
    output_bytes: int = 0
    cursor: str = ""
    is_cut: int = 0
    before: str = "[]"
    after: str = "[]"
    verdict: str = ""
    abort: str = ""
    told: str = ""

    @property
    def is_live(self) -> bool:
        """Tell whether it has not ended."""
        return self.state in LIVE

    def moves_to(self, state: JobState) -> bool:
        """Tell whether a state may follow the one that it is in."""
        return state in MOVES.get(JobState(self.state), ())


class Bounds(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What a job may do and is not told by its arguments.

    Whoever runs it has bounds of his own; these only make them closer.

    Attributes:
        may_end: whether it was ruled on as destructive: else it ends no
            process, whatever the settings of those who run it say.
        processes: patterns of programs that the policy protects, bare.
        services: the same of services.
    """

    may_end: bool = False
    processes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


# One object, so that an order that says nothing of them is as it ever was.
UNBOUND = Bounds()


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a backend is told of a job; the same for every try.

    Attributes:
        key: what the job is known by, whatever was answered.
        name: the job's name at the backend.
        action: the action that it runs.
        arguments: with what.
        hints: what it may be told besides: one that does not take it loses
            nothing; empty where the alert does not say it.
        target: what it works on.
        incident: the incident that it is for.
        decision: the decision that it runs.
        reference: what the backend called it, or empty.
        cursor: how far its output was read.
        seconds: how long it may take in all.
        bounds: what it spares, said when it starts.
    """

    key: str
    name: str
    action: str
    arguments: Arguments
    target: str
    incident: int
    decision: int
    reference: str = ""
    cursor: str = ""
    seconds: int = 300
    hints: Arguments = {}
    bounds: Bounds = UNBOUND

    @property
    def known_hints(self) -> Arguments:
        """Return the hints that the alert gives."""
        return {name: one for name, one in self.hints.items() if one != ""}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend says of a job.

    Attributes:
        state: started while it runs, or how it ended.
        reference: what the backend calls it.
        reason: why it ended so, in one line.
        output: what it wrote since the cursor, as text.
        cursor: where to read on.
    """

    state: JobState = JobState.STARTED
    reference: str = ""
    reason: str = ""
    output: str = ""
    cursor: str = ""

    @property
    def has_ended(self) -> bool:
        """Tell whether the backend says that it is over."""
        return self.state is not JobState.STARTED


def order_of(job: Job, seconds: int, hints: Collection[str] = ()) -> Order:
    """Return what a backend is told of a job.

    Args:
        job: the job.
        seconds: how long it may take.
        hints: which of its arguments are hints.
    """
    said: Arguments = msgspec.json.decode(job.arguments)
    return Order(
        key=job.key,
        name=job.name,
        action=job.action,
        arguments={k: v for k, v in said.items() if k not in hints},
        hints={name: said.get(name, "") for name in hints},
        target=job.target,
        incident=job.incident_id,
        decision=job.decision_id,
        reference=job.reference,
        cursor=job.cursor,
        seconds=seconds,
    )


def written(arguments: Arguments) -> str:
    """Return arguments as the one text that is stored and hashed."""
    return encode(arguments).decode()


def key_of(home: str, decision: int, arguments: Arguments) -> str:
    """Return what the job of a decision is known by; never another one.

    Args:
        home: what no other installation has, so that two of them may
            share a backend.
        decision: its number.
        arguments: its arguments.
    """
    text = f"{home}\x1f{decision}\x1f{written(arguments)}"
    return f"sj-{decision}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def on_host(name: str) -> str:
    """Return the target of what runs on a host, by one of its names."""
    return f"host:{name.casefold()}"


def target_of(spec: ActionSpec, arguments: Arguments) -> str:
    """Return the one thing that an action works on, for locks and budgets.

    What runs on one host shares it: two jobs never work on one host at
    once. What has no host is known by all its arguments.
    """
    for name, parameter in spec.parameters.items():
        if parameter.inventory == "host" and name in arguments:
            return on_host(str(arguments[name]))
    inside = ",".join(
        f"{name}={arguments[name]}" for name in sorted(arguments)
    )
    return f"{spec.name}:{inside}" if inside else ""
