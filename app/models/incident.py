"""The incident: our record of one problem on one target.

The states that belong to acting on it come with the steps that act; the
table of moves is the one place that says what may follow what.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from app.models.alert import Severity


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    WAITING = "waiting"  # held down: it may heal itself
    SUPPRESSED = "suppressed"  # muted, in maintenance, or flapping
    RESOLVED = "resolved"
    MERGED = "merged"  # it lives on in another incident


# What may follow what. Merged is no end: a person may split it off again.
MOVES: Mapping[State, frozenset[State]] = {
    State.OPEN: frozenset(
        {State.SUPPRESSED, State.RESOLVED, State.MERGED, State.WAITING}
    ),
    State.WAITING: frozenset(
        {State.OPEN, State.SUPPRESSED, State.RESOLVED, State.MERGED}
    ),
    State.SUPPRESSED: frozenset(
        {State.OPEN, State.RESOLVED, State.MERGED, State.WAITING}
    ),
    State.RESOLVED: frozenset(
        {State.OPEN, State.SUPPRESSED, State.MERGED, State.WAITING}
    ),
    State.MERGED: frozenset(
        {State.OPEN, State.SUPPRESSED, State.RESOLVED, State.WAITING}
    ),
}
# These need a person's eye, or will: they are never cleaned up.
LIVING = (State.OPEN, State.WAITING, State.SUPPRESSED)


class Incident(msgspec.Struct, kw_only=True):
    """Our record of one problem on one target; the columns say what."""

    id: int
    version: int = 1
    state: str
    reason: str = ""
    due_at: int | None = None
    target: str
    target_kind: str
    target_name: str
    problem: str
    source: str
    severity: str
    title: str
    opened_at: int
    changed_at: int
    begins_at: int
    ends_at: int | None = None
    episodes: int = 0
    firing: int = 0
    held_until: int | None = None
    flapping_until: int | None = None
    merged_into: int = 0
    owner: str = ""
    acknowledged_by: str = ""
    acknowledged_at: int | None = None
    team: str = ""


class Flapping(msgspec.Struct, frozen=True):
    """When a problem that comes and goes is called flapping.

    Attributes:
        changes: so many beginnings and ends ...
        within: ... in so many microseconds.
        calm: it is over after so many microseconds without one.
    """

    changes: int
    within: int
    calm: int


class Change(msgspec.Struct, frozen=True, order=True):
    """A beginning or an end: by the source's clock, and by ours."""

    at: int
    seen_at: int


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the episodes of an incident amount to, right now.

    Attributes:
        firing: how many go on.
        worst: the worst severity of those, or of those that ended last.
        muted_until: until when every one that goes on is muted, or None.
        mute: what mutes it, for people.
        held_until: until when it is held down, or None.
        flapping_until: until when it counts as flapping, or None.
    """

    firing: int
    worst: Severity
    muted_until: int | None = None
    mute: str = ""
    held_until: int | None = None
    flapping_until: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """The state that an incident should be in.

    Attributes:
        state: the state.
        reason: why, for people; empty when the state says it all.
        due_at: when to look again although nothing was said, or None.
    """

    state: State
    reason: str = ""
    due_at: int | None = None


def judge(health: Health, now: int) -> Standing:
    """Return where an incident stands; the first rule that fits wins."""
    flapping = ahead(health.flapping_until, now)
    if not health.firing and flapping is None:
        return Standing(State.RESOLVED)
    muted = ahead(health.muted_until, now)
    if health.firing and muted is not None:
        return Standing(State.SUPPRESSED, health.mute, muted)
    if flapping is not None:
        reason = "flapping: it comes and goes"
        return Standing(State.SUPPRESSED, reason, flapping)
    held = ahead(health.held_until, now)
    if held is not None:
        return Standing(State.WAITING, "held down: it may heal itself", held)
    return Standing(State.OPEN)


def ahead(moment: int | None, now: int) -> int | None:
    """Return a moment that is still to come, or None."""
    return moment if moment is not None and moment > now else None


def flapping_until(changes: list[Change], rule: Flapping) -> int | None:
    """Return until when these changes count as flapping, or None.

    How close they are is told by the source's clock, how long ago they are
    by ours: a sender in another year is calm in time, too.

    Args:
        changes: the beginnings and ends, in any order.
        rule: how many in what time are too many.
    """
    ordered = sorted(changes)
    ends = ordered[rule.changes - 1 :]
    found = [
        last.seen_at + rule.calm
        for first, last in zip(ordered, ends, strict=False)
        if last.at - first.at <= rule.within
    ]
    return max(found, default=None)
