"""The turn: what came in since the last one becomes incidents.

Everything of a turn is one transaction: the strands, the episodes, the
incidents, the log, and how far the inbox was read. A crash in between
leaves the turn undone, and the next one does it again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from app.core.clock import Clock
from app.fold import saving, standing
from app.fold.adding import add_up
from app.fold.grouping import Assigned, Numbers, assign, find_loosened
from app.fold.holding import hold
from app.fold.mutes import earlier_mute, find_mutes, follow_mutes
from app.fold.rules import Rules
from app.fold.staleness import Sweeper
from app.fold.teams import give_teams
from app.fold.telling import ACTOR, Case, tell_incident
from app.fold.weaving import Ids, Woven, weave
from app.fold.words import inherit, take_updates
from app.models.brevity import clip
from app.models.cluster import FOREVER
from app.models.entry import Note
from app.models.episode import Episode
from app.models.incident import Change, Incident, flapping_until
from app.models.strand import Strand
from app.store import due
from app.store import incidents as store
from app.store.incidents import StrandRecord, Tally
from app.store.indexing import index_inbox
from app.store.ledger import Connection
from app.store.log import append
from app.store.marks import get_mark, put_mark
from app.store.weighing import find_frequent, weigh_firing

FOLDED = "folded"
BATCH = 200
LATER = 3_600_000_000


class Turn(msgspec.Struct, frozen=True):
    """What a turn did.

    Attributes:
        alerts: how many alerts it folded.
        entries: how many lines it wrote into the log.
        last_entry: the id of the last of them, 0 when there is none.
        is_full: whether more is certainly waiting.
        next_due: when an incident must be looked at again, or None.
        waiting: how far the newest alert lies beyond what was folded.
    """

    alerts: int
    entries: int
    last_entry: int
    is_full: bool
    next_due: int | None
    waiting: int = 0


class Work(msgspec.Struct, frozen=True):
    """What a turn has to do.

    Attributes:
        alerts: those that came in.
        woven: what they amount to.
        due: incidents that must be looked at besides.
        notes: what the log will say already.
    """

    alerts: Sequence[Any]
    woven: Woven
    due: Collection[int] = ()
    notes: Sequence[Note] = ()


class Folder:
    """Folds alerts into incidents, a batch at a time."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        """Take the rules and the time."""
        self.rules = rules
        self._clock = clock
        self._sweeper = Sweeper(rules, clock)

    def fold(self, connection: Connection, limit: int = BATCH) -> Turn:
        """Fold what came in, and look again at what is due."""
        now = self._clock.now()
        alerts, woven, ids = self._weave(connection, limit)
        self._sweeper.sweep(connection, woven, ids)
        muted = follow_mutes(connection, now, BATCH)
        late = due.find_due(connection, now, BATCH)
        work = Work(alerts, woven, {*late, *muted.living}, muted.notes)
        turn = self._finish(connection, work)
        is_behind = index_inbox(connection, limit) or muted.is_full
        is_full = len(late) == BATCH or len(alerts) == limit
        next_due = self._sweeper.earlier(due.next_due(connection))
        return msgspec.structs.replace(
            turn,
            is_full=is_full or is_behind,
            next_due=earlier_mute(connection, next_due),
        )

    def fold_only(self, connection: Connection, limit: int) -> Turn:
        """Fold what came in, and nothing else."""
        alerts, woven, _ = self._weave(connection, limit)
        turn = self._finish(connection, Work(alerts, woven))
        return msgspec.structs.replace(turn, is_full=len(alerts) == limit)

    def find_due(self, connection: Connection) -> list[int]:
        """Return incidents that are due, the longest due first."""
        return due.find_due(connection, self._clock.now(), BATCH)

    def settle_one(self, connection: Connection, number: int) -> Turn:
        """Look again at one incident, and at nothing else."""
        return self._finish(connection, Work([], Woven({}), [number]))

    def postpone(self, connection: Connection, number: int) -> None:
        """Put off an incident that is due and cannot be settled."""
        now = self._clock.now()
        due.postpone(connection, number, now + LATER)
        note = Note(
            kind="incident.not_settled",
            incident=number,
            actor=ACTOR,
            summary="it cannot be settled: see the service's own log",
        )
        append(connection, now, [note])

    def _weave(
        self, connection: Connection, limit: int
    ) -> tuple[Sequence[Any], Woven, Ids]:
        """Return the next alerts, and what they amount to."""
        after = get_mark(connection, FOLDED)
        alerts = store.find_unfolded(connection, after, limit)
        names = {(row.fingerprint, row.source) for row in alerts}
        strands = store.find_strands(connection, names)
        ids = Ids(*store.next_ids(connection))
        return alerts, weave(alerts, strands, ids, self.rules), ids

    def _finish(self, connection: Connection, work: Work) -> Turn:
        """Save what came of some alerts, and how far the inbox was read."""
        now = self._clock.now()
        alerts = work.alerts
        notes = self.apply(connection, work.woven, work.due)
        if alerts:
            put_mark(connection, FOLDED, alerts[-1].id)
        entries = append(connection, now, [*work.notes, *notes])
        last = entries[-1].id if entries else 0
        turn = Turn(
            len(alerts), len(entries), last, is_full=False, next_due=None
        )
        return self._look_ahead(connection, turn, alerts)

    def _look_ahead(
        self, connection: Connection, turn: Turn, alerts: Sequence[Any]
    ) -> Turn:
        """Return a turn with how much is still to be folded."""
        after = alerts[-1].id if alerts else get_mark(connection, FOLDED)
        waiting = store.count_waiting(connection, after)
        return msgspec.structs.replace(turn, waiting=waiting)

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
                    summary=f"{clip(row.name)}: it is in no incident: {why}",
                    body={"alert": row.id, "why": why},
                )
            )
        entries = append(connection, now, notes)
        last = entries[-1].id if entries else 0
        turn = Turn(len(alerts), len(entries), last, is_full=True, next_due=0)
        return self._look_ahead(connection, turn, alerts)

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
        known = saving.overlay(connection, woven)
        around, loosened = self._around(connection, woven, known)
        numbers = Numbers(store.next_id(connection, store.INCIDENT))
        assigned = assign(
            around.values(), self.rules.windows, numbers, loosened
        )
        case = Case(woven, assigned, around=around)
        assigned.touched.update(more)
        assigned.touched.update(e.incident_id for e in known.values())
        assigned.touched.discard(0)
        saving.save_woven(connection, case, around)
        case.before = store.find_incidents(connection, assigned.touched)
        saving.reopen_left(connection, case)
        case.strands = {one.id: one for one in woven.strands.values()}
        firsts = {first.strand_id for first in assigned.opened.values()}
        missing = firsts - case.strands.keys()
        case.strands |= store.find_strands_by_id(connection, missing)
        for episode in woven.episodes.values():
            case.episodes.setdefault(episode.incident_id, []).append(episode)
        gone = saving.merge(connection, case, now)
        after = self._settle(connection, case, gone, now)
        for number in sorted(gone):
            inherit(after, assigned.merged[number], case.before[number])
        give_teams(case, after, self.rules.team_label)
        take_updates(connection, woven, after, case.notes)
        saving.save_changed(connection, case, after, now)
        return case.notes

    def settle(
        self, connection: Connection, incidents: dict[int, Incident]
    ) -> tuple[dict[int, Incident], list[Note]]:
        """Return incidents as they should be now, and what that changes.

        For those whose episodes a person moved; nothing is saved here.
        """
        case = Case(Woven({}), Assigned(touched=set(incidents)), incidents)
        after = self._settle(connection, case, set(), self._clock.now())
        return after, case.notes

    def _around(
        self,
        connection: Connection,
        woven: Woven,
        known: dict[int, Episode],
    ) -> tuple[dict[int, Episode], set[int]]:
        """Return the changed episodes and those that may meet them.

        Also the incidents that may fall apart, with all their episodes.
        """
        changed = woven.episodes
        if not changed:
            return {}, set()
        targets = {episode.target for episode in changed.values()}
        since = min(episode.begins_at for episode in changed.values())
        since -= self.rules.windows.widest
        found = store.find_episodes(connection, targets, since)
        around = {one.id: one for one in found} | changed
        loosened = set()
        for number in find_loosened(around, known, self.rules.windows):
            every = store.find_episodes_of(connection, number)
            if len(every) < store.MOST_OF_ONE:
                loosened.add(number)
                around = {one.id: one for one in every} | around
        return around, loosened

    def _settle(
        self, connection: Connection, case: Case, gone: set[int], now: int
    ) -> dict[int, Incident]:
        """Return the touched incidents as they should be."""
        touched = case.assigned.touched - gone
        weights = weigh_firing(connection, touched)
        tallies = add_up(connection, case, weights)
        mutes = find_mutes(connection, now)
        firing = store.find_firing(connection, touched) if mutes.mutes else {}
        strands = _strands_of(connection, case.strands, firing)
        incidents = {
            number: case.before.get(number) or self._open(case, number, now)
            for number in sorted(tallies)
        }
        incidents = hold(connection, self.rules, incidents, strands, now)
        flapping = self._flapping(connection, case, tallies, weights)
        after = {}
        for number, incident in incidents.items():
            if number in flapping:
                known = incident.flapping_until or 0
                incident.flapping_until = max(known, flapping[number])
            # What tries the whole pipe is silenced by nobody.
            heard = self.rules.loud(firing.get(number, ()))
            muted = mutes.cover(incident, heard, strands, now)
            settled = standing.settle(
                incident, tallies[number], weights[number], muted, now
            )
            tell_incident(case, case.before.get(number), settled)
            after[number] = settled
        return after

    def _open(self, case: Case, number: int, now: int) -> Incident:
        """Return the incident that a group of new episodes opens."""
        first = case.assigned.opened[number]
        strand = case.strands[first.strand_id]
        at = case.since.get(number, now)
        return standing.open_incident(number, first, strand, at)

    def _flapping(
        self,
        connection: Connection,
        case: Case,
        tallies: Mapping[int, Tally],
        firing: Mapping[int, Mapping[str, int]],
    ) -> dict[int, int]:
        """Return until when incidents flap by what a changed episode did."""
        rule = self.rules.flapping
        now = self._clock.now()
        counts = {
            number: tallies[number].episodes
            for number in case.episodes.keys() & tallies.keys()
            # An episode is two changes at most: most are done with.
            if 2 * tallies[number].episodes >= rule.changes
            and not self.rules.are_calm(case.episodes[number])
        }
        problems = {
            number: {one.problem for one in case.episodes[number]}
            for number in counts
        }
        # Where each firing has a fingerprint of its own, as in Zabbix. Those
        # that go on together are one change.
        lively = {
            number: count
            for number, count in counts.items()
            if 2 * (count - sum(firing[number].values())) + 1 >= rule.changes
        }
        every = set().union(*(problems[number] for number in lively))
        frequent = find_frequent(connection, lively, every, rule.changes)
        flapping = {}
        for number in counts:
            found = self._flapping_strands(case, number)
            found += [
                flapping_until(outline(some), rule)
                for some in frequent.get(number, ())
                if some[0].problem in problems[number]
            ]
            ahead = [f for f in found if f is not None and f > now]
            if ahead:
                flapping[number] = max(ahead)
        return flapping

    def _flapping_strands(self, case: Case, number: int) -> list[int | None]:
        """Return until when each changed strand of an incident flaps."""
        rule = self.rules.flapping
        ids = {one.strand_id for one in case.episodes[number]}
        memories = [case.strands[one].memory for one in ids]
        return [
            flapping_until(changes_of(memory), rule)
            for memory in memories
            # A point is two changes at most.
            if 2 * len(memory.points) >= rule.changes
        ]


def changes_of(memory: Strand) -> list[Change]:
    """Return when a strand began or ended."""
    changes = []
    for point, ending in memory.endings():
        if point.is_fired:
            changes.append(Change(point.begins_at, point.seen_at))
            if ending is not None and ending.why == "resolved":
                changes.append(Change(ending.at, point.seen_at))
    return changes


def outline(episodes: Iterable[Episode]) -> list[Change]:
    """Return when one problem began and ended, whoever told of it.

    Episodes that overlap are one: five full disks do not come and go.
    """
    changes: list[Change] = []
    until = None
    for one in sorted(episodes, key=lambda e: (e.begins_at, e.until)):
        if until is not None and one.begins_at <= until:
            changes = changes[:-1] if one.until > until else changes
        else:
            changes.append(Change(one.begins_at, one.seen_at))
        if until is None or one.until > until:
            until = one.until
            changes.append(Change(until, one.seen_at))
    return [change for change in changes if change.at != FOREVER]


def _strands_of(
    connection: Connection,
    known: dict[int, StrandRecord],
    firing: dict[int, list[Episode]],
) -> dict[int, StrandRecord]:
    """Return the strands of firing episodes, and those that are known."""
    ids = {one.strand_id for some in firing.values() for one in some}
    missing = ids - known.keys()
    return known | store.find_strands_by_id(connection, missing)
