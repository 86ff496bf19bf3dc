"""What a turn reads and writes of what it changed."""

import msgspec

from app.fold import standing
from app.fold.telling import ACTOR, Case
from app.fold.weaving import Woven
from app.models.episode import Episode
from app.models.incident import Incident, State
from app.store import incidents as store
from app.store.ledger import Connection
from app.store.opened import find_next_opening
from app.store.people import find_oldest


def overlay(connection: Connection, woven: Woven) -> dict[int, Episode]:
    """Give changed episodes what their rows know; return those rows."""
    ids = woven.episodes.keys() - woven.new
    known = store.find_episodes_by_id(connection, ids)
    for number, row in known.items():
        episode = woven.episodes[number]
        episode.incident_id = row.incident_id
        episode.pin = row.pin
        episode.home = row.home
        episode.because = row.because
        episode.summary = episode.summary or row.summary
        episode.seen_at = max(episode.seen_at, row.seen_at)
    return known


def save_woven(
    connection: Connection, case: Case, around: dict[int, Episode]
) -> None:
    """Write strands and episodes with the incidents that they are in."""
    woven, assigned = case.woven, case.assigned
    changed = set(woven.episodes)
    for number, incident in assigned.joined.items():
        around[number].incident_id = incident
    for number, (_, incident) in assigned.moved.items():
        around[number].incident_id = incident
        changed.add(number)
    for number, why in assigned.because.items():
        around[number].because = why
        changed.add(number)
    for number, pin in assigned.pins.items():
        around[number].pin = pin
        changed.add(number)
    names = woven.new_strands
    strands = woven.strands.items()
    renamed = woven.renamed - names
    store.save_strands(
        connection,
        [one for name, one in strands if name in names],
        [one for name, one in strands if name not in names],
    )
    store.rename_strands(connection, [woven.strands[n] for n in renamed])
    store.save_episodes(
        connection,
        [around[number] for number in sorted(woven.new)],
        [around[number] for number in sorted(changed - woven.new)],
    )


def reopen_left(connection: Connection, case: Case) -> None:
    """Open again what was cleaned up while an episode of it was left.

    Something more is told of that episode: it is in an incident, or lost.
    Clean-up goes by the numbers and ends at the first that is young: a low
    one must not be dated later than those that were opened after it.
    """
    assigned = case.assigned
    known = case.before.keys() | assigned.opened.keys()
    for number in sorted(assigned.touched - known):
        oldest = find_oldest(connection, number)
        if oldest is not None:
            assigned.opened[number] = oldest
            case.since |= find_next_opening(connection, number)


def merge(connection: Connection, case: Case, now: int) -> set[int]:
    """End the incidents that live on in another one; return them."""
    gone = set()
    for number, into in sorted(case.assigned.merged.items()):
        old = case.before.get(number)
        if old is None or not store.move_rest(connection, number, into):
            continue
        merged = msgspec.structs.replace(
            old,
            state=State.MERGED.value,
            reason=f"merged into incident {into}",
            merged_into=into,
            episodes=0,
            firing=0,
            due_at=None,
            changed_at=now,
            version=old.version + 1,
        )
        store.save_incidents(connection, [], [merged])
        why = "an alert that came late shows that they are one"
        case.notes.append(
            standing.note_about(
                merged,
                "incident.merged",
                ACTOR,
                summary=f"merged into incident {into}: {why}",
                body={"into": into},
            )
        )
        gone.add(number)
    return gone


def save_changed(
    connection: Connection, case: Case, after: dict[int, Incident], now: int
) -> None:
    """Write the incidents that are new or not as they were."""
    new, old = [], []
    for number, incident in after.items():
        before = case.before.get(number)
        if before is None:
            incident.changed_at = now
            new.append(incident)
        elif before != incident:
            incident.version = before.version + 1
            # A clock that is set back takes nothing back.
            incident.changed_at = max(now, before.changed_at)
            old.append(incident)
    store.save_incidents(connection, new, old)
