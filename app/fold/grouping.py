"""Episodes into incidents: who joins, who leaves, which ones are merged.

Grouping says what belongs together; here the groups get the numbers of the
incidents that they were, so that a page stays where people found it.
"""

from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from app.models.cluster import Group, Windows, group
from app.models.episode import Episode


class Assigned(msgspec.Struct):
    """Which incident each episode is part of now.

    Attributes:
        joined: episodes that were in none, by id, with their incident.
        moved: episodes that were in another one: from where, to where.
        merged: incidents that live on in another one.
        opened: the numbers of new incidents, with their first episode.
        touched: every incident that must be looked at.
        because: why each episode is where it is.
        pins: episodes that follow those that a person put together.
    """

    joined: dict[int, int] = {}
    moved: dict[int, tuple[int, int]] = {}
    merged: dict[int, int] = {}
    opened: dict[int, Episode] = {}
    touched: set[int] = set()
    because: dict[int, str] = {}
    pins: dict[int, int] = {}


def find_loosened(
    around: Mapping[int, Episode],
    known: Mapping[int, Episode],
    windows: Windows,
) -> set[int]:
    """Return the incidents that an end told late may have split.

    Args:
        around: the episodes as they are now.
        known: those that changed, as they were.
        windows: how close is close.
    """
    shrunk: dict[tuple[int, str], list[Episode]] = {}
    for number, before in known.items():
        if around[number].until < before.until:
            name = (before.incident_id, before.problem)
            shrunk.setdefault(name, []).append(before)
    return {
        one.incident_id
        for one in (around.values() if shrunk else ())
        for before in shrunk.get((one.incident_id, one.problem), ())
        if around[before.id].until + windows.again < one.begins_at
    }


class Numbers(msgspec.Struct):
    """The next free number of an incident."""

    incident: int

    def next(self) -> int:
        """Return a number for a new incident."""
        self.incident += 1
        return self.incident - 1


def assign(
    episodes: Iterable[Episode],
    windows: Windows,
    numbers: Numbers,
    loosened: Container[int] = (),
) -> Assigned:
    """Return the incidents of episodes, target by target.

    Args:
        episodes: those that changed, and those that may meet them.
        windows: how close is close.
        numbers: gives new incidents their numbers.
        loosened: incidents that may fall apart; all their episodes are
            among the given ones.
    """
    by_target: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_target.setdefault(episode.target, []).append(episode)
    assigned = Assigned()
    for some in by_target.values():
        members = [one.as_member(loosened) for one in some]
        groups = group(members, windows)
        _assign_groups(assigned, some, groups, numbers)
    return assigned


def _assign_groups(
    assigned: Assigned,
    episodes: Sequence[Episode],
    groups: Sequence[Group],
    numbers: Numbers,
) -> None:
    """Find the incidents of the groups on one target."""
    known = {episode.id: episode for episode in episodes}
    first_new = numbers.incident
    kept = _keep(groups, known, numbers)
    for incident, some in zip(kept, groups, strict=True):
        if incident >= first_new:
            assigned.opened[incident] = known[some.members[0].episode]
        pin = some.pin  # once: it looks at every member
        for member in some.members:
            episode = known[member.episode]
            _place(assigned, episode, incident, kept)
            why = some.because.get(episode.id, "")
            has_moved = episode.incident_id != incident
            if episode.pin:
                continue  # why it is here was said when it was put here
            if pin:
                assigned.pins[episode.id] = pin
            if why != episode.because and (has_moved or not episode.because):
                assigned.because[episode.id] = why


def _keep(
    groups: Sequence[Group], known: dict[int, Episode], numbers: Numbers
) -> list[int]:
    """Return the number that each group keeps, or gets.

    A person's choice comes first; then the group with the oldest episode
    keeps the lowest number that its episodes had.
    """
    taken = {some.pin for some in groups if some.pin}
    kept = []
    for some in groups:
        number = some.pin
        if not number:
            had = {known[m.episode].incident_id for m in some.members}
            free = sorted(had - taken - {0})
            number = free[0] if free else numbers.next()
        taken.add(number)
        kept.append(number)
    return kept


def _place(
    assigned: Assigned, episode: Episode, incident: int, kept: Sequence[int]
) -> None:
    """Put one episode where it belongs."""
    before = episode.incident_id
    assigned.touched.add(incident)
    if before == incident:
        return
    if not before:
        assigned.joined[episode.id] = incident
        return
    assigned.touched.add(before)
    assigned.moved[episode.id] = (before, incident)
    if before not in kept:
        assigned.merged[before] = incident
