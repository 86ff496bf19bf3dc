"""What people say about an incident; no event ever takes it away."""

import re
from typing import Any

import msgspec

from app.core.clock import from_iso
from app.fold.standing import note_about
from app.fold.weaving import Update, Woven
from app.models.brevity import clip
from app.models.entry import Note
from app.models.incident import Incident
from app.models.word import Call, Kind, Word, newest
from app.store.incidents import find_episodes_by_id
from app.store.ledger import Connection
from app.store.people import (
    add_words,
    find_family,
    find_on_acknowledging,
    next_word,
)

LONGEST_TEXT = 10_000
LONGEST_AUTHOR = 200
LONGEST_SUMMARY = 200
ON_ACKNOWLEDGING = re.compile(r"\b(un)?acknowledged\b", re.IGNORECASE)
NOBODY = "somebody"
# What each kind of word is called in the action log.
ENTRIES = {
    Kind.NOTE: "incident.noted",
    Kind.CORRECTION: "incident.corrected",
    Kind.ACKNOWLEDGE: "incident.acknowledged",
    Kind.UNACKNOWLEDGE: "incident.unacknowledged",
    Kind.OWNER: "incident.owner_changed",
    Kind.SPLIT: "incident.split",
    Kind.MERGE: "incident.merged",
}


def take_updates(
    connection: Connection,
    woven: Woven,
    after: dict[int, Incident],
    notes: list[Note],
) -> None:
    """Keep what people said in the monitoring system.

    Args:
        connection: the turn's transaction.
        woven: what came in, with the updates among it.
        after: the incidents as the turn leaves them; changed here.
        notes: what the log will say; added to here.
    """
    notes += [tell_lost(row) for row in woven.lost]
    if not woven.updates:
        return
    places = _places(connection, woven)
    number = next_word(connection)
    changed: set[int] = set()
    words: list[Word] = []
    for update in woven.updates:
        place = places.get(update.episode.episode)
        if place is None:
            continue  # of an episode too old to be remembered
        source, incident = place[0], after.get(place[1])
        if incident is None:
            continue
        if incident.id not in changed:
            changed.add(incident.id)
            incident.version += 1
        word = _to_word(number + len(words), source, update, incident)
        words.append(word)
        notes.append(tell(incident, word, f"person:{word.author}"))
    add_words(connection, words)
    decided = {w.incident_id for w in words if w.kind != Kind.NOTE}
    for incident_id in sorted(decided):
        _acknowledge(connection, after[incident_id], words[0].id)


def tell_lost(row: Any) -> Note:
    """Return what the log says about an update that is about nothing.

    Its source names no beginning, and no alert of that event ever came.
    """
    told = msgspec.json.decode(row.annotations, type=dict[str, str])
    text = told.get("update_message", "") or told.get("update_action", "")
    user = told.get("update_user", "") or NOBODY
    why = "nothing is known that it is about"
    summary = " ".join(f"{clip(row.name)}: {why}: {user}: {text}".split())
    return Note(
        kind="alert.not_folded",
        actor=f"person:{row.source}:{user}"[:LONGEST_AUTHOR],
        severity=row.severity,
        summary=clip(summary),
        body={"alert": row.id, "why": why, "text": text[:LONGEST_TEXT]},
    )


def _acknowledge(
    connection: Connection, incident: Incident, since: int
) -> None:
    """Let a new word decide on acknowledging, if it is the latest one.

    Args:
        connection: the turn's transaction.
        incident: changed here.
        since: the first of the new words.
    """
    family = find_family(connection, incident.id)
    word = newest(find_on_acknowledging(connection, family))
    if word is None or word.id < since:
        return
    incident.acknowledged_by, incident.acknowledged_at = "", None
    if word.kind == Kind.ACKNOWLEDGE:
        incident.acknowledged_by = word.author
        incident.acknowledged_at = word.at


def inherit(after: dict[int, Incident], into: int, gone: Incident) -> None:
    """Give an incident what one that it takes up has, and it has not."""
    incident = after.get(into)
    if incident is None:
        return
    incident.owner = incident.owner or gone.owner
    incident.team = incident.team or gone.team
    if incident.acknowledged_at is None:
        incident.acknowledged_by = gone.acknowledged_by
        incident.acknowledged_at = gone.acknowledged_at


def tell(incident: Incident, word: Word, actor: str) -> Note:
    """Return what the log says about a word."""
    summary = " ".join(f"{word.author}: {summarise(word)}".split())
    body: dict[str, Any] = {"word": word.id, "text": word.text}
    if word.alert_id:
        body["alert"] = word.alert_id
    return note_about(
        incident,
        ENTRIES[Kind(word.kind)],
        actor,
        summary=summary[:LONGEST_SUMMARY],
        body={**body, **word.details},
    )


def summarise(word: Word) -> str:
    """Return a word as a line for people."""
    details = word.details
    told = {
        Kind.ACKNOWLEDGE: "acknowledged it",
        Kind.UNACKNOWLEDGE: "is no longer on it",
        Kind.OWNER: f"owner: {details.get('owner') or 'nobody'}",
        Kind.SPLIT: _between("split off into", "split off", details),
        Kind.MERGE: _between("merged into", "merged with it", details),
    }.get(Kind(word.kind), "")
    return ": ".join(part for part in (told, word.text) if part)


def _between(away: str, here: str, details: dict[str, Any]) -> str:
    """Return where to, or where from, a person moved something."""
    if "into" in details:
        return f"{away} incident {details['into']}"
    return f"{here} incident {details.get('from', '')}"


def _places(
    connection: Connection, woven: Woven
) -> dict[int, tuple[str, int]]:
    """Return the source and the incident of each episode spoken of."""
    episodes = dict(woven.episodes)
    ids = {update.episode.episode for update in woven.updates}
    missing = ids - episodes.keys() - {0}
    episodes |= find_episodes_by_id(connection, missing)
    return {
        number: (episodes[number].source, episodes[number].incident_id)
        for number in ids & episodes.keys()
    }


def _to_word(
    number: int, source: str, update: Update, incident: Incident
) -> Word:
    """Return an update as a word about an incident."""
    told = update.annotations
    action = told.get("update_action", "")
    user = told.get("update_user", "") or NOBODY
    found = ON_ACKNOWLEDGING.search(action)
    kind = Kind.NOTE
    if found is not None:
        kind = Kind.UNACKNOWLEDGE if found[1] else Kind.ACKNOWLEDGE
    text = told.get("update_message", "")
    if kind is Kind.NOTE:
        text = text or action or "updated"
    said_at = from_iso(told.get("updated_at", ""))
    return Word(
        id=number,
        incident_id=incident.id,
        # A clock that goes ahead must not have the last word for ever.
        at=update.at if said_at is None else min(said_at, update.at),
        author=f"{source}:{user}"[:LONGEST_AUTHOR],
        kind=kind.value,
        text=text[:LONGEST_TEXT],
        alert_id=update.alert_id,
        details={"action": action, "episode": update.episode.episode},
        version=incident.version,
    )


def said(number: int, call: Call, incident: Incident, at: int) -> Word:
    """Return what a person asks for as a word about an incident."""
    return Word(
        id=number,
        incident_id=incident.id,
        at=at,
        author=call.author,
        kind=call.kind.value,
        text=call.text,
        details=call.details,
        version=incident.version,
        key=call.key,
    )
