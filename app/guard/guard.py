"""The guard: code that rules on every job, whoever proposed it.

It asks its steps one after the other. What denies, hands over or waits ends
it at once; of all else the most careful word counts, so that no rule lifts
what another step holds back.
"""

from collections.abc import Callable, Sequence

from app.guard import standing
from app.guard.counting import (
    Books,
    blast_radius,
    cool_down,
    find_limit,
    open_breaker,
    target_busy,
)
from app.guard.finding import (
    Finding,
    Unanswerable,
    circle,
    joined_question,
    most_careful,
)
from app.guard.judging import ceiling, judge, trusted, usual_question
from app.guard.known import Known
from app.guard.policy import NOTHING, Policy
from app.guard.protection import Protection
from app.models.job import Bounds
from app.models.ruling import (
    Motion,
    Outcome,
    Question,
    Ruling,
    Tally,
)

Step = tuple[str, Callable[[], Finding | None]]

FREE = Finding(Outcome.ALLOW, "trust:auto", "Nothing speaks against it.")


class Guard:
    """Rules on motions by one policy."""

    def __init__(self, policy: Policy, known: Known = NOTHING) -> None:
        """Take the policy, and what there is that one may name."""
        self.known = known
        self._policy = policy
        self._protection = Protection(policy.says.protected)

    @property
    def version(self) -> str:
        """Return a digest of what the policy means."""
        return self._policy.version

    @property
    def policy(self) -> Policy:
        """Return the policy."""
        return self._policy

    @property
    def protected(self) -> Bounds:
        """Return what the policy protects, for those who run jobs."""
        return self._protection.added

    def rule(self, motion: Motion, tally: Tally) -> Ruling:
        """Return what may become of a motion.

        Args:
            motion: a decision with all that matters for it.
            tally: what ran before; the job of the motion is not in it.
        """
        books = Books(motion, tally)
        found: list[Finding] = []
        trail: list[str] = []
        if _ask(self._standing(motion, books), found, trail):
            return self._end(motion, found, trail)
        books.expect(self._policy.says)
        if _ask(self._counting(books), found, trail):
            return self._end(motion, found, trail)
        judged = judge(self._policy, books)
        found += judged.findings
        trail += judged.trail
        line = trusted(self._policy, motion)
        doubt = standing.unsure(motion)
        if doubt is not None and line.unsure == "run":
            trail.append(f"{doubt.rule}: {doubt.reason} It runs here.")
            doubt = None
        for last in (ceiling(line.mode, motion), doubt):
            if last is not None:
                found.append(last)
                trail.append(f"{last.rule}: {last.reason}")
        return self._end(motion, found, trail)

    def _standing(self, motion: Motion, books: Books) -> Sequence[Step]:
        """Return the steps that look at the motion, and at its target."""
        evidence = self._policy.says.evidence
        return (
            ("halted", lambda: standing.halted(motion)),
            ("ungrounded", lambda: standing.ungrounded(motion)),
            ("not-firing", lambda: standing.not_firing(motion)),
            (
                "stale-evidence",
                lambda: standing.stale_evidence(motion, evidence),
            ),
            ("protected", lambda: self._protected(motion)),
            ("precondition", lambda: standing.precondition(motion)),
            ("no-backend", lambda: standing.no_backend(motion)),
            ("flapping", lambda: standing.flapping(motion)),
            ("maintenance", lambda: standing.maintenance(motion)),
            ("target-busy", lambda: target_busy(books)),
        )

    def _counting(self, books: Books) -> Sequence[Step]:
        """Return the steps that count what ran before."""
        says = self._policy.says
        return (
            ("cool-down", lambda: cool_down(books)),
            ("budgets", lambda: find_limit(books, says)),
            ("blast-radius", lambda: blast_radius(books, says.blast)),
            ("breaker", lambda: open_breaker(books, says.breaker)),
        )

    def _protected(self, motion: Motion) -> Finding | None:
        """Refuse what nothing unlocks."""
        found = self._protection.find(motion)
        if not found:
            return None
        return Finding(Outcome.DENY, "protected", found)

    def _end(
        self, motion: Motion, found: Sequence[Finding], trail: list[str]
    ) -> Ruling:
        """Return the ruling that the findings come to."""
        if not found:
            return self._make(motion, FREE, None, trail)
        finding = most_careful(found)
        question = None
        if finding.outcome in (Outcome.ASK, Outcome.SUGGEST):
            usual = usual_question(self._policy)
            try:
                question = joined_question(found, usual, motion.proposer)
            except Unanswerable as error:
                # To wait for an answer that cannot come helps nobody.
                why = f"{error} {finding.reason}"
                finding = Finding(Outcome.ESCALATE, "nobody-to-ask", why)
                trail = [*trail, f"{finding.rule}: {why}"]
        if finding.outcome is Outcome.ASK and question and motion.approved:
            finding = self._granted(motion, finding, question)
            trail = [*trail, f"{finding.rule}: {finding.reason}"]
        return self._make(motion, finding, question, trail)

    def _granted(
        self, motion: Motion, asks: Finding, question: Question
    ) -> Finding:
        """Return what a granted approval makes of what asks."""
        if motion.approved != self.version:
            why = f"It was granted under another policy. {asks.reason}"
            return Finding(Outcome.ASK, "policy-changed", why)
        granted = motion.granted or Question()
        if asks.rule == standing.PRECONDITION != granted.rule:
            why = f"Nobody who granted it could know that. {asks.reason}"
            return Finding(Outcome.ASK, "precondition-changed", why)
        if not _is_enough(granted, question):
            why = f"Others, or more, must grant it now. {asks.reason}"
            return Finding(Outcome.ASK, "not-enough", why)
        why = f"People granted it. {asks.reason}"
        return Finding(Outcome.ALLOW, "approved", why)

    def _make(
        self,
        motion: Motion,
        finding: Finding,
        question: Question | None,
        trail: Sequence[str],
    ) -> Ruling:
        """Return a finding as the ruling that is stored."""
        is_asked = finding.outcome in (Outcome.ASK, Outcome.SUGGEST)
        return Ruling(
            outcome=finding.outcome,
            rule=finding.rule,
            reason=finding.reason,
            policy=self.version,
            mode=trusted(self._policy, motion).mode.value,
            question=question if is_asked else None,
            until=finding.until,
            trail=tuple(trail),
        )


def _ask(
    steps: Sequence[Step], found: list[Finding], trail: list[str]
) -> bool:
    """Ask some steps, one after the other; tell whether one ends it."""
    for name, step in steps:
        finding = step()
        trail.append(f"{name}: {finding.reason if finding else 'passed'}")
        if finding is not None:
            found.append(finding)
            if finding.stops:
                return True
    return False


def _is_enough(granted: Question, asked: Question) -> bool:
    """Tell whether one question's grant answers another one as well.

    Between the two the time may have come of a rule that asks others.
    """
    if granted.people < asked.people:
        return False
    if not asked.whom:
        return True
    return bool(granted.whom) and circle(granted.whom) <= circle(asked.whom)
