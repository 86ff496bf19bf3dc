"""The turn: what came in since the last one becomes incidents.

Everything of a turn is one transaction: the strands, the episodes, the
incidents, the log, and how far the inbox was read. A crash in between
leaves the turn undone, and the next one does it again.
"""

from collections.abc import Collection

import msgspec

from app.core.clock import Clock
from app.fold import standing
from app.fold.grouping import Assigned, Numbers, assign
from app.fold.mutes import Mutes, find_mutes
from app.fold.rules import Rules
from app.fold.weaving import Ids, Woven, weave
from app.fold.words import take_updates
from app.models.cluster import FOREVER
from app.models.entry import Note
from app.models.episode import Episode
from app.models.incident import Incident, State, flapping_until
from app.models.strand import Strand
from app.store import incidents as store
from app.store.incidents import StrandRecord
from app.store.ledger import Connection
from app.store.log import append
from app.store.marks import get_mark, put_mark

FOLDED = "folded"
BATCH = 200
ACTOR = "rule:folding"


class Turn(msgspec.Struct, frozen=True):
    """What a turn did.

    Attributes:
        alerts: how many alerts it folded.
        entries: how many lines it wrote into the log.
        last_entry: the id of the last of them, 0 when there is none.
        is_full: whether more is certainly waiting.
        next_due: when an incident must be looked at again, or None.
    """

    alerts: int
    entries: int
    last_entry: int
    is_full: bool
    next_due: int | None


class Case(msgspec.Struct):
    """The incidents that a turn touches, and what will be said of them."""

    woven: Woven
    assigned: Assigned
    before: dict[int, Incident] = {}
    notes: list[Note] = []
    strands: dict[int, StrandRecord] = {}
    episodes: dict[int, list[Episode]] = {}


