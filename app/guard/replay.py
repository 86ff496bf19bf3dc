"""A dry run: what another policy would have said to what was asked before.

The motions are put to it in their order, and what it allows counts for what
comes after; see app/guard/chronicle.py. What people granted is taken as
granted again.
"""

from collections.abc import Iterable

import msgspec

from app.guard.chronicle import Chronicle
from app.guard.guard import Guard
from app.models.ruling import Motion, Outcome, Question

MOST_CHANGES = 1_000


class Past(msgspec.Struct, frozen=True):
    """A motion of the past, and what was said to it.

    Attributes:
        id: its number, for people.
        motion: the motion.
        outcome: what was said.
        rule: by which rule.
        question: whom it asked, and how, when that is known.
    """

    id: int
    motion: Motion
    outcome: str
    rule: str
    question: Question | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A motion that would be ruled otherwise.

    Attributes:
        id: the number of the ruling.
        incident: the incident.
        action: the action.
        target: what it works on.
        was: what was said.
        was_rule: by which rule.
        now: what would be said.
        now_rule: by which rule.
        reason: why.
    """

    id: int
    incident: int
    action: str
    target: str
    was: str
    was_rule: str
    now: str
    now_rule: str
    reason: str


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What another policy would have changed.

    Attributes:
        policy: the version of the other policy.
        looked_at: how many motions were put to it.
        same: to how many it says the same.
        moves: how often which outcome becomes which, as ``ask -> allow``;
            ``ask -> ask`` asks others, more or fewer, or for another time.
        changes: the first of those that it says something else to.
    """

    policy: str
    looked_at: int
    same: int
    moves: dict[str, int]
    changes: tuple[Change, ...]


def replay(
    guard: Guard, past: Iterable[Past], chronicle: Chronicle
) -> Replayed:
    """Return what a guard would have said otherwise.

    Args:
        guard: of the other policy.
        past: what was asked before, in its order.
        chronicle: knows what had run by then.
    """
    changes: list[Change] = []
    moves: dict[str, int] = {}
    looked_at = 0
    for one in past:
        looked_at += 1
        change = _compare(guard, one, chronicle)
        if change is None:
            continue
        move = f"{change.was} -> {change.now}"
        moves[move] = moves.get(move, 0) + 1
        if len(changes) < MOST_CHANGES:
            changes.append(change)
    return Replayed(
        policy=guard.version,
        looked_at=looked_at,
        same=looked_at - sum(moves.values()),
        moves=dict(sorted(moves.items())),
        changes=tuple(changes),
    )


def _compare(guard: Guard, past: Past, chronicle: Chronicle) -> Change | None:
    """Return how a motion would be ruled otherwise, or None."""
    motion = past.motion
    if motion.approved:
        motion = msgspec.structs.replace(motion, approved=guard.version)
    chronicle.go_to(motion)
    ruling = guard.rule(motion, chronicle)
    if ruling.outcome is Outcome.ALLOW:
        chronicle.allow(motion)
    elif ruling.outcome is Outcome.WAIT:
        chronicle.wait(motion, ruling.until)
    elif ruling.question is not None:
        chronicle.ask(motion, ruling.question)
    reason = ruling.reason
    if ruling.outcome.value == past.outcome:
        other = _compare_questions(past.question, ruling.question)
        if not other:
            return None
        reason = f"{other}. {reason}"
    return Change(
        id=past.id,
        incident=motion.incident,
        action=motion.action,
        target=motion.target,
        was=past.outcome,
        was_rule=past.rule,
        now=ruling.outcome.value,
        now_rule=ruling.rule,
        reason=reason,
    )


def _compare_questions(was: Question | None, now: Question | None) -> str:
    """Return how people would be asked otherwise, or nothing."""
    if was is None or now is None:
        return ""
    if (set(was.whom), was.people, was.seconds) == (
        set(now.whom),
        now.people,
        now.seconds,
    ):
        return ""
    return f"It asks {_say(now)}, not {_say(was)}"


def _say(question: Question) -> str:
    """Return whom a question asks, and for how long."""
    who = "one" if question.people == 1 else str(question.people)
    if question.whom:
        who += f" of {', '.join(question.whom)}"
    else:
        who += " person" if question.people == 1 else " people"
    return f"{who} for {question.seconds / 60:g} min"
