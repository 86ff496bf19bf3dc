"""Split and merge by hand: each is the other one's undoing.

Every episode of both incidents is pinned where the person put it, so that
folding, which goes by rules, never moves it again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.core.errors import Refused
from app.fold import standing
from app.fold.folding import Folder
from app.fold.teams import find_team
from app.fold.words import inherit, said, tell
from app.models.brevity import clip
from app.models.entry import Note
from app.models.episode import Episode
from app.models.incident import Incident, State
from app.models.word import Call, Kind, Word
from app.store.incidents import (
    INCIDENT,
    count_episodes,
    find_episodes_by_id,
    find_incidents,
    find_strands_by_id,
    next_id,
    save_incidents,
)
from app.store.ledger import Connection
from app.store.log import append
from app.store.people import (
    MOST_EPISODES,
    add_words,
    find_last,
    find_merged,
    find_oldest,
    find_words,
    list_episodes,
    move_all,
    move_some,
    next_word,
    pin,
)

REASON = "a person put it here: {author} {how}"
# What an incident is called, and what it is about.
NAME = (
    "title",
    "problem",
    "source",
    "target",
    "target_kind",
    "target_name",
)


class Regrouping:
    """One split or one merge, in the turn that it belongs to."""

    def __init__(
        self, connection: Connection, folder: Folder, now: int
    ) -> None:
        """Take the turn's transaction, what settles, and the time."""
        self._connection = connection
        self._folder = folder
        self._now = now

    def merge(self, call: Call, gone: Incident, into: Incident) -> Word:
        """Move all of an incident into another one."""
        connection = self._connection
        episodes = list_episodes(connection, gone.id, MOST_EPISODES + 1)
        how = f"merged incident {gone.id} into this one"
        because = REASON.format(author=call.author, how=how)
        move_all(connection, gone.id, into.id, because)
        pin(connection, into.id)
        merged = msgspec.structs.replace(
            gone,
            state=State.MERGED.value,
            reason=f"merged into incident {into.id} by {call.author}",
            merged_into=into.id,
            episodes=0,
            firing=0,
            due_at=None,
        )
        named = _named_back(into, self._find_split(into, gone))
        after, notes = self._settle(named)
        inherit(after, into.id, gone)
        away = {"into": into.id, "episodes": episodes}
        # Not with those that go: their team may not see the other's.
        here = {
            "from": gone.id,
            "before": _before(into),
            **_renaming(into, named),
        }
        return self._save(
            call, [(gone, merged, away), (into, after[into.id], here)], notes
        )

    def split(self, call: Call, incident: Incident) -> Word:
        """Move some episodes of an incident into one of their own."""
        connection = self._connection
        wanted = sorted(set(call.details["episodes"]))
        episodes = self._find(incident, wanted)
        oldest = find_oldest(connection, incident.id)
        other = self._find_former(incident, wanted)
        rest = incident
        if other is not None:
            rest = self._give_back(incident, other)
        else:
            other = self._open(episodes, incident)
        how = f"split it off incident {incident.id}"
        because = REASON.format(author=call.author, how=how)
        move_some(connection, wanted, other.id, because)
        pin(connection, incident.id)
        pin(connection, other.id)
        if other.state != State.MERGED and oldest and oldest.id in wanted:
            rest = self._retitle(rest)
        after, notes = self._settle(rest, other)
        # Not with what is split off: its team may not see the other's.
        away = {
            "into": other.id,
            "episodes": call.details["episodes"],
            **_renaming(incident, rest),
        }
        here = {"from": incident.id}
        return self._save(
            call,
            [
                (incident, after[incident.id], away),
                (other, after[other.id], here),
            ],
            notes,
        )

    def _find(
        self, incident: Incident, wanted: Sequence[int]
    ) -> list[Episode]:
        """Return the episodes that a person names, oldest first."""
        found = find_episodes_by_id(self._connection, wanted)
        missing = [one for one in wanted if one not in found]
        if missing:
            raise _wrong(422, f"There is no episode {missing[0]}.")
        for episode in found.values():
            if episode.incident_id != incident.id:
                raise _wrong(
                    409,
                    f"Episode {episode.id} is in incident "
                    f"{episode.incident_id}, not in {incident.id}.",
                )
        tally = count_episodes(self._connection, [incident.id])
        if not wanted or len(wanted) == tally[incident.id].episodes:
            raise _wrong(
                422,
                "Some episodes must go and some must stay.",
            )
        return sorted(found.values(), key=lambda e: (e.begins_at, e.id))

    def _find_former(
        self, incident: Incident, wanted: Sequence[int]
    ) -> Incident | None:
        """Return the merged incident that these episodes were, or None."""
        connection = self._connection
        numbers = find_merged(connection, incident.id)
        for number in numbers:
            word = find_last(connection, number, [Kind.MERGE])
            if word is None or word.details.get("into") != incident.id:
                continue
            if word.details["episodes"] == wanted:
                return find_incidents(connection, [number])[number]
        return None

    def _find_split(
        self, incident: Incident, other: Incident
    ) -> Mapping[str, Any]:
        """Return what was told as one was split off the other, or nothing."""
        split = find_last(self._connection, other.id, [Kind.SPLIT])
        if split is None or split.details.get("from") != incident.id:
            return {}
        # The word about what it left stands right before it.
        (word,) = find_words(self._connection, [incident.id], split.id - 2, 1)
        return word.details

    def _give_back(self, incident: Incident, other: Incident) -> Incident:
        """Return an incident without what it has from one that leaves."""
        merge = find_last(self._connection, other.id, [Kind.MERGE])
        if merge is None:
            return msgspec.structs.replace(incident)
        (here,) = find_words(self._connection, [incident.id], merge.id, 1)
        told = {**merge.details, **here.details}
        rest = _named_back(incident, told)
        before = told["before"]
        rest.severity = before["severity"]
        rest.team = before.get("team", rest.team)
        word = find_last(self._connection, incident.id, [Kind.OWNER])
        is_own = word is not None and word.id > merge.id
        if rest.owner == other.owner and not is_own:
            rest.owner = before["owner"]
        mine = (rest.acknowledged_by, rest.acknowledged_at)
        if mine == (other.acknowledged_by, other.acknowledged_at):
            rest.acknowledged_by = before["acknowledged_by"]
            rest.acknowledged_at = before["acknowledged_at"]
        return rest

    def _open(
        self, episodes: Sequence[Episode], incident: Incident
    ) -> Incident:
        """Return a new incident for some episodes, oldest first.

        It is the team's that its alerts name, or whose it was so far.
        """
        connection = self._connection
        first = episodes[0]
        strands = find_strands_by_id(
            connection, {one.strand_id for one in episodes}
        )
        number = next_id(connection, INCIDENT)
        opened = standing.open_incident(
            number, first, strands[first.strand_id], self._now
        )
        named = find_team(episodes, strands, self._folder.rules.team_label)
        opened.team = named or incident.team
        opened.severity = standing.worst_of(
            one.severity for one in episodes
        ).value
        opened.version = 0
        save_incidents(connection, [opened], [])
        return opened

    def _retitle(self, incident: Incident) -> Incident:
        """Return an incident that is named after what is left of it."""
        first = find_oldest(self._connection, incident.id)
        if first is None:
            return incident
        found = find_strands_by_id(self._connection, [first.strand_id])
        strand = found[first.strand_id]
        return msgspec.structs.replace(
            incident,
            title=clip(first.summary or first.name),
            problem=first.problem,
            source=first.source,
            target=strand.target,
            target_kind=strand.target_kind,
            target_name=strand.target_name,
        )

    def _settle(
        self, *incidents: Incident
    ) -> tuple[dict[int, Incident], list[Note]]:
        """Return incidents as their episodes make them."""
        by_number = {incident.id: incident for incident in incidents}
        return self._folder.settle(self._connection, by_number)

    def _save(
        self,
        call: Call,
        changes: Sequence[tuple[Incident, Incident, dict[str, Any]]],
        settled: Sequence[Note],
    ) -> Word:
        """Write words, incidents and lines of the log; return the first."""
        connection = self._connection
        number = next_word(connection)
        words: list[Word] = []
        notes: list[Note] = []
        for before, after, details in changes:
            after.version = before.version + 1
            after.changed_at = self._now
            one = msgspec.structs.replace(call, details=details)
            if words:
                one = msgspec.structs.replace(one, key="")
            word = said(number + len(words), one, after, self._now)
            words.append(word)
            notes.append(tell(after, word, f"person:{call.author}"))
        add_words(connection, words)
        save_incidents(connection, [], [after for _, after, _ in changes])
        append(connection, self._now, [*notes, *settled])
        return words[0]


