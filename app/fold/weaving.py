"""Alerts into strands: which episodes there are, and which changed."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.core.clock import from_iso
from app.fold.rules import Rules
from app.models.alert import Severity, Status
from app.models.brevity import shorten
from app.models.canary import CANARY, PROBLEM
from app.models.cluster import FOREVER
from app.models.episode import Episode
from app.models.scraped import own_labels
from app.models.strand import Ending, Point, Saying, Strand
from app.models.target import Target, find_target
from app.store.incidents import Name, StrandRecord

State = tuple[int, str, Severity, int]


class Update(msgspec.Struct, frozen=True):
    """What people said in the monitoring system, and about which episode."""

    episode: Point
    alert_id: int
    at: int
    annotations: dict[str, str]


class Woven(msgspec.Struct):
    """What a batch of alerts amounts to, before it is grouped.

    Attributes:
        strands: those that were spoken of, by name.
        new_strands: the names of those that were not known.
        renamed: the names of those that say now what they are about.
        episodes: the episodes that are new or changed, by id.
        new: the ids of those that are new.
        ended: the ids of those that ended with this batch.
        resumed: the ids of those that were stale and go on.
        updates: what people said.
        lost: updates of which nobody knows what they are about.
    """

    strands: dict[Name, StrandRecord]
    new_strands: set[Name] = set()
    renamed: set[Name] = set()
    episodes: dict[int, Episode] = {}
    new: set[int] = set()
    ended: set[int] = set()
    resumed: set[int] = set()
    updates: list[Update] = []
    lost: list[Any] = []


class Ids(msgspec.Struct):
    """The next free numbers, given out under the turn's lock."""

    strand: int
    episode: int

    def next_strand(self) -> int:
        """Return a number for a new strand."""
        self.strand += 1
        return self.strand - 1

    def next_episode(self) -> int:
        """Return a number for a new episode."""
        self.episode += 1
        return self.episode - 1


def weave(
    alerts: Sequence[Any],
    strands: dict[Name, StrandRecord],
    ids: Ids,
    rules: Rules,
) -> Woven:
    """Return what alerts, in the order of their coming, amount to."""
    woven = Woven(strands)
    by_strand: dict[Name, list[Any]] = {}
    for row in alerts:
        by_strand.setdefault((row.fingerprint, row.source), []).append(row)
    for name, rows in by_strand.items():
        record = strands.get(name)
        if record is None:
            record = strands[name] = _new_strand(rows[0], ids.next_strand())
            woven.new_strands.add(name)
        if not record.memory.is_fired:
            _name(woven, record, rows, rules)
        _follow(woven, record, rows, ids)
    return woven


def retell(
    woven: Woven, record: StrandRecord, before: dict[int, State], ids: Ids
) -> None:
    """Write down the episodes of a strand whose memory was changed."""
    _compare(woven, record, before, ids)


def _follow(
    woven: Woven, record: StrandRecord, rows: Sequence[Any], ids: Ids
) -> None:
    """Let a strand take what was said, and note what changed by it."""
    memory = record.memory
    before = states_of(memory)
    summaries = {}
    for row in rows:
        saying = to_saying(row)
        point = memory.take(saying)
        if point is None:
            if saying.status is Status.UPDATED:
                woven.lost.append(row)
            continue
        if saying.status is not Status.RESOLVED:
            summaries[point.begins_at] = saying.summary
        if saying.status is Status.UPDATED:
            told = msgspec.json.decode(row.annotations, type=dict[str, str])
            woven.updates.append(Update(point, row.id, row.received_at, told))
    _compare(woven, record, before, ids)
    for point in memory.points:
        if point.begins_at in summaries and point.episode in woven.episodes:
            episode = woven.episodes[point.episode]
            episode.summary = summaries[point.begins_at]
    memory.forget()


