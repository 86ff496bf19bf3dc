"""Rulings: the guard rules on a plan, in a turn, and what comes of it.

Budgets, locks and the kill switch are read in the turn that plans the job:
two nodes can never both have the last run of a budget.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from app.engine.motions import Motions
from app.engine.moves import Moves, Word
from app.engine.plans import Observed, Plan
from app.engine.quieting import overtake
from app.engine.voters import has_lapsed
from app.guard.guard import Guard
from app.guard.standing import NOT_FIRING
from app.models.action import Risk
from app.models.approval import Approval, ApprovalState
from app.models.canary import CANARY
from app.models.job import UNBOUND, Bounds, Job, key_of, written
from app.models.mission import SECOND, End, Mission, Quieted, Ruled
from app.models.ruling import (
    Mode,
    Motion,
    Outcome,
    Question,
    Ruling,
)
from app.store.approvals import add_approval, find_approval
from app.store.halts import find_halt
from app.store.jobs import StoreTally, add_job
from app.store.ledger import Connection
from app.store.marks import get_mark, put_mark
from app.store.rulings import add_ruling

# What no other installation has; it makes the keys of our jobs ours.
HOME = "home"
GONE = Ruling(
    outcome=Outcome.DENY, rule="gone", reason="the incident is gone by age"
)
# Said of what was to run where it cannot any more, or not from this node.
WAY_IS_GONE: Mapping[str, Any] = {
    "outcome": Outcome.ESCALATE,
    "rule": "way-is-gone",
    "reason": "Where it was to run does not reach it from here any more.",
}
ASKING = (Outcome.ASK, Outcome.SUGGEST)
GOES_ON = (Outcome.ALLOW, Outcome.WAIT, Outcome.OBSERVE)
Random = Callable[[], int]


class Rulings:
    """Puts plans to the guard."""

    def __init__(
        self, moves: Moves, motions: Motions, guard: Guard, random: Random
    ) -> None:
        """Take who moves, who makes motions, who rules, and chance.

        Args:
            moves: moves missions.
            motions: makes motions.
            guard: rules.
            random: returns a number below 2**62 that nobody else draws.
        """
        self._moves = moves
        self._motions = motions
        self._guard = guard
        self._random = random

    def rule(
        self,
        connection: Connection,
        mission: Mission,
        observed: Observed,
    ) -> Mission:
        """Rule on what a mission follows, and plan, ask, or hand over.

        Args:
            connection: a turn's transaction.
            mission: the mission.
            observed: what was looked at just now.
        """
        plan = self._motions.plan(connection, mission)
        if plan is None:
            gone = Quieted(end=End.RESOLVED, reason="it is gone by age")
            return self._moves.move(connection, mission, gone)
        grant = find_grant(connection, mission, plan, self._now)
        motion = self._motion(connection, plan, observed, grant)
        ruling = self._guard.rule(motion, StoreTally(connection))
        ruling = _spare_people(motion, ruling)
        if ruling.outcome is Outcome.WAIT:
            return self._moves.move(connection, mission, _event(ruling, 0, 0))
        self._keep(connection, mission, motion, ruling)
        if plan.over and ruling.rule == NOT_FIRING:
            anew = overtake(connection, self._moves, mission, plan.incident)
            if anew is not None:
                return anew
        job = approval = 0
        if ruling.outcome is Outcome.ALLOW:
            job = self._plan_job(connection, mission, motion, grant)
        elif ruling.outcome in ASKING:
            approval = self._ask(connection, mission, motion, ruling)
        event = _event(ruling, job, approval)
        return self._moves.move(connection, mission, event)

    def recheck(
        self,
        connection: Connection,
        mission: Mission,
        job: Job,
        observed: Observed,
    ) -> Ruling | None:
        """Return what speaks against a planned job now, or None.

        Right before a start everything is looked at once more, as if the
        job were not planned yet.
        """
        plan = self._motions.plan(connection, mission)
        if plan is None or plan.decision != job.decision_id:
            return GONE
        grant = find_grant(connection, mission, plan, self._now)
        motion = self._motion(connection, plan, observed, grant)
        tally = StoreTally(connection, without=job.id)
        ruling = self._guard.rule(motion, tally)
        if ruling.outcome is Outcome.ALLOW:
            is_same = (motion.backend, motion.job) == (job.backend, job.name)
            if is_same:
                return None
            # Another node, another setting: it would run somewhere else.
            ruling = replace(ruling, **WAY_IS_GONE)
        self._keep(connection, mission, motion, ruling)
        return ruling

    def seconds_of(self, job: Job) -> int:
        """Return how long a job may take."""
        return self._motions.seconds_of(job)

    def hints_of(self, job: Job) -> Collection[str]:
        """Return which arguments of a job are hints."""
        return self._motions.hints_of(job)

    def bounds_of(self, job: Job) -> Bounds:
        """Return what a job spares; what only looks has nothing to spare."""
        if job.risk == Risk.OBSERVE:
            return UNBOUND
        is_destructive = job.risk == Risk.DESTRUCTIVE
        return replace(self._guard.protected, may_end=is_destructive)

    def check_of(self, job: Job) -> int:
        """Return how long it may take to measure what a job did."""
        return self._motions.check_of(job.action)

    @property
    def _now(self) -> int:
        """Return the time."""
        return self._moves.clock.now()

    def _motion(
        self,
        connection: Connection,
        plan: Plan,
        observed: Observed,
        grant: Approval | None,
    ) -> Motion:
        """Return what is put to the guard."""
        held = find_halt(connection)
        why = observed.halted
        if held.is_halted:
            why = f"{held.by}: {held.reason}"
        seen = msgspec.structs.replace(observed, halted=why)
        approved = grant.policy if grant else ""
        motion = self._motions.motion(plan, seen, approved, self._now)
        return msgspec.structs.replace(motion, granted=_granted(grant))

    def _keep(
        self,
        connection: Connection,
        mission: Mission,
        motion: Motion,
        ruling: Ruling,
    ) -> None:
        """Write a ruling down, and say it in the log."""
        kept = add_ruling(connection, self._now, mission, motion, ruling)
        word = Word(
            kind="ruling.made",
            actor=f"rule:{ruling.rule}",
            action=_call(motion),
            summary=f"{ruling.outcome}: {ruling.reason}",
            body={
                "ruling": kept,
                "decision": motion.decision,
                "outcome": ruling.outcome.value,
                "rule": ruling.rule,
                "policy": ruling.policy,
                "mode": ruling.mode,
                "trail": list(ruling.trail),
                "preconditions": msgspec.to_builtins(motion.preconditions),
            },
        )
        self._moves.tell(connection, mission, word)

    def _plan_job(
        self,
        connection: Connection,
        mission: Mission,
        motion: Motion,
        grant: Approval | None,
    ) -> int:
        """Plan the job of what is allowed; return its number."""
        spec = motion.spec
        run = spec.find_way(motion.backend, motion.job) if spec else None
        if motion.spec is None or run is None:
            raise TypeError(f"{motion.action} cannot be run")
        return add_job(
            connection,
            Job(
                incident_id=motion.incident,
                mission_id=mission.id,
                decision_id=motion.decision,
                action=motion.action,
                arguments=written({**motion.hints, **motion.arguments}),
                target=motion.target,
                environment=motion.environment,
                team=motion.team,
                risk=motion.spec.risk.value,
                backend=run.backend,
                name=run.job,
                key=key_of(
                    self._home(connection), motion.decision, motion.arguments
                ),
                is_idempotent=int(run.is_idempotent),
                proposer=motion.proposer,
                approval_id=grant.id if grant else 0,
                fence=mission.fence,
                planned_at=self._now,
            ),
        )

    def _ask(
        self,
        connection: Connection,
        mission: Mission,
        motion: Motion,
        ruling: Ruling,
    ) -> int:
        """Ask people; return the number of the question."""
        question = ruling.question or Question()
        mode = Mode.APPROVE
        if ruling.outcome is Outcome.SUGGEST:
            mode = Mode.SUGGEST
        asked = Approval(
            incident_id=motion.incident,
            mission_id=mission.id,
            decision_id=motion.decision,
            action=motion.action,
            arguments=written(motion.arguments),
            target=motion.target,
            environment=motion.environment,
            team=motion.team,
            policy=ruling.policy,
            rule=ruling.rule,
            reason=ruling.reason,
            mode=mode.value,
            whom=written_names(question.whom),
            people=question.people,
            proposer=motion.proposer,
            asked_at=self._now,
            expires_at=min(
                self._now + question.seconds * SECOND, mission.deadline_at
            ),
        )
        number = add_approval(connection, asked)
        word = Word(
            kind="approval.asked",
            actor=f"rule:{ruling.rule}",
            action=_call(motion),
            summary=f"{mode} is asked of {_whom(question)}: {ruling.reason}",
            body={
                "approval": number,
                "decision": motion.decision,
                "people": question.people,
                "whom": list(question.whom),
                "expires_at": asked.expires_at,
            },
        )
        self._moves.tell(connection, mission, word)
        return number

    def _home(self, connection: Connection) -> str:
        """Return what no other installation has."""
        home = get_mark(connection, HOME)
        if not home:
            home = self._random()
            put_mark(connection, HOME, home)
        return f"{home:x}"


def written_names(names: tuple[str, ...]) -> str:
    """Return names as they are stored."""
    return msgspec.json.encode(names).decode()


def _event(ruling: Ruling, job: int, approval: int) -> Ruled:
    """Return a ruling as what happened to a mission."""
    question = ruling.question or Question()
    until = ruling.until
    return Ruled(
        outcome=ruling.outcome,
        reason=f"{ruling.rule}: {ruling.reason}",
        until=until,
        seconds=question.seconds,
        job=job,
        approval=approval,
    )


def _call(motion: Motion) -> str:
    """Return a motion's call in one line."""
    inside = ", ".join(f"{k}={v}" for k, v in motion.arguments.items())
    return f"{motion.action}({inside})"


