"""The trust report: which actions have earned the next step of the ladder.

People agree or they do not: what they granted unchanged counts for the
action, what they refused or edited against it; where nobody is asked, what
they say of it afterwards counts, see app/guard/opinions.py. With few answers
nothing is known, so it is the lower end of the interval that must be good.
"""

from collections.abc import Iterable, Mapping
from math import sqrt

import msgspec

from app.models.approval import ApprovalState
from app.models.ruling import Mode
from app.models.verdict import Verdict

LEAST_ANSWERS = 20
GOOD_ENOUGH = 0.9
Z = 1.959964  # of a 95 % interval
AGREED = (ApprovalState.GRANTED,)
DISAGREED = (ApprovalState.REFUSED, ApprovalState.EDITED)
NEXT: Mapping[Mode, Mode] = {
    Mode.OBSERVE: Mode.SUGGEST,
    Mode.SUGGEST: Mode.APPROVE,
    Mode.APPROVE: Mode.AUTO,
}
# Where nobody is asked, people must know how to answer.
HOW = (
    ": confirm or correct what was observed, on its incident's page or with"
    " main.py correct N TEXT --about action --right ACTION"
)
Key = tuple[str, str]


class Answers(msgspec.Struct, frozen=True):
    """How often questions of one kind ended so.

    Attributes:
        action: the action that was asked about.
        environment: where it would run.
        mode: how far it was trusted.
        state: what became of the questions; empty: nobody said anything.
        count: how many.
    """

    action: str
    environment: str
    mode: str
    state: str
    count: int


class Results(msgspec.Struct, frozen=True):
    """How often runs of an action came to a verdict in an environment."""

    action: str
    environment: str
    verdict: str
    count: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far one action may be trusted in one environment.

    Attributes:
        action: the action.
        environment: where.
        mode: how far it is trusted.
        answers: how often people agreed or did not.
        agreed: how often they agreed.
        rate: the share of it, or None.
        low: the lower end of its interval of 95 %.
        high: the upper end.
        fixed: how many runs helped.
        not_fixed: how many did not.
        unknown: of how many nobody can tell.
        earned: the next step, when it is earned, or an empty text.
        why: why it is earned, or what is missing.
    """

    action: str
    environment: str
    mode: str
    answers: int
    agreed: int
    rate: float | None
    low: float
    high: float
    fixed: int = 0
    not_fixed: int = 0
    unknown: int = 0
    earned: str = ""
    why: str = ""


def interval(hits: int, of: int) -> tuple[float, float]:
    """Return the interval of 95 % of a share, as Wilson has it."""
    if of <= 0:
        return 0.0, 1.0
    share = hits / of
    middle = share + Z * Z / (2 * of)
    half = Z * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    scale = 1 + Z * Z / of
    low, high = (middle - half) / scale, (middle + half) / scale
    return max(0.0, low), min(1.0, high)


def report(
    answers: Iterable[Answers], results: Iterable[Results]
) -> list[Standing]:
    """Return a line for each action, environment and mode, by their names.

    Args:
        answers: what became of the questions.
        results: what came of the runs.
    """
    agreed: dict[tuple[str, str, str], list[int]] = {}
    for one in answers:
        key = (one.action, one.environment, one.mode)
        counts = agreed.setdefault(key, [0, 0])
        counts[0] += one.count * (one.state in AGREED)
        counts[1] += one.count * (one.state in DISAGREED)
    verdicts: dict[Key, dict[str, int]] = {}
    for result in results:
        known = verdicts.setdefault((result.action, result.environment), {})
        known[result.verdict] = known.get(result.verdict, 0) + result.count
    return [
        _standing(key, agreed[key], verdicts.get(key[:2], {}))
        for key in sorted(agreed)
    ]


def _standing(
    key: tuple[str, str, str], counts: list[int], known: Mapping[str, int]
) -> Standing:
    """Return the line of one action, environment and mode."""
    action, environment, mode = key
    yes, no = counts
    total = yes + no
    low, high = interval(yes, total)
    standing = Standing(
        action=action,
        environment=environment,
        mode=mode,
        answers=total,
        agreed=yes,
        rate=yes / total if total else None,
        low=low,
        high=high,
        fixed=known.get(Verdict.FIXED, 0),
        not_fixed=known.get(Verdict.NOT_FIXED, 0),
        unknown=known.get(Verdict.UNKNOWN, 0),
    )
    earned, why = _next(standing)
    return msgspec.structs.replace(standing, earned=earned, why=why)


def _next(standing: Standing) -> tuple[str, str]:
    """Return the next step when it is earned, and why or why not."""
    if standing.mode not in NEXT:
        return "", "there is no further step"
    if standing.answers < LEAST_ANSWERS:
        left = LEAST_ANSWERS - standing.answers
        how = HOW if standing.mode == Mode.OBSERVE else ""
        return "", f"{left} more answers are needed{how}"
    if standing.low < GOOD_ENOUGH:
        return "", f"people may agree with as few as {standing.low:.0%}"
    judged = standing.fixed + standing.not_fixed
    if judged and standing.fixed < GOOD_ENOUGH * judged:
        return "", f"only {standing.fixed} of {judged} runs helped"
    return NEXT[Mode(standing.mode)].value, (
        f"people agree with at least {standing.low:.0%}"
    )
