r"""The story of an incident, step by step.

    open -> deciding -> ruling --allow--> starting -> acting -> verifying
                          |  \--ask----> awaiting_approval --granted--> ruling
                          |                     \--refused, expired--> people
                          \--deny, escalate, suggest--------------> people
    verifying --fixed--> closed
              --not fixed--> deciding (what failed is excluded), or people
              --unknown--> people
    any       --resolved, muted--> closed (nothing more is started), or
                people, when an action had made it worse
              --what a brain decided on is over, other problems are not,
                and nothing has started--> deciding
              --its time is over--> people

``step`` says what comes of what happened. It reads and writes nothing: the
engine does what a stage asks for, and writes the answer with what it did, in
one transaction. So every crash leaves a mission between two steps.
"""

from collections.abc import Callable, Mapping
from functools import singledispatch
from typing import Any

from msgspec.structs import replace

from app.core.errors import TooLate
from app.models.action import ESCALATE, NO_ACTION
from app.models.job import JobState
from app.models.mission import (
    OVER,
    SECOND,
    Answered,
    Decided,
    End,
    Ended,
    Event,
    Late,
    Limits,
    Measured,
    Mission,
    NotStarted,
    Overtaken,
    Postponed,
    Quieted,
    Ruled,
    Running,
    Stage,
    Started,
)
from app.models.ruling import Outcome
from app.models.verdict import Verdict

__all__ = ["Misstep", "open_mission", "step"]


class Misstep(TooLate):
    """What happened does not fit the stage: somebody else was first."""


# What may happen in which stage. Whatever else comes is told too late.
FITS: Mapping[Stage, tuple[type, ...]] = {
    Stage.DECIDING: (Decided, Quieted, Late),
    Stage.RULING: (Decided, Ruled, Answered, Overtaken, Quieted, Late),
    Stage.ASKING: (Decided, Answered, Overtaken, Quieted, Late),
    Stage.STARTING: (
        Started,
        Postponed,
        NotStarted,
        Answered,
        Overtaken,
        Quieted,
        Late,
    ),
    Stage.ACTING: (Running, Ended),
    Stage.VERIFYING: (Measured, Quieted, Late),
    Stage.ESCALATED: (),
    Stage.CLOSED: (),
}


def open_mission(
    incident: int, target: str, now: int, limits: Limits
) -> Mission:
    """Return the mission of an incident that is to be decided on."""
    return Mission(
        incident_id=incident,
        target=target,
        stage=Stage.DECIDING.value,
        round=0,
        due_at=now + limits.deciding,
        deadline_at=now + limits.deadline,
        opened_at=now,
        changed_at=now,
    )


def step(mission: Mission, event: Event, now: int, limits: Limits) -> Mission:
    """Return what becomes of a mission when something happens.

    Raises:
        Misstep: it does not fit where the mission stands.
    """
    if type(event) not in FITS[Stage(mission.stage)]:
        raise Misstep(f"{type(event).__name__} while {mission.stage}")
    moved = _step(event, mission, now, limits)
    due = moved.due_at
    if due is not None and moved.stage not in OVER:
        # Nothing sleeps beyond its deadline.
        due = min(due, max(moved.deadline_at, now))
    return replace(
        moved, version=mission.version + 1, changed_at=now, due_at=due
    )


@singledispatch
def _step(
    event: Any, _mission: Mission, _now: int, _limits: Limits
) -> Mission:
    """Return what becomes of a mission; one function for each event."""
    raise TypeError(f"no step for {type(event).__name__}")


@_step.register
def _(event: Decided, mission: Mission, now: int, _limits: Limits) -> Mission:
    """Follow the choice: nothing to do, people, or the guard rules."""
    chosen = replace(
        mission,
        decision_id=event.decision,
        approval_id=0,
        # What takes something back is decided by nobody: this is another,
        # or the same with other arguments.
        undoes=mission.undoes if event.takes_back else 0,
        # What was edited, or superseded, before it ran took no round.
        round=mission.round + (mission.stage == Stage.DECIDING),
    )
    if event.action == NO_ACTION:
        return _close(chosen, End.NO_ACTION, event.reason)
    if event.action == ESCALATE:
        return _escalate(chosen, event.reason)
    return _go(chosen, Stage.RULING, event.reason, now)


@_step.register
def _(event: Ruled, mission: Mission, now: int, _limits: Limits) -> Mission:
    """Follow the ruling."""
    end = _RULED[event.outcome]
    return end(mission, event, now)


@_step.register
def _(event: Answered, mission: Mission, now: int, _limits: Limits) -> Mission:
    """Rule once more on what was granted; the rest goes to people."""
    if event.is_granted:
        return _go(mission, Stage.RULING, event.reason, now)
    return _escalate(mission, event.reason)


@_step.register
def _(event: Started, mission: Mission, now: int, _limits: Limits) -> Mission:
    """From here on the job may run, and be measured, in its own time."""
    deadline = max(mission.deadline_at, event.until)
    running = replace(mission, deadline_at=deadline)
    return _go(running, Stage.ACTING, event.reason, now)


@_step.register
def _(
    event: Postponed, mission: Mission, _now: int, _limits: Limits
) -> Mission:
    """Look once more before it starts."""
    return replace(mission, reason=event.reason, due_at=event.until)


@_step.register
def _(
    event: NotStarted, mission: Mission, _now: int, _limits: Limits
) -> Mission:
    """Hand over what was allowed and did not start."""
    return _escalate(mission, event.reason)