def name_of(incident: Incident) -> dict[str, Any]:
    """Return what an incident is called, and what it is about."""
    return {field: getattr(incident, field) for field in NAME}


def _renaming(before: Incident, after: Incident) -> dict[str, Any]:
    """Return what a word keeps of a new name, nothing when it is the old."""
    old, new = name_of(before), name_of(after)
    return {} if old == new else {"name": {"before": old, "after": new}}


def _named_back(incident: Incident, told: Mapping[str, Any]) -> Incident:
    """Return an incident with the name that it had before a word told so.

    Unless it got another one since.
    """
    name = told.get("name")
    is_so = name is not None and name["after"] == name_of(incident)
    more = name["before"] if name is not None and is_so else {}
    return msgspec.structs.replace(incident, **more)


def _before(into: Incident) -> dict[str, Any]:
    """Return what a merge may change about an incident, to be undone."""
    return {
        "owner": into.owner,
        "acknowledged_by": into.acknowledged_by,
        "acknowledged_at": into.acknowledged_at,
        "severity": into.severity,
        "team": into.team,
    }


def _wrong(status: int, detail: str) -> Refused:
    """Return the refusal of a choice of episodes."""
    return Refused(
        status,
        "wrong_episodes",
        detail,
        field="episodes",
        remedy="Name some of the incident's episodes, not all.",
    )
