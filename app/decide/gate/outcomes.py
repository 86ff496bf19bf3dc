"""Outcomes: what this site's people said is right, as the gate learns it.

Only the name of an action is learned of what people say, never a text. What
would act on a thing that holds state is not learned at all, so that no
correction can open what is closed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from app.decide.gate.lessons import ACTING, ACTIONS
from app.decide.gate.training import LEAST, Outcome, find_vital
from app.decide.gate.weights import Facts
from app.decide.grounding import Grounder
from app.decide.knowledge import Knowledge
from app.models.action import NO_ACTION
from app.models.case import Case
from app.models.word import NOBODY
from app.store.outcomes import Correction

# A correction is about what was done when it says one of these.
ABOUT = frozenset({"", "action", "decision"})
# What would be acceptable besides, as in the lessons.
OK: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(ACTING, ("collect_diagnostics", "escalate")),
    "collect_diagnostics": ("escalate",),
    "escalate": ("collect_diagnostics",),
    NO_ACTION: ("escalate",),
}


class Learnable(msgspec.Struct, frozen=True):
    """What can be learned of a site.

    Attributes:
        outcomes: each case once, with the action that is right for it.
        confirmed: of how many of them the decision was right.
        left_out: how many words are not learned, by reason.
    """

    outcomes: tuple[Outcome, ...]
    confirmed: int
    left_out: Mapping[str, int]


class Left(Exception):
    """A word is not learned; says why."""


def read_outcomes(
    corrections: Iterable[Correction], grounder: Grounder, knowledge: Knowledge
) -> Learnable:
    """Return what people's words teach.

    Args:
        corrections: what was said, in the order of its coming: of two words
            about the same case the later one counts.
        grounder: makes the menu of a case.
        knowledge: says what holds state.
    """
    found: dict[str, tuple[Outcome, bool]] = {}
    left_out: Counter[str] = Counter()
    for one in corrections:
        try:
            outcome = _learn(one, grounder, knowledge)
        except Left as why:
            left_out[str(why)] += 1
            continue
        # A storm of the same case counts once, whoever speaks of it.
        key = outcome.case.digest
        found.pop(key, None)
        found[key] = outcome, outcome.action == one.action
    return Learnable(
        tuple(outcome for outcome, _ in found.values()),
        sum(was_right for _, was_right in found.values()),
        dict(left_out),
    )


def _learn(
    one: Correction, grounder: Grounder, knowledge: Knowledge
) -> Outcome:
    """Return what one word teaches, or raise why it teaches nothing."""
    author = one.author.strip().casefold()
    if not one.is_own or author in NOBODY:
        raise Left("nobody is named who said it")
    # A whole call may stand there; its arguments are not ours to learn.
    action = one.correct.partition("(")[0].strip().casefold()
    if one.about.strip().casefold() not in ABOUT or action not in ACTIONS:
        raise Left("names no action that is right")
    if not one.casefile:
        raise Left("nothing was decided before")
    try:
        case = msgspec.json.decode(one.casefile, type=Case)
    except msgspec.MsgspecError as error:
        raise Left("its case is of another release") from error
    menu = grounder.menu(case)
    if action not in menu.names:
        raise Left("the action is not on the menu")
    if action in find_vital(case, menu, knowledge):
        raise Left("the action would touch what holds state")
    return Outcome(case, action, OK[action])


def hold(facts: Facts, shipped: Facts) -> Facts:
    """Return the facts of a site, never more permissive than the shipped.

    What a site teaches makes better choices; what may run unasked stays as
    strict as it was measured on the lessons alone.
    """
    return msgspec.structs.replace(
        facts,
        thresholds={
            # An action that has none is never run unasked.
            name: max(LEAST, least, shipped.thresholds.get(name, 1.01))
            for name, least in facts.thresholds.items()
        },
    )