def _compare(
    woven: Woven, record: StrandRecord, before: dict[int, State], ids: Ids
) -> None:
    """Note the episodes of a strand that are not as they were."""
    for point, ending in record.memory.endings():
        if not point.is_fired:
            continue
        is_same = before.get(point.begins_at) == _state(point, ending)
        if is_same and point.episode:
            continue
        if not point.episode:
            point.episode = ids.next_episode()
            woven.new.add(point.episode)
        episode = _to_episode(record, point, ending)
        until, why, *_ = before.get(point.begins_at, (FOREVER, ""))
        # That nobody spoke of it is no end that anybody told.
        was_open = until == FOREVER or why == "stale" != episode.ended
        if episode.is_over and (was_open or episode.id in woven.new):
            woven.ended.add(episode.id)
        elif why == "stale" and not episode.is_over:
            woven.resumed.add(episode.id)
        woven.episodes[episode.id] = episode


def states_of(memory: Strand) -> dict[int, State]:
    """Return what can change about each episode, by its beginning."""
    return {
        point.begins_at: _state(point, ending)
        for point, ending in memory.endings()
    }


def _state(point: Point, ending: Ending | None) -> State:
    """Return what can change about an episode."""
    until = FOREVER if ending is None else ending.at
    why = "" if ending is None else ending.why
    return until, why, point.severity, point.alerts


def _to_episode(
    record: StrandRecord, point: Point, ending: Ending | None
) -> Episode:
    """Return a point of a strand as an episode, not yet in an incident."""
    until, why, severity, alerts = _state(point, ending)
    return Episode(
        id=point.episode,
        strand_id=record.id,
        source=record.source,
        fingerprint=record.fingerprint,
        target=record.target,
        problem=record.problem,
        name=record.name,
        severity=severity.value,
        summary="",
        begins_at=point.begins_at,
        until=max(until, point.begins_at),
        ended=why,
        first_alert=point.first_alert,
        last_alert=point.last_alert,
        alerts=alerts,
        seen_at=point.seen_at,
    )


def _new_strand(row: Any, strand_id: int) -> StrandRecord:
    """Return a strand that begins with an alert and has no name yet."""
    return StrandRecord(
        id=strand_id,
        fingerprint=row.fingerprint,
        source=row.source,
        name="",
        labels={},
        target="",
        target_kind="",
        target_name="",
        problem="",
        memory=Strand(),
    )


def _name(
    woven: Woven, record: StrandRecord, rows: Sequence[Any], rules: Rules
) -> None:
    """Write down what a strand is about: the first that fires says it.

    Some sources send an end with no more in it than a fingerprint, and it
    may come first.
    """
    row = next((r for r in rows if r.status != Status.RESOLVED), rows[0])
    labels = msgspec.json.decode(row.labels, type=dict[str, str])
    naming = rules.naming_of(row.source)
    target = find_target(own_labels(labels, row.name), naming.targets)
    if target is None:
        # Nothing says where it is: it must not meet anything else there.
        target = Target("alert", row.fingerprint, row.source)
    parts = [labels.get(label, "") for label in naming.problem]
    record.name = shorten(row.name)
    record.labels = labels
    record.target = target.key
    record.target_kind = target.kind
    record.target_name = shorten(target.name)
    problem = " / ".join(p for p in parts if p) or row.name
    if problem == PROBLEM and row.source != CANARY:
        # What has our name is left out of counts and lists.
        problem = f"{problem} of {row.source}"
    record.problem = shorten(problem)
    woven.renamed.add((record.fingerprint, record.source))


def to_saying(row: Any) -> Saying:
    """Return a stored alert as what it says to its strand."""
    status = Status(row.status)
    said_at = row.received_at
    if status is Status.UPDATED:
        told = msgspec.json.decode(row.annotations, type=dict[str, str])
        said_at = from_iso(told.get("updated_at", "")) or said_at
    return Saying(
        alert_id=row.id,
        status=status,
        severity=Severity(row.severity),
        name=row.name,
        summary=row.summary,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        said_at=said_at,
        received_at=row.received_at,
    )
