"""Which episodes on one target are one incident, and why.

A pure rule on a set: the order in which messages came plays no part. Two
episodes belong together when

* the problem is the same, and one begins while the other goes on or soon
  after its end; or
* they are symptoms that begin close to each other.

What is one incident already stays one, unless it is asked for anew: only
the episodes near to what changed are looked at, and what tied the others
may lie far back. People have the last word: an episode that a person put
into an incident is pinned there, and two pins never end up in one group.
"""

from collections.abc import Iterator, Sequence

import msgspec

FOREVER = 2**63 - 1
SECOND = 1_000_000


class Windows(msgspec.Struct, frozen=True):
    """How close is close, in microseconds.

    Attributes:
        again: between an end and the same problem's next beginning.
        together: between the beginnings of two symptoms.
    """

    again: int
    together: int

    @property
    def widest(self) -> int:
        """Return how far apart two episodes may be and still be one."""
        return max(self.again, self.together)


class Member(msgspec.Struct, frozen=True):
    """One episode, as far as grouping needs it.

    Attributes:
        episode: its id.
        problem: its problem class.
        begins_at: when it began.
        until: when it ended, FOREVER while it goes on.
        pin: the incident that a person put it into, or 0.
        incident: the incident that it is part of and stays in, or 0.
    """

    episode: int
    problem: str
    begins_at: int
    until: int
    pin: int = 0
    incident: int = 0


class Group(msgspec.Struct):
    """Episodes that are one incident.

    Attributes:
        members: oldest first.
        because: why each but the first is in it, by episode.
    """

    members: list[Member]
    because: dict[int, str]

    @property
    def pin(self) -> int:
        """Return the incident that a person chose, or 0."""
        return max(member.pin for member in self.members)


class Tie(msgspec.Struct, frozen=True, order=True):
    """Two members that belong together, the closest first."""

    gap: int
    older: int
    newer: int
    because: str


def group(members: Sequence[Member], windows: Windows) -> list[Group]:
    """Return the groups of the episodes on one target, oldest first."""
    ordered = sorted(members, key=lambda m: (m.begins_at, m.episode))
    ties = sorted(_ties(ordered, windows))
    roots = list(range(len(ordered)))
    pins = [member.pin for member in ordered]
    for tie in (*_pinned(ordered), *_held(ordered), *ties):
        older, newer = _root(roots, tie.older), _root(roots, tie.newer)
        both = {pins[older], pins[newer]} - {0}
        if older != newer and len(both) < 2:
            first, second = min(older, newer), max(older, newer)
            roots[second] = first
            pins[first] = max(pins[first], pins[second])
    reasons = _reasons(ties, roots)
    groups: dict[int, Group] = {}
    for index, member in enumerate(ordered):
        found = groups.setdefault(_root(roots, index), Group([], {}))
        if member.pin:
            found.because[member.episode] = "a person put it here"
        elif found.members:
            found.because[member.episode] = reasons.get(index, "")
        found.members.append(member)
    return list(groups.values())


def _ties(members: Sequence[Member], windows: Windows) -> Iterator[Tie]:
    """Yield each tie to an older member; those of other pins count apart."""
    reach: dict[str, dict[int, int]] = {}
    latest: dict[int, int] = {}
    for index, member in enumerate(members):
        alike = reach.setdefault(member.problem, {})
        for older in alike.values():
            gap = max(0, member.begins_at - members[older].until)
            if gap <= windows.again:
                yield Tie(gap, older, index, _again(gap))
        for older in latest.values():
            gap = member.begins_at - members[older].begins_at
            if gap <= windows.together:
                yield Tie(gap, older, index, _beside(gap, members[older]))
        known = alike.get(member.pin)
        if known is None or members[known].until <= member.until:
            alike[member.pin] = index
        latest[member.pin] = index


def _pinned(members: Sequence[Member]) -> Iterator[Tie]:
    """Yield a tie between each two that a person put together."""
    seen: dict[int, int] = {}
    for index, member in enumerate(members):
        if member.pin:
            yield Tie(0, seen.setdefault(member.pin, index), index, "")


def _held(members: Sequence[Member]) -> Iterator[Tie]:
    """Yield a tie between each two that are one incident already."""
    seen: dict[int, int] = {}
    for index, member in enumerate(members):
        if member.incident:
            older = seen.setdefault(member.incident, index)
            yield Tie(0, older, index, "")


def _again(gap: int) -> str:
    """Return the reason of the same problem."""
    when = f"{_span(gap)} after it ended" if gap else "while it went on"
    return f"it is the same problem on the same target, {when}"


def _beside(gap: int, older: Member) -> str:
    """Return the reason of another symptom."""
    when = "together with"
    if gap >= SECOND:
        when = f"{_span(gap)} after"
    return f"it began on the same target {when} {older.problem}"


def _span(gap: int) -> str:
    """Return a span of time for people."""
    seconds = gap / SECOND
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _root(roots: list[int], index: int) -> int:
    """Return the first member of a group, shortening the way to it."""
    while roots[index] != index:
        roots[index] = roots[roots[index]]
        index = roots[index]
    return index


def _reasons(ties: Sequence[Tie], roots: list[int]) -> dict[int, str]:
    """Return the closest reason of each member for its group."""
    reasons: dict[int, str] = {}
    for tie in ties:
        if _root(roots, tie.older) == _root(roots, tie.newer):
            reasons.setdefault(tie.newer, tie.because)
    return reasons