def _whom(question: Question) -> str:
    """Return who is asked, for people."""
    names = ", ".join(question.whom) or "anybody"
    return names if question.people == 1 else f"{question.people} of {names}"


def _granted(grant: Approval | None) -> Question | None:
    """Return how people were asked who granted something."""
    if grant is None:
        return None
    whom: list[str] = msgspec.json.decode(grant.whom)
    return Question(whom=tuple(whom), people=grant.people, rule=grant.rule)


def find_grant(
    connection: Connection, mission: Mission, plan: Plan, now: int
) -> Approval | None:
    """Return the grant that a mission rests on, if it still holds."""
    if not mission.approval_id:
        return None
    asked = find_approval(connection, mission.approval_id)
    if asked is None or asked.state != ApprovalState.GRANTED:
        return None
    is_same = (asked.decision_id, asked.action) == (plan.decision, plan.action)
    # Another name of the same may lead by now, or on this node.
    is_there = asked.target in (plan.target, *plan.places)
    if not (is_same and is_there):
        return None
    if msgspec.json.decode(asked.arguments) != plan.arguments:
        return None
    if asked.expires_at <= now or has_lapsed(connection, asked):
        return None
    return asked


def _spare_people(motion: Motion, ruling: Ruling) -> Ruling:
    """Return a ruling that gives nobody the canary, whatever it says.

    What is asked about, denied or handed over ends there; the rule and its
    reason stay, and the canary has not come through.
    """
    if motion.source != CANARY or ruling.outcome in GOES_ON:
        return ruling
    return replace(ruling, outcome=Outcome.OBSERVE, question=None)
