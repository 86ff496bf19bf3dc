"""The finding: what one step of the guard says about a motion."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from app.models.approval import known_as
from app.models.proposer import PERSON
from app.models.ruling import Outcome, Question

# From the least careful to the most careful one.
CARE = tuple(Outcome)
# Nothing that comes later could change these.
STOPS = (Outcome.WAIT, Outcome.ESCALATE, Outcome.DENY)


class Unanswerable(Exception):
    """Fewer people could grant it than must; the text says why."""


class Finding(msgspec.Struct, frozen=True):
    """What one step says.

    Attributes:
        outcome: what may happen at most.
        rule: the name of the step, or of the policy's rule.
        reason: why, in one line for people.
        question: whom to ask; None for the policy's usual way.
        until: when to look again, when it waits.
    """

    outcome: Outcome
    rule: str
    reason: str
    question: Question | None = None
    until: int | None = None

    @property
    def stops(self) -> bool:
        """Tell whether nothing that comes later matters."""
        return self.outcome in STOPS


def most_careful(findings: Sequence[Finding]) -> Finding:
    """Return the most careful finding; the first one of several."""
    return max(findings, key=lambda one: CARE.index(one.outcome))


def joined_question(
    findings: Sequence[Finding], usual: Question, proposer: str
) -> Question:
    """Return the one question that serves all findings that ask.

    The strictest counts in each part: the most people, only those whom all
    name that name anybody, and the shortest time.

    Args:
        findings: what the steps say.
        usual: whom to ask when no step says so.
        proposer: who proposed it, and cannot grant it.

    Raises:
        Unanswerable: they leave too few people who could grant it.
    """
    asked = {one.rule: one.question for one in findings if one.question}
    asked = asked or {"the policy": usual}
    people = max(one.people for one in asked.values())
    return Question(
        whom=_common(asked, people, known_as(proposer)),
        people=people,
        seconds=min(one.seconds for one in asked.values()),
    )


def circle(names: Iterable[str]) -> frozenset[str]:
    """Return names of people so that two spellings of one are one."""
    return frozenset(map(known_as, names))


def _common(
    asked: Mapping[str, Question], people: int, proposer: str
) -> tuple[str, ...]:
    """Return whom all name that name anybody; nothing when none does.

    Args:
        asked: the questions, by the rules that ask them.
        people: how many must grant it.
        proposer: who cannot.

    Raises:
        Unanswerable: these are too few.
    """
    named = [one.whom for one in asked.values() if one.whom]
    if not named:
        return ()
    common = frozenset.intersection(*map(circle, named))
    # In the order, and as spelled, of the first one.
    whom = {known_as(one): one for one in named[0]}
    left = tuple(
        name
        for one, name in whom.items()
        if one in common and proposer != f"{PERSON}{one}"
    )
    if len(left) >= people:
        return left
    rules = " and ".join(asked)
    if len(asked) > 1:
        rules = f"all of {rules}"
    if not left:
        raise Unanswerable(f"Nobody is asked by {rules}.")
    names = ", ".join(left)
    raise Unanswerable(
        f"Only {names} is asked by {rules}, and {people} must grant it."
    )
