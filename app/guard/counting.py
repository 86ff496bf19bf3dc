"""The steps that count what ran before: locks, budgets, blast, breaker.

They are asked inside of the turn that plans the job, so that no other node
can plan one in between.
"""

from collections.abc import Iterator

from app.guard.durations import say_seconds
from app.guard.finding import Finding
from app.guard.policyfile import (
    CHANGING,
    BlastPart,
    BreakerPart,
    BudgetPart,
    PolicyFile,
)
from app.models.proposer import UNDO
from app.models.ruling import Motion, Outcome, Runs, Scope, Tally
from app.models.verdict import Verdict

SECOND = 1_000_000
PATIENCE = 5 * SECOND
HOUR = 3_600
DAY = 86_400
CHANGES = tuple(risk.value for risk in CHANGING)


class Books:
    """A tally for one motion: each question is put to the store once."""

    def __init__(self, motion: Motion, tally: Tally) -> None:
        """Take the motion, and what counts in the turn."""
        self.motion = motion
        self._tally = tally
        self._known: dict[Scope, Runs] = {}

    def running(self) -> int:
        """Return the job that is on the motion's target, or 0."""
        places = (self.motion.target, *self.motion.places)
        return self._tally.running(places, self.motion.now)

    def asking(self) -> int:
        """Return an open question about the motion's action, or 0."""
        return self._tally.asking(self.motion.action)

    def count(self, scope: Scope) -> Runs:
        """Return what was started in a scope."""
        if scope not in self._known:
            self._known[scope] = self._tally.count(scope)
        return self._known[scope]

    def expect(self, says: PolicyFile) -> None:
        """Let all be counted in one round that the steps will ask for."""
        self._tally.expect(list(dict.fromkeys(_expected(self, says))))

    def since(self, seconds: int) -> int:
        """Return the moment that lies so long before now."""
        return self.motion.now - seconds * SECOND

    def here(self, seconds: int) -> Runs:
        """Return how often this action ran on this target lately."""
        return self.count(self.scope_here(seconds))

    def of_action(self, seconds: int) -> Runs:
        """Return how often this action ran anywhere lately."""
        return self.count(self.scope_of_action(seconds))

    def scope_here(self, seconds: int) -> Scope:
        """Return the scope of this action on this target."""
        return Scope(
            since=self.since(seconds),
            action=self.motion.action,
            target=self.motion.target,
            places=self.motion.places,
        )

    def scope_of_action(self, seconds: int) -> Scope:
        """Return the scope of this action anywhere."""
        return Scope(since=self.since(seconds), action=self.motion.action)


def target_busy(books: Books) -> Finding | None:
    """Wait while another job works on the target."""
    if not books.motion.target:
        return None
    job = books.running()
    if not job:
        return None
    why = f"Job {job} is working on {books.motion.target}."
    until = books.motion.now + PATIENCE
    return Finding(Outcome.WAIT, "target-busy", why, until=until)


def cool_down(books: Books) -> Finding | None:
    """Hand over what would run again on a target too soon."""
    motion = books.motion
    spec = motion.spec
    if spec is None or not spec.cooldown_seconds or motion.proposer == UNDO:
        return None
    last = books.here(spec.cooldown_seconds).last_at
    if last is None or last < books.since(spec.cooldown_seconds):
        return None
    ago = (motion.now - last) // SECOND
    why = (
        f"{motion.action} ran here {ago} s ago; it rests for"
        f" {say_seconds(spec.cooldown_seconds)}."
    )
    return Finding(Outcome.ESCALATE, "cool-down", why)


def declared_budget(books: Books) -> Finding | None:
    """Hand over what ran here as often as its declaration allows."""
    motion = books.motion
    if motion.spec is None or motion.proposer == UNDO:
        return None
    budget = motion.spec.budget
    ran = books.here(budget.window_seconds).started
    return _over("declared", ran, budget.runs, budget.window_seconds)


def spent_budget(books: Books, budget: BudgetPart) -> Finding | None:
    """Hand over what has run as often as a budget of the policy allows."""
    scope = _scope_of(books, budget)
    if scope is None:
        return None
    ran = books.count(scope).started
    return _over(budget.name, ran, budget.runs, budget.window)


def _expected(books: Books, says: PolicyFile) -> Iterator[Scope]:
    """Yield the scopes that are counted when nothing ends it before."""
    motion, spec = books.motion, books.motion.spec
    if spec is not None and motion.proposer != UNDO:
        if spec.cooldown_seconds:
            yield books.scope_here(spec.cooldown_seconds)
        yield books.scope_here(spec.budget.window_seconds)
    for budget in says.budgets:
        scope = _scope_of(books, budget)
        if scope is not None:
            yield scope
    if spec is not None and spec.changes:
        yield books.scope_of_action(says.blast.window)
        if motion.target:
            yield books.scope_here(says.blast.window)
        yield _scope_of_breaker(books, says.breaker)


