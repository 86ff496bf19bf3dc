"""The ruling: what code says to a decision, and by which rule.

A motion is what is put to the guard: a decision with all that it may look
at. Nothing that a model wrote freely is in it.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from app.models.action import ActionSpec, Catalogue
from app.models.menu import Arguments


class Outcome(StrEnum):
    """What the guard says; the further down, the more careful."""

    ALLOW = "allow"
    ASK = "ask"  # a person must grant it
    SUGGEST = "suggest"  # a person is to run it
    OBSERVE = "observe"  # only the log says what would be done
    WAIT = "wait"  # not now: something else runs on the target
    ESCALATE = "escalate"
    DENY = "deny"


class Mode(StrEnum):
    """How far an action is trusted in an environment."""

    OBSERVE = "observe"
    SUGGEST = "suggest"
    APPROVE = "approve"
    AUTO = "auto"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask, and how.

    Attributes:
        whom: names of people or teams; empty for anybody.
        people: how many must grant it: one or two.
        seconds: how long it waits for an answer.
        rule: of what was granted: the rule that had asked.
    """

    whom: tuple[str, ...] = ()
    people: int = 1
    seconds: int = 900
    rule: str = ""


class Precondition(msgspec.Struct, frozen=True):
    """What must hold right before, and whether it does.

    Attributes:
        name: of the check.
        holds: whether it does; None when nobody can tell.
        says: one line for people.
    """

    name: str
    holds: bool | None
    says: str = ""


class Motion(msgspec.Struct, frozen=True, kw_only=True):
    """What is put to the guard.

    Attributes:
        incident: the incident's number.
        decision: the decision's number, 0 for a trial.
        spec: the action, as the catalogue has it now; None when it is not
            there any more.
        action: its name.
        arguments: with what.
        hints: what code tells its job besides.
        target: what it works on; see app/models/job.py.
        places: the same by its other names: what ran there counts here.
        proposer: brain:cascade, person:ana, undo.
        confidence: how sure the brain is, or None.
        asks: whether the brain wants a person to confirm it.
        why: what made the decision.
        ungrounded: why an argument is not grounded any more, or empty.
        source: the monitoring system.
        labels: what identifies the alert.
        name: what the monitoring system calls it.
        problem: the class of problem.
        severity: in our scale.
        environment: of the target, as the inventory has it; or empty.
        team: whose target it is, as the inventory has it; or empty.
        role: what the target is for, as the inventory has it; or empty.
        names: every name of what it touches that the inventory knows.
        state: where the incident stands.
        firing: how many of its episodes go on.
        over: the problem that a brain decided on, when nothing of it goes
            on any more; or empty.
        is_flapping: whether it comes and goes too often.
        maintenance: what mutes it now, or empty.
        at_work: which maintenance windows are on where it would run, or
            empty; None: nobody looked.
        evidence_seconds: how long ago the decision's case was made.
        siblings: how many incidents have the same problem now.
        group_size: how many hosts have the target's role and environment
            in the inventory, the target among them; 0 when unknown.
        has_backend: whether it could run here at all, and where it would
            run reaches the target.
        backend: where it would run, or empty.
        job: what it is called there.
        halted: why nothing may start, or empty.
        preconditions: what must hold right before.
        approved: the policy version that a granted approval was asked
            under, or empty when none is granted.
        granted: how people were asked who granted it, or None.
        now: the time, in microseconds.
    """

    incident: int = 0
    decision: int = 0
    spec: ActionSpec | None
    action: str
    arguments: Arguments = {}
    hints: Arguments = {}
    target: str = ""
    places: tuple[str, ...] = ()
    proposer: str = ""
    confidence: float | None = None
    asks: bool = False
    why: str = "chosen"
    ungrounded: str = ""
    source: str = ""
    labels: Mapping[str, str] = {}
    name: str = ""
    problem: str = ""
    severity: str = "unknown"
    environment: str = ""
    team: str = ""
    role: str = ""
    names: tuple[str, ...] = ()
    state: str = "open"
    firing: int = 1
    over: str = ""
    is_flapping: bool = False
    maintenance: str = ""
    at_work: str | None = None
    evidence_seconds: int = 0
    siblings: int = 0
    group_size: int = 0
    has_backend: bool = True
    backend: str = ""
    job: str = ""
    halted: str = ""
    preconditions: tuple[Precondition, ...] = ()
    approved: str = ""
    granted: Question | None = None
    now: int


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are counted; what is empty does not matter.

    Attributes:
        since: not before this moment.
        action: of this action.
        target: on this target.
        places: or on these, which are other names of it.
        team: on targets of this team.
        environment: in this environment.
        risks: of actions of these risks; empty for all.
    """

    since: int
    action: str = ""
    target: str = ""
    places: tuple[str, ...] = ()
    team: str = ""
    environment: str = ""
    risks: tuple[str, ...] = ()


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """What was started in a scope; what is planned counts as well.

    What certainly never ran does not.

    Attributes:
        started: how many.
        failed: how many of them failed, timed out, are unknown or did not
            help.
        judged: of how many it is known whether they helped.
        targets: on how many targets.
        last_at: when the last one was started or planned, or None.
        verdicts: how often which verdict came of them.
    """

    started: int = 0
    failed: int = 0
    judged: int = 0
    targets: int = 0
    last_at: int | None = None
    verdicts: Mapping[str, int] = {}


class Tally(Protocol):
    """Counts what ran before; it reads what the turn's transaction sees."""

    def count(self, scope: Scope) -> Runs:
        """Return what was started in a scope."""

    def expect(self, scopes: Collection[Scope]) -> None:
        """Hear which scopes will be counted: together they cost less."""

    def running(self, places: Collection[str], now: int) -> int:
        """Return a job that is, or may still be, on a target, or 0.

        Args:
            places: the target by each of its names.
            now: the time.
        """

    def asking(self, action: str) -> int:
        """Return an open question about an action, or 0."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What the guard says, and by which rule.

    Attributes:
        outcome: what it says.
        rule: the name of the rule that said it.
        reason: why, in one line for people.
        policy: the version of the policy.
        mode: how far the action is trusted here.
        question: whom to ask, when it asks or suggests.
        until: when to look again, when it waits.
        trail: what each rule before it said: name and what it found.
    """

    outcome: Outcome
    rule: str
    reason: str
    policy: str = ""
    mode: str = ""
    question: Question | None = None
    until: int | None = None
    trail: tuple[str, ...] = ()


def to_stored(motion: Motion) -> dict[str, Any]:
    """Return a motion as plain values, without what the catalogue says."""
    bare = msgspec.structs.replace(motion, spec=None)
    stored: dict[str, Any] = msgspec.to_builtins(bare)
    del stored["spec"]
    return stored


def from_stored(stored: Mapping[str, Any], catalogue: Catalogue) -> Motion:
    """Return a motion again, with its action as the catalogue has it now.

    Raises:
        msgspec.ValidationError: that is no motion.
    """
    motion = msgspec.convert({**stored, "spec": None}, Motion)
    spec = catalogue.find(motion.action)
    return msgspec.structs.replace(motion, spec=spec)
