"""The chronicle: what had run at a moment of the past, counted once more.

Who puts the rulings of the past to another policy, one after the other, asks
it what had run by then. What no ruling among them decided counts as it was.
What one of them did decide counts once it is allowed again: from then on, and
as it came out; or, when it never ran, as what ended at once and unmeasured.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec

from app.models.job import JobState
from app.models.ruling import Motion, Question, Runs, Scope
from app.models.verdict import Verdict

SECOND = 1_000_000
# What nobody can say the end of may run as long as it was given.
PERHAPS = (JobState.UNKNOWN, JobState.TIMED_OUT)
FAILURES = (JobState.FAILED, *PERHAPS)
Key = tuple[str, str]


class Ran(msgspec.Struct, frozen=True):
    """A job of the past, as far as it counts; see app/models/job.py."""

    job: int
    decision: int
    action: str
    target: str
    team: str
    environment: str
    risk: str
    state: str
    verdict: str
    planned_at: int
    started_at: int | None
    ended_at: int | None
    until: int | None

    @property
    def has_failed(self) -> bool:
        """Tell whether it did not help, or nobody can say."""
        return self.state in FAILURES or self.verdict == Verdict.NOT_FIXED

    @property
    def is_judged(self) -> bool:
        """Tell whether it is known whether it helped, or that it failed."""
        return bool(self.verdict) or self.has_failed

    @property
    def latest(self) -> int:
        """Return when it was started, or planned."""
        return max(self.planned_at, self.started_at or 0)

    def began(self, now: int) -> int:
        """Return when it was started, or planned, as was known then."""
        if self.started_at is not None and self.started_at <= now:
            return self.started_at
        return self.planned_at

    def has_ended(self, now: int) -> bool:
        """Tell whether it had ended."""
        return self.ended_at is not None and self.ended_at <= now

    def may_run(self, now: int) -> bool:
        """Tell whether it was, or may have been, at work."""
        if not self.has_ended(now):
            return True
        return self.state in PERHAPS and (self.until or 0) > now

    def never_ran(self, now: int) -> bool:
        """Tell whether it was certain that it never had run."""
        if self.state not in (JobState.ABORTED, JobState.FAILED):
            return False
        return self.has_ended(now) and self.started_at is None


class Asked(msgspec.Struct, frozen=True):
    """A question of the past; see app/models/approval.py."""

    id: int
    decision: int
    action: str
    asked_at: int
    ended_at: int | None

    def is_open(self, now: int) -> bool:
        """Tell whether it had been asked, and not answered."""
        is_over = self.ended_at is not None and self.ended_at <= now
        return self.asked_at <= now and not is_over


class History(msgspec.Struct, frozen=True):
    """What ran, and what was asked.

    Attributes:
        runs: the jobs.
        questions: the questions.
        replayed: the decisions that are ruled on again.
        since: from which moment on.
    """

    runs: Sequence[Ran] = ()
    questions: Sequence[Asked] = ()
    replayed: Collection[int] = ()
    since: int = 0


NOTHING = History()


class Chronicle:
    """A tally of the past; it only ever goes forward."""

    def __init__(self, past: History = NOTHING) -> None:
        """Take what truly was."""
        self._now = 0
        self._own = 0
        self._runs: dict[Key, list[Ran]] = {}
        self._asked: dict[str, list[Asked]] = {}
        self._true = {one.decision: one for one in past.runs}
        self._true_asked: dict[int, list[Asked]] = {}
        for one in sorted(past.questions, key=lambda one: one.asked_at):
            self._true_asked.setdefault(one.decision, []).append(one)
        self._done: set[int] = set()
        again = frozenset(past.replayed)
        for run in past.runs:
            if run.decision not in again or run.planned_at < past.since:
                self._add(run)
        for question in past.questions:
            is_old = question.asked_at < past.since
            if is_old or question.decision not in again:
                self._ask(question)

    def go_to(self, motion: Motion) -> None:
        """Stand where a motion was put; its own job does not count."""
        self._now, self._own = motion.now, motion.decision

    def let_be(self, decision: int) -> None:
        """Count what a decision led to as it was."""
        if decision in self._true:
            self._add(self._true[decision])
        for question in self._true_asked.get(decision, ()):
            self._ask(question)

    def allow(self, motion: Motion) -> None:
        """Count a motion as run from now on."""
        found = self._true.get(motion.decision)
        self._add(_move(found, motion.now) if found else _suppose(motion))

    def wait(self, motion: Motion, until: int | None) -> None:
        """Count a motion that waits for its target as run soon, if it ran."""
        found = self._true.get(motion.decision)
        if found is not None:
            self._add(_move(found, max(motion.now, until or 0)))

    def ask(self, motion: Motion, question: Question) -> None:
        """Count a motion as asked: as it was, or as long as it may wait.

        A decision may be asked about twice.
        """
        now = motion.now
        until = now + question.seconds * SECOND
        supposed = Asked(1, motion.decision, motion.action, now, until)
        known = self._true_asked.get(motion.decision, ())
        later = (one for one in known if one.asked_at >= now)
        self._ask(next(later, supposed))

    def count(self, scope: Scope) -> Runs:
        """Return what was started or planned in a scope."""
        found = self._within(scope)
        now = self._now
        ended = [run for run in found if run.has_ended(now)]
        failed = sum(run.has_failed for run in ended)
        judged = sum(run.is_judged for run in ended)
        verdicts = Counter(run.verdict for run in ended if run.verdict)
        return Runs(
            started=len(found),
            failed=failed,
            judged=judged,
            targets=len({run.target for run in found} - {""}),
            last_at=max((run.began(now) for run in found), default=None),
            verdicts=dict(verdicts),
        )

    def expect(self, _scopes: Collection[Scope]) -> None:
        """Hear what will be counted: there is nothing to prepare."""

    def running(self, places: Collection[str], now: int) -> int:
        """Return a job that was, or may have been, on a target, or 0."""
        busy = [
            run.job
            for place in places
            for run in self._runs.get(("", place), ())
            if run.planned_at <= now
            and run.may_run(now)
            and run.decision != self._own
        ]
        return max(busy, default=0)

    def asking(self, action: str) -> int:
        """Return a question about an action that was open, or 0."""
        for one in self._asked.get(action, ()):
            if one.is_open(self._now) and one.decision != self._own:
                return one.id
        return 0

    def _add(self, run: Ran) -> None:
        """Let a run count, once."""
        if run.decision in self._done:
            return
        self._done.add(run.decision)
        for key in _keys(run):
            insort(self._runs.setdefault(key, []), run, key=_latest)

    def _ask(self, question: Asked) -> None:
        """Let a question count."""
        some = self._asked.setdefault(question.action, [])
        if question not in some:
            some.append(question)

    def _within(self, scope: Scope) -> list[Ran]:
        """Return what ran in a scope."""
        now, since, own = self._now, scope.since, self._own
        return [
            run
            for place in {scope.target, *scope.places}
            for run in self._lately(scope.action, place, since)
            if run.planned_at <= now
            and (run.planned_at >= since or run.began(now) >= since)
            and run.decision != own
            and _is_in(run, scope)
            and not run.never_ran(now)
        ]

    def _lately(self, action: str, target: str, since: int) -> Sequence[Ran]:
        """Return what ran of an action, and on a target, since a moment."""
        some = self._runs.get((action, target), [])
        return some[bisect_left(some, since, key=_latest) :]


def _latest(run: Ran) -> int:
    """Return the moment that runs are sorted by."""
    return run.latest


def _keys(run: Ran) -> Iterable[Key]:
    """Return what a run is found by: all, its action, both, its target."""
    keys = {("", ""), (run.action, ""), (run.action, run.target)}
    return keys | {("", run.target)}


def _is_in(run: Ran, scope: Scope) -> bool:
    """Tell whether a run is one that a scope counts."""
    if scope.risks and run.risk not in scope.risks:
        return False
    if scope.team and scope.team != run.team:
        return False
    return not scope.environment or scope.environment == run.environment


def _move(run: Ran, now: int) -> Ran:
    """Return a run as it would have been, had it been allowed by now."""
    early = max(0, run.planned_at - now)
    moments = {
        name: None if moment is None else moment - early
        for name, moment in (
            ("planned_at", run.planned_at),
            ("started_at", run.started_at),
            ("ended_at", run.ended_at),
            ("until", run.until),
        )
    }
    return msgspec.structs.replace(run, **moments)


def _suppose(motion: Motion) -> Ran:
    """Return a run that never was, of what would have been allowed."""
    return Ran(
        job=0,
        decision=motion.decision,
        action=motion.action,
        target=motion.target,
        team=motion.team,
        environment=motion.environment,
        risk=motion.spec.risk.value if motion.spec else "",
        state=JobState.SUCCEEDED.value,
        verdict="",
        planned_at=motion.now,
        started_at=motion.now,
        ended_at=motion.now,
        until=None,
    )
