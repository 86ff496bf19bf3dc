"""Opinions: what people say of what was only observed, as answers.

Where the ladder says ``observe`` nobody is asked. Whoever says which action
was right answers all the same: the very action is a yes, another one a no.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from app.guard.trust import Answers, Key
from app.models.approval import ApprovalState, known_as
from app.models.opinion import Opinion
from app.models.proposer import PERSON
from app.models.ruling import Mode
from app.models.word import NOBODY

# A value may have commas of its own.
PARTS = re.compile(r",(?=\s*\w+\s*=)")
# Nobody has said anything: there is a line all the same.
UNSAID = ""


def to_answers(
    kinds: Iterable[Key], opinions: Iterable[Opinion]
) -> list[Answers]:
    """Return opinions as answers to questions that nobody asked.

    Of several words of one person about a decision the last counts; of
    several people each decision counts once, and one who disagrees
    outweighs all who agree.

    Args:
        kinds: each action and environment that has a line anyway.
        opinions: what was said, in the order of its coming.
    """
    said: dict[int, dict[str, Opinion]] = {}
    for one in opinions:
        who = known_as(one.author)
        if who not in NOBODY:
            said.setdefault(one.decision, {})[who] = one
    counts = Counter((*kind, UNSAID) for kind in kinds)
    for by_person in said.values():
        words = list(by_person.values())
        about = words[-1]
        counts[about.action, about.environment, _weigh(words)] += 1
    mode = Mode.OBSERVE.value
    return [
        Answers(action, place, mode, state, count)
        for (action, place, state), count in counts.items()
    ]


def _weigh(words: Sequence[Opinion]) -> str:
    """Return what the last words of people on one decision come to."""
    agreeing = [one for one in words if _agrees(one)]
    if len(agreeing) < len(words):
        return ApprovalState.REFUSED.value
    # As with a question: nobody grants what they proposed.
    if all(_is_own(one) for one in agreeing):
        return UNSAID
    return ApprovalState.GRANTED.value


def _is_own(one: Opinion) -> bool:
    """Tell whether somebody speaks of what they proposed."""
    return known_as(one.proposer) == f"{PERSON}{known_as(one.author)}"


def _agrees(one: Opinion) -> bool:
    """Tell whether somebody names the very action.

    A whole call may stand there: then what it says of the arguments must be
    so, too, as a question whose arguments are edited is not agreed to.
    """
    name, _, inside = one.correct.partition("(")
    if name.strip().casefold() != one.action.casefold():
        return False
    return _are_so(inside.strip().removesuffix(")"), one.arguments)


def _are_so(inside: str, arguments: Mapping[str, object]) -> bool:
    """Tell whether arguments are as a call has them that people wrote."""
    parts = PARTS.split(inside)
    said = (one.partition("=") for one in parts if one.strip())
    pairs = [(name.strip(), value.strip(' "')) for name, _, value in said]
    return all(
        name in arguments and str(arguments[name]) == value
        for name, value in pairs
    )
