"""A resolve that never comes: what nobody speaks of any more is stale.

Stale is not resolved by anybody: the log and the incident say that nobody
said it was over, and whoever is heard of again goes on. While we were away
nobody could be heard, so that silence does not count.
"""

from collections.abc import Iterable, Iterator, Sequence

from app.core.clock import Clock
from app.fold.rules import Rules
from app.fold.standing import note_about
from app.fold.weaving import Ids, Woven, retell, states_of
from app.models.entry import Note
from app.models.episode import Episode
from app.models.incident import Incident
from app.models.strand import Strand
from app.store.incidents import StrandRecord, find_strands_by_id
from app.store.ledger import Connection
from app.store.marks import get_mark, put_mark
from app.store.stale import (
    Heard,
    find_silent,
    find_sources,
    find_stale,
    touch,
)

SECOND = 1_000_000
PAUSE = 30 * SECOND
# Whoever was away for longer than this may have missed a repeat.
AWAY = 300 * SECOND
BATCH = 200
ACTOR = "rule:staleness"
STALE = "stale"  # why an episode ended: app/models/strand.py
SWEPT, LISTENS = "swept", "listens"


class Sweeper:
    """Looks now and then for episodes of which nothing is heard."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        """Take how long is too long, and the time."""
        # What never flaps is our own: alone it is no reason to sweep.
        others = rules.by_source.values()
        spans = [naming.stale for naming in others if not naming.is_calm]
        self._shortest = min(
            (span for span in (rules.naming.stale, *spans) if span),
            default=0,
        )
        self._rules = rules
        self._clock = clock
        self._next_at = 0
        self._revisited = 0
        self._is_full = False

    @property
    def pause(self) -> int:
        """Return how long it rests between two sweeps."""
        return min(PAUSE, max(self._shortest, SECOND))

    def earlier(self, due: int | None) -> int | None:
        """Return when a turn is due: then, or when it must sweep again."""
        if not self._shortest:
            return due
        return self._next_at if due is None else min(due, self._next_at)

    def sweep(self, connection: Connection, woven: Woven, ids: Ids) -> None:
        """End what is stale and take up what was heard of again.

        Args:
            connection: the turn's transaction.
            woven: takes the episodes that change.
            ids: the next free numbers.
        """
        now = self._clock.now()
        # A clock that was put back must not make it wait.
        if not self._shortest or 0 < self._next_at - now <= self.pause:
            return
        # Said first: a turn that fails is done again without a sweep.
        self._next_at = now + self.pause
        listens_at = _listen(connection, now)
        silent = self._find_silent(connection, listens_at, now)
        heard = self._find_heard(connection)
        if self._is_full:
            self._next_at = now + SECOND
        touch(connection, [(one.episode, one.heard_at) for one in heard])
        _change(connection, woven, (silent, heard), ids, now)

    def _find_silent(
        self, connection: Connection, listens_at: int, now: int
    ) -> list[Heard]:
        """Return the episodes of which nothing was heard for too long."""
        silent = []
        self._is_full = False
        for source in find_sources(connection):
            span = self._rules.naming_of(source).stale
            if not span or listens_at > now - span:
                continue
            found = find_silent(connection, source, now - span, BATCH)
            self._is_full = self._is_full or len(found) == BATCH
            again = [one for one in found if one.heard_at > now - span]
            touch(connection, [(o.episode, o.heard_at) for o in again])
            silent += [one for one in found if one.heard_at <= now - span]
        return silent

    def _find_heard(self, connection: Connection) -> list[Heard]:
        """Return stale episodes that were heard of again; round by round."""
        found = find_stale(connection, self._revisited, BATCH)
        self._revisited = found[-1].episode if len(found) == BATCH else 0
        return [one for one in found if one.heard_at > one.until]


def _listen(connection: Connection, now: int) -> int:
    """Return since when we listen without a gap, and note that we do."""
    swept_at = get_mark(connection, SWEPT)
    put_mark(connection, SWEPT, now)
    listens_at = get_mark(connection, LISTENS)
    if not listens_at or not 0 <= now - swept_at <= AWAY:
        listens_at = now
        put_mark(connection, LISTENS, now)
    return listens_at


def _change(
    connection: Connection,
    woven: Woven,
    found: tuple[Sequence[Heard], Sequence[Heard]],
    ids: Ids,
    now: int,
) -> None:
    """Write down at the strands what is stale, and what is so no more."""
    silent, heard = found
    spoken = {record.id for record in woven.strands.values()}
    # Of those that this very turn heard of, the turn itself knows better.
    wanted = {one.strand for one in (*silent, *heard)} - spoken
    lapsed_at = dict.fromkeys((one.episode for one in silent), now)
    changes = lapsed_at | dict.fromkeys(one.episode for one in heard)
    for record in _strands(connection, wanted):
        before = states_of(record.memory)
        _lapse(record.memory, changes)
        woven.strands[record.fingerprint, record.source] = record
        retell(woven, record, before, ids)


def _lapse(memory: Strand, changes: dict[int, int | None]) -> None:
    """Set when episodes lapsed, by id; None for those that go on."""
    for point in memory.points:
        if point.episode in changes:
            point.lapsed_at = changes[point.episode]


def _strands(
    connection: Connection, wanted: set[int]
) -> Iterable[StrandRecord]:
    """Return strands by their ids, in the order of these."""
    found = find_strands_by_id(connection, wanted)
    return [found[number] for number in sorted(found)]


def tell_silence(
    incident: Incident, episode: Episode, woven: Woven
) -> Iterator[Note]:
    """Yield what the log says about an episode that is stale, or was."""
    about = {"episode": episode.id, "alert": episode.last_alert}
    if episode.id in woven.ended and episode.ended == STALE:
        yield note_about(
            incident,
            "episode.ended",
            ACTOR,
            summary=f"{episode.name}: stale: nothing more was heard of it,"
            " and nobody said it was over",
            body={**about, "ended": STALE, "seen_at": episode.seen_at},
        )
    elif episode.id in woven.resumed:
        yield note_about(
            incident,
            "episode.resumed",
            f"source:{episode.source}",
            summary=f"{episode.name}: it was heard of again",
            body={**about, "seen_at": episode.seen_at},
        )
