"""What a turn tells the log about incidents and their episodes."""

import msgspec

from app.fold import standing
from app.fold.grouping import Assigned
from app.fold.staleness import STALE, tell_silence
from app.fold.weaving import Woven
from app.models.entry import Note
from app.models.episode import Episode
from app.models.incident import Incident
from app.store.incidents import StrandRecord

ACTOR = "rule:folding"


class Case(msgspec.Struct):
    """The incidents that a turn touches, and what will be said of them.

    Those that clean-up took, and that are there again, are as old as their
    numbers: ``since`` says how old.
    """

    woven: Woven
    assigned: Assigned
    before: dict[int, Incident] = {}
    notes: list[Note] = []
    strands: dict[int, StrandRecord] = {}
    episodes: dict[int, list[Episode]] = {}
    around: dict[int, Episode] = {}
    since: dict[int, int] = {}


def tell_incident(
    case: Case, before: Incident | None, after: Incident
) -> None:
    """Add what the log says about one incident."""
    assigned = case.assigned
    if before is None:
        case.notes += standing.tell_change(None, after, ACTOR)[:1]
    for episode in case.episodes.get(after.id, ()):
        _tell_episode(case, before, after, episode)
    left = [n for n, (old, _) in assigned.moved.items() if old == after.id]
    if left and after.id not in assigned.merged:
        into = sorted({assigned.moved[number][1] for number in left})
        case.notes.append(
            standing.note_about(
                after,
                "incident.split",
                ACTOR,
                summary=f"{len(left)} of its episodes are another problem",
                body={"into": into, "episodes": left},
            )
        )
    notes = standing.tell_change(before, after, ACTOR)
    case.notes += notes[1:] if before is None else notes


def _tell_episode(
    case: Case, before: Incident | None, after: Incident, episode: Episode
) -> None:
    """Add what the log says about one episode of an incident."""
    about = {"episode": episode.id, "alert": episode.last_alert}
    actor = f"source:{episode.source}"
    first = case.assigned.opened.get(after.id)
    is_first = before is None and first is not None and first.id == episode.id
    if episode.id in case.woven.new and not is_first:
        why = episode.because or "it began before the others, told late"
        case.notes.append(
            standing.note_about(
                after,
                "incident.joined",
                actor,
                summary=f"{episode.name}: merged because {why}",
                body={**about, "because": why},
            )
        )
    case.notes += tell_silence(after, episode, case.woven)
    if episode.id in case.woven.ended and episode.ended not in ("", STALE):
        case.notes.append(
            standing.note_about(
                after,
                "episode.ended",
                actor,
                summary=f"{episode.name}: {episode.ended}",
                body={**about, "ended": episode.ended},
            )
        )
