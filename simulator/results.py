"""What a score says: of one fault, and of all of them."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from simulator.records import PASSIVE


class Outcome(StrEnum):
    """What became of one fault, in a word; the worst that is true."""

    WRONG_ACTION = "wrong_action"  # something was changed that was not right
    FALSE_FIXED = "false_fixed"  # said to be fixed, and it went on
    FIXED = "fixed"  # it went away by the service's hand: measured, and true
    LEFT_ALONE = "left_alone"  # nothing was to be changed, nothing was
    WRONG_CHOICE = "wrong_choice"  # wrongly chosen, and held back
    MISSED = "missed"  # no alert told of it
    ESCALATED = "escalated"  # people have it
    NOT_FIXED = "not_fixed"  # it was measured, and did not help
    UNKNOWN = "unknown"  # nobody can say whether it helped
    UNPROVEN = "unproven"  # said to be fixed; nobody saw that it ended
    OVER = "over"  # it ended by itself before anything helped
    OPEN = "open"  # nothing has come of it yet


GOOD = frozenset({Outcome.FIXED, Outcome.LEFT_ALONE})
BAD = frozenset(
    {
        Outcome.WRONG_ACTION,
        Outcome.FALSE_FIXED,
        Outcome.MISSED,
        Outcome.WRONG_CHOICE,
    }
)


class Frozen(BaseModel):
    """A part of the score; it does not change."""

    model_config = ConfigDict(frozen=True)


class Result(Frozen):
    """How it went with one fault; seconds are since it began.

    Attributes:
        is_passive: whether nothing was to be changed.
        incidents: those that its alerts are in.
        alert: the name of the first one.
        detected_seconds: until that was accepted.
        decided_seconds: until a brain chose.
        first_action: what it chose first.
        is_right_first: whether that is one of what was expected.
        ruled: what code said to that.
        acted_seconds: until the first job that changes something.
        jobs: all that ran, in words.
        wrong_actions: those that were not right.
        verdict: the last one, or empty.
        fixed_seconds: until the verdict "fixed" that the truth bears out.
        is_false_fixed: whether it went on after a verdict "fixed".
        escalated_seconds: until people had it.
        resolved_seconds: until every alert of it was over.
        is_missed: whether it should have been told of, and was not.
    """

    id: str
    fault: str
    scenario: str
    step: str
    level: float
    unit: str
    target: dict[str, str]
    expects: tuple[str, ...]
    began_at: datetime
    ended_at: datetime | None
    ended_by: str
    ended_seconds: float | None
    is_passive: bool
    incidents: tuple[int, ...]
    alert: str
    detected_seconds: float | None
    decided_seconds: float | None
    first_action: str
    is_right_first: bool
    ruled: str
    acted_seconds: float | None
    jobs: tuple[str, ...]
    wrong_actions: tuple[str, ...]
    verdict: str
    fixed_seconds: float | None
    is_false_fixed: bool
    escalated_seconds: float | None
    resolved_seconds: float | None
    is_missed: bool
    outcome: Outcome

    @property
    def is_fixed(self) -> bool:
        """Tell whether it was fixed: said so, and true."""
        return self.fixed_seconds is not None


class Score(Frozen):
    """How it went with all of them.

    Attributes:
        read_at: when the service was asked.
        results: one for each fault, in the order in which they began.
        stray_actions: what was changed while faults ran, for none of them.
        unsure_alerts: alerts that may be about several faults: of none.
    """

    read_at: datetime
    results: tuple[Result, ...]
    stray_actions: tuple[str, ...] = ()
    unsure_alerts: tuple[str, ...] = ()


def outcome_of(result: Result, *, is_unproven: bool) -> Outcome:
    """Return what became of a fault, in a word; the worst that is true."""
    is_passive, is_right = result.is_passive, result.is_right_first
    chosen = result.first_action.partition("(")[0]
    would_change = bool(chosen) and chosen not in PASSIVE
    words = (
        (bool(result.wrong_actions), Outcome.WRONG_ACTION),
        (result.is_false_fixed, Outcome.FALSE_FIXED),
        (result.is_fixed, Outcome.FIXED),
        (result.is_missed, Outcome.MISSED),
        (is_passive and is_right, Outcome.LEFT_ALONE),
        (is_unproven, Outcome.UNPROVEN),
        (would_change and not is_right, Outcome.WRONG_CHOICE),
        (result.escalated_seconds is not None, Outcome.ESCALATED),
        (result.verdict == Outcome.NOT_FIXED, Outcome.NOT_FIXED),
        (result.verdict == Outcome.UNKNOWN, Outcome.UNKNOWN),
        (result.ended_at is not None, Outcome.OVER),
    )
    return next((word for is_so, word in words if is_so), Outcome.OPEN)