class Folder:
    """Folds alerts into incidents, a batch at a time."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        """Take the rules and the time."""
        self._rules = rules
        self._clock = clock

    def fold(self, connection: Connection, limit: int = BATCH) -> Turn:
        """Fold what came in, and look again at what is due."""
        now = self._clock.now()
        after = get_mark(connection, FOLDED)
        alerts = store.find_unfolded(connection, after, limit)
        names = {(row.fingerprint, row.source) for row in alerts}
        strands = store.find_strands(connection, names)
        ids = Ids(
            store.next_id(connection, store.STRAND),
            store.next_id(connection, store.EPISODE),
        )
        woven = weave(alerts, strands, ids, self._rules)
        due = store.find_due(connection, now, BATCH)
        notes = self.apply(connection, woven, due)
        if alerts:
            put_mark(connection, FOLDED, alerts[-1].id)
        entries = append(connection, now, notes)
        return Turn(
            alerts=len(alerts),
            entries=len(entries),
            last_entry=entries[-1].id if entries else 0,
            is_full=len(alerts) == limit or len(due) == BATCH,
            next_due=store.next_due(connection),
        )

    def skip(self, connection: Connection, why: str) -> Turn:
        """Pass over the next alert, which folding stumbles over.

        It stays in the inbox, and the log says that it was passed over: one
        alert that is not understood must not hold up all that follow.
        """
        now = self._clock.now()
        after = get_mark(connection, FOLDED)
        alerts = store.find_unfolded(connection, after, 1)
        notes = []
        for row in alerts:
            put_mark(connection, FOLDED, row.id)
            notes.append(
                Note(
                    kind="alert.not_folded",
                    actor=ACTOR,
                    severity=row.severity,
                    summary=f"{row.name}: it is in no incident: {why}",
                    body={"alert": row.id, "why": why},
                )
            )
        entries = append(connection, now, notes)
        last = entries[-1].id if entries else 0
        return Turn(len(alerts), len(entries), last, is_full=True, next_due=0)

    def apply(
        self, connection: Connection, woven: Woven, more: Collection[int]
    ) -> list[Note]:
        """Group what was woven, settle what that touches, and save it.

        Args:
            connection: the turn's transaction.
            woven: strands and episodes that changed.
            more: further incidents to look at.
        """
        now = self._clock.now()
        known = _overlay(connection, woven)
        around = self._around(connection, woven)
        numbers = Numbers(store.next_id(connection, store.INCIDENT))
        assigned = assign(around.values(), self._rules.windows, numbers)
        case = Case(woven, assigned)
        assigned.touched.update(more)
        assigned.touched.update(e.incident_id for e in known.values())
        assigned.touched.discard(0)
        _save_woven(connection, case, around)
        case.strands = {one.id: one for one in woven.strands.values()}
        for episode in woven.episodes.values():
            case.episodes.setdefault(episode.incident_id, []).append(episode)
        case.before = store.find_incidents(connection, assigned.touched)
        gone = _merge(connection, case, now)
        after = self._settle(connection, case, gone, now)
        take_updates(connection, woven, after, case.notes)
        _save_incidents(connection, case, after, now)
        return case.notes

    def _around(
        self, connection: Connection, woven: Woven
    ) -> dict[int, Episode]:
        """Return the changed episodes and those that may meet them."""
        changed = woven.episodes
        if not changed:
            return {}
        targets = {episode.target for episode in changed.values()}
        since = min(episode.begins_at for episode in changed.values())
        since -= self._rules.windows.widest
        found = store.find_episodes(connection, targets, since)
        return {one.id: one for one in found} | changed

    def _settle(
        self, connection: Connection, case: Case, gone: set[int], now: int
    ) -> dict[int, Incident]:
        """Return the touched incidents as they should be."""
        touched = case.assigned.touched - gone
        tallies = store.count_episodes(connection, touched)
        firing = store.find_firing(connection, touched)
        mutes = find_mutes(connection, now)
        strands = _strands_of(connection, case.strands, firing, mutes)
        after = {}
        for number in sorted(touched & tallies.keys()):
            incident = case.before.get(number) or self._open(case, number, now)
            flap = self._flapping(case, number, now)
            if flap is not None:
                latest = max(flap, incident.flapping_until or flap)
                incident = msgspec.structs.replace(
                    incident, flapping_until=latest
                )
            muted = mutes.cover(incident, firing[number], strands, now)
            settled = standing.settle(
                incident, tallies[number], firing[number], muted, now
            )
            _tell(case, case.before.get(number), settled)
            after[number] = settled
        return after

    def _open(self, case: Case, number: int, now: int) -> Incident:
        """Return the incident that a group of new episodes opens."""
        first = case.assigned.opened[number]
        strand = case.strands[first.strand_id]
        incident = standing.open_incident(number, first, strand, now)
        wait = self._rules.hold(labels_of(strand, first))
        if wait:
            incident.held_until = now + wait
        return incident

    def _flapping(self, case: Case, number: int, now: int) -> int | None:
        """Return until when a changed episode makes its incident flap."""
        rule = self._rules.flapping
        for episode in case.episodes.get(number, ()):
            memory = case.strands[episode.strand_id].memory
            if flapping_until(changes_of(memory), rule) is not None:
                return now + rule.calm
        return None


def changes_of(memory: Strand) -> list[int]:
    """Return the moments at which a strand began or ended."""
    changes = []
    for point, ending in memory.endings():
        if point.is_fired:
            changes.append(point.begins_at)
            if ending is not None and ending.why == "resolved":
                changes.append(ending.at)
    return changes


def labels_of(strand: StrandRecord, episode: Episode) -> dict[str, str]:
    """Return what a matcher may ask about an episode."""
    return strand.labels | {
        "alertname": strand.labels.get("alertname", strand.name),
        "source": strand.source,
        "severity": episode.severity,
        "target": strand.target_name,
        "target_kind": strand.target_kind,
        "problem": strand.problem,
    }


def _overlay(connection: Connection, woven: Woven) -> dict[int, Episode]:
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
    return known


def _save_woven(
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
    names = woven.new_strands
    strands = woven.strands.items()
    store.save_strands(
        connection,
        [one for name, one in strands if name in names],
        [one for name, one in strands if name not in names],
    )
    store.save_episodes(
        connection,
        [around[number] for number in sorted(woven.new)],
        [around[number] for number in sorted(changed - woven.new)],
    )


def _merge(connection: Connection, case: Case, now: int) -> set[int]:
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


def _strands_of(
    connection: Connection,
    known: dict[int, StrandRecord],
    firing: dict[int, list[Episode]],
    mutes: Mutes,
) -> dict[int, StrandRecord]:
    """Return the strands of firing episodes, if anybody will ask."""
    if not mutes.mutes:
        return known
    ids = {one.strand_id for some in firing.values() for one in some}
    missing = ids - known.keys()
    return known | store.find_strands_by_id(connection, missing)


def _tell(case: Case, before: Incident | None, after: Incident) -> None:
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
    if episode.id in case.woven.ended and episode.until != FOREVER:
        case.notes.append(
            standing.note_about(
                after,
                "episode.ended",
                actor,
                summary=f"{episode.name}: {episode.ended}",
                body={**about, "ended": episode.ended},
            )
        )


def _save_incidents(
    connection: Connection, case: Case, after: dict[int, Incident], now: int
) -> None:
    """Write the incidents that are new or not as they were."""
    new, old = [], []
    for number, incident in after.items():
        before = case.before.get(number)
        if before is None:
            new.append(incident)
        elif before != incident:
            incident.version = before.version + 1
            incident.changed_at = now
            old.append(incident)
    store.save_incidents(connection, new, old)
