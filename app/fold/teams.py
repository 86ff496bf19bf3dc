"""Whose an incident is: the first alert that names a team says it.

It is kept from then on: an incident does not go from one team to another
because a later alert names another one. What named none takes the first
team that is named.
"""

from collections.abc import Iterable, Mapping

from app.fold.telling import Case
from app.models.brevity import shorten
from app.models.episode import Episode
from app.models.incident import Incident
from app.store.incidents import StrandRecord


def give_teams(case: Case, after: Mapping[int, Incident], label: str) -> None:
    """Give incidents without a team the one that their alerts name.

    Args:
        case: what a turn knows of them.
        after: the incidents as the turn leaves them; changed here.
        label: which label names a team; empty: none does.
    """
    for number, incident in after.items():
        if not incident.team:
            some = list(case.episodes.get(number, ()))
            first = case.assigned.opened.get(number)
            if first is not None:
                some.append(first)
            incident.team = find_team(some, case.strands, label)


def find_team(
    episodes: Iterable[Episode],
    strands: Mapping[int, StrandRecord],
    label: str,
) -> str:
    """Return the team of the first episode that names one, or nothing.

    Args:
        episodes: in any order.
        strands: by their ids, with the labels of episodes.
        label: which label names a team.
    """
    for one in sorted(episodes, key=lambda e: (e.begins_at, e.id)):
        strand = strands.get(one.strand_id)
        team = strand.labels.get(label, "").strip() if strand else ""
        if team:
            return shorten(team)
    return ""