@_step.register
def _(event: Running, mission: Mission, _now: int, _limits: Limits) -> Mission:
    """Look again."""
    return replace(mission, due_at=event.until)


@_step.register
def _(event: Ended, mission: Mission, now: int, _limits: Limits) -> Mission:
    """Measure what ran; people get the rest."""
    if event.state is not JobState.UNKNOWN and event.is_checked:
        # What failed, or was ended, may have done harm half-way.
        return _go(mission, Stage.VERIFYING, event.reason, now)
    if event.state is JobState.SUCCEEDED:
        reason = f"the evidence is there, people look at it: {event.reason}"
        return _escalate(mission, reason)
    return _quiet(mission, event.quiet, event.reason)


@_step.register
def _(event: Measured, mission: Mission, now: int, limits: Limits) -> Mission:
    """Follow the verdict; unknown is never success."""
    if event.verdict is None:
        return replace(mission, due_at=event.until)
    if event.verdict is Verdict.FIXED and not mission.undoes:
        return _close(mission, End.FIXED, event.reason)
    if event.verdict is Verdict.UNKNOWN or mission.undoes:
        # What was taken back did not help: people look at it now.
        return _quiet(mission, event.quiet, event.reason)
    if event.undo:
        undone = replace(
            mission,
            undoes=mission.decision_id,
            decision_id=event.undo,
            approval_id=0,
            # What did harm has spent the time; this is done once at most.
            deadline_at=max(mission.deadline_at, now + limits.deadline),
        )
        return _go(undone, Stage.RULING, event.reason, now)
    if event.is_worse or event.is_cut:
        return _escalate(mission, event.reason)
    return _again(mission, event.reason, now, limits)


@_step.register
def _(event: Overtaken, mission: Mission, now: int, limits: Limits) -> Mission:
    """Decide once more: what was chosen and never ran took no round."""
    anew = replace(mission, approval_id=0, round=mission.round - 1)
    return _go(anew, Stage.DECIDING, event.reason, now + limits.deciding)


@_step.register
def _(event: Quieted, mission: Mission, _now: int, _limits: Limits) -> Mission:
    """Start nothing more."""
    return _quiet(mission, event.end, event.reason)


@_step.register
def _(event: Late, mission: Mission, _now: int, _limits: Limits) -> Mission:
    """Hand over what took too long."""
    return _escalate(mission, event.reason)


def _go(mission: Mission, stage: Stage, reason: str, due: int) -> Mission:
    """Return a mission in another stage."""
    return replace(mission, stage=stage.value, reason=reason, due_at=due)


def _again(mission: Mission, reason: str, now: int, limits: Limits) -> Mission:
    """Return a mission that decides once more, or is handed over."""
    if mission.undoes or mission.round >= limits.rounds:
        return _escalate(mission, reason)
    return _go(mission, Stage.DECIDING, reason, now + limits.deciding)


def _quiet(mission: Mission, end: End | None, reason: str) -> Mission:
    """Return a mission that needs nothing, or people: harm stays for them.

    Args:
        mission: the mission.
        end: how its incident ended, None when it goes on.
        reason: why.
    """
    if end is None:
        return _escalate(mission, reason)
    if mission.undoes:
        why = f"what made it worse is not taken back: {reason}"
        return _escalate(mission, why)
    return _close(mission, end, reason)


def _escalate(mission: Mission, reason: str) -> Mission:
    """Return a mission that people have now."""
    return replace(_close(mission, End.ESCALATED, reason), stage="escalated")


def _close(mission: Mission, end: End, reason: str) -> Mission:
    """Return a mission that is over."""
    return replace(
        mission,
        stage=Stage.CLOSED.value,
        end=end.value,
        reason=reason,
        due_at=None,
        holder="",
        lease_until=0,
    )


def _start(mission: Mission, event: Ruled, now: int) -> Mission:
    """Return a mission whose job is planned."""
    planned = replace(mission, job_id=event.job)
    return _go(planned, Stage.STARTING, event.reason, now)


def _ask(mission: Mission, event: Ruled, now: int) -> Mission:
    """Return a mission that waits for people until the question ends."""
    asking = replace(mission, approval_id=event.approval)
    ends = now + event.seconds * SECOND
    return _go(asking, Stage.ASKING, event.reason, ends)


def _suggest(mission: Mission, event: Ruled, _now: int) -> Mission:
    """Return a mission that people have, with what they might run."""
    return _escalate(
        replace(mission, approval_id=event.approval), event.reason
    )


def _observe(mission: Mission, event: Ruled, _now: int) -> Mission:
    """Return a mission that only says what would have been done."""
    return _close(mission, End.OBSERVED, event.reason)


def _wait(mission: Mission, event: Ruled, now: int) -> Mission:
    """Return a mission that is ruled on again later."""
    return _go(mission, Stage.RULING, event.reason, event.until or now)


def _hand_over(mission: Mission, event: Ruled, _now: int) -> Mission:
    """Return a mission that people have now."""
    return _escalate(mission, event.reason)


_RULED: Mapping[Outcome, Callable[[Mission, Ruled, int], Mission]] = {
    Outcome.ALLOW: _start,
    Outcome.ASK: _ask,
    Outcome.SUGGEST: _suggest,
    Outcome.OBSERVE: _observe,
    Outcome.WAIT: _wait,
    Outcome.ESCALATE: _hand_over,
    Outcome.DENY: _hand_over,
}