def _over(name: str, ran: int, most: int, window: int) -> Finding | None:
    """Return the finding that a budget is spent, or None."""
    if ran < most:
        return None
    why = f"{ran} runs in {say_seconds(window)}; {name} allows {most}."
    return Finding(Outcome.ESCALATE, f"budget:{name}", why)


def _scope_of(books: Books, budget: BudgetPart) -> Scope | None:
    """Return what a budget counts for a motion; None: it is not limited."""
    motion = books.motion
    if motion.spec is None:
        return None
    if budget.risks and motion.spec.risk not in budget.risks:
        return None
    if budget.actions and motion.action not in budget.actions:
        return None
    if motion.proposer == UNDO and "target" in budget.per:
        return None
    own = {
        "action": motion.action,
        "target": motion.target,
        "team": motion.team,
        "environment": motion.environment,
    }
    asked = {name: own[name] for name in budget.per}
    # What has no team has no budget of its team: others limit it.
    if any(not asked[name] for name in asked):
        return None
    return Scope(
        since=books.since(budget.window),
        risks=tuple(risk.value for risk in budget.risks),
        places=motion.places if "target" in asked else (),
        **asked,
    )


def blast_radius(books: Books, blast: BlastPart) -> Finding | None:
    """Cap the targets of one action; ask once for many of one cause.

    What only looks harms nothing: the evidence of a mass incident is wanted
    from each of its targets.
    """
    motion = books.motion
    if motion.spec is None or not motion.spec.changes:
        return None
    ran = books.of_action(blast.window)
    is_new = bool(motion.target) and not books.here(blast.window).started
    if is_new and ran.targets >= blast.targets:
        return _too_many(motion, ran.targets, blast)
    if is_new and motion.group_size and motion.environment:
        most = max(blast.least, int(blast.share * motion.group_size))
        scope = Scope(
            since=books.since(blast.window),
            action=motion.action,
            environment=motion.environment,
        )
        touched = books.count(scope).targets
        if touched >= most:
            return _too_many(motion, touched, blast)
    if motion.siblings < blast.siblings:
        return None
    question = 0 if motion.approved else books.asking()
    if question:
        why = (
            f"{motion.siblings} incidents have this problem, and question"
            f" {question} about {motion.action} is open."
        )
        return Finding(Outcome.ESCALATE, "blast-radius", why)
    why = f"{motion.siblings} incidents have this problem now."
    return Finding(Outcome.ASK, "blast-radius", why)


def _too_many(motion: Motion, touched: int, blast: BlastPart) -> Finding:
    """Return the finding that an action has touched too many targets."""
    why = (
        f"{motion.action} touched {touched} targets in"
        f" {say_seconds(blast.window)}: one cause is likelier than many;"
        f" {motion.siblings} incidents have this problem."
    )
    return Finding(Outcome.ESCALATE, "blast-radius", why)


def open_breaker(books: Books, breaker: BreakerPart) -> Finding | None:
    """Stop what changes anything while too much of it does not help."""
    motion = books.motion
    if motion.spec is None or not motion.spec.changes:
        return None
    ran = books.count(_scope_of_breaker(books, breaker))
    # What failed need not have been judged, and counts all the same.
    judged = max(ran.judged, ran.failed)
    if judged < breaker.runs or ran.failed <= breaker.rate * judged:
        return None
    why = (
        f"{ran.failed} of the last {judged} runs in"
        f" {say_seconds(breaker.window)} did not help."
    )
    return Finding(Outcome.ESCALATE, "breaker", why)


def _scope_of_breaker(books: Books, breaker: BreakerPart) -> Scope:
    """Return the scope of all that changes anything."""
    return Scope(since=books.since(breaker.window), risks=CHANGES)


def find_limit(books: Books, says: PolicyFile) -> Finding | None:
    """Return the first budget that is spent, or None."""
    found = declared_budget(books)
    for budget in says.budgets:
        if found is not None:
            return found
        found = spent_budget(books, budget)
    return found


def recent(books: Books) -> dict[str, int]:
    """Return what came of this action on this target in the last day."""
    verdicts = books.here(DAY).verdicts
    return {one.value: verdicts.get(one.value, 0) for one in Verdict}


def lately(books: Books) -> dict[str, int]:
    """Return how often this action ran on this target."""
    return {
        "hour": books.here(HOUR).started,
        "day": books.here(DAY).started,
    }


def touched(books: Books) -> int:
    """Return on how many targets this action ran in the last hour."""
    return books.of_action(HOUR).targets
