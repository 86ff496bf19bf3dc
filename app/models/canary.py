"""The canary: a synthetic alert that shows whether the pipe works.

Its source is ours alone: no settings can name it, and what it sends proves
itself by a secret that only this process has.
"""

from datetime import UTC, datetime

import msgspec

from app.models.action import ActionSpec, Budget, Check, Risk, Run

# The name of the source, of its brain, and of the kind of its target.
CANARY = "canary"
PROBLEM = "SmokejumperCanary"
REASON = (
    "It is the canary: it is answered, which changes nothing, so that every"
    " stage of the pipe has something to do."
)
# No name in settings can be this one.
CHANNEL = ":canary"
ANSWER = "answer_canary"
JOB = "answer-canary"
# On no menu, and run wherever it is taken: it works on no host.
SPEC = ActionSpec(
    name=ANSWER,
    purpose="Answer the canary: a job that does nothing but say so.",
    when_to_use="Only code uses it, for the service's own synthetic alert.",
    when_not_to_use="Always: no brain and no person is offered it.",
    risk=Risk.OBSERVE,
    run=Run(backend="local", job=JOB, timeout_seconds=30, is_idempotent=True),
    # The alert is taken back once the job has said that it ran.
    check=Check(
        name="alert_is_over",
        hold_seconds=0,
        within_seconds=30,
        every_seconds=1,
    ),
    cooldown_seconds=0,
    budget=Budget(runs=1_000, window_seconds=60),
)
# The stages of a passage, in order.
ACCEPTED, FOLDED, DECIDED, RULED = "accepted", "folded", "decided", "ruled"
ACTED, VERIFIED, TOLD, CLOSED = "acted", "verified", "told", "closed"
STAGES = (ACCEPTED, FOLDED, DECIDED, RULED, ACTED, VERIFIED, TOLD, CLOSED)


class Trace(msgspec.Struct, frozen=True):
    """How far one canary has come, of what is written down.

    Attributes:
        stages: those that it has come through, in order, without a gap.
        ruling: why the guard did not allow it, or empty.
        failure: what went wrong with its job or its letter, or empty.
        held: the stage that an earlier one stands before, so that this one
            is not decided on; or empty.
    """

    stages: tuple[str, ...] = ()
    ruling: str = ""
    failure: str = ""
    held: str = ""


def name_of(hour: str) -> str:
    """Return the fingerprint of the canaries of an hour."""
    return f"{CANARY}:{hour}"


def hour_of(moment: int) -> str:
    """Return the hour that a canary belongs to: one incident for each."""
    when = datetime.fromtimestamp(moment // 1_000_000, UTC)
    return when.strftime("%Y-%m-%dT%H")
