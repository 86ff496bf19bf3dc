"""The finding: what one step of the guard says about a motion."""

from collections.abc import Sequence

import msgspec

from app.models.ruling import Outcome, Question

# From the least careful to the most careful one.
CARE = tuple(Outcome)
# Nothing that comes later could change these.
STOPS = (Outcome.WAIT, Outcome.ESCALATE, Outcome.DENY)


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


def joined_question(findings: Sequence[Finding], usual: Question) -> Question:
    """Return the one question that serves all findings that ask.

    Args:
        findings: what the steps say.
        usual: whom to ask when no step says so.
    """
    asked = [one.question for one in findings if one.question is not None]
    if not asked:
        return usual
    whom = next((one.whom for one in asked if one.whom), ())
    return Question(
        whom=whom,
        people=max(one.people for one in asked),
        seconds=min(one.seconds for one in asked),
    )
