"""What mutes do to incidents: silences and maintenance windows.

Mutes begin and end by our clock, in the turns of the keeper. When one
begins, or is taken back, every living incident is looked at again, a batch
a turn; at its appointed end the incidents that it kept are due themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.core.clock import to_iso
from app.fold.standing import Muted, labels_of
from app.models.entry import Note
from app.models.episode import Episode
from app.models.incident import Incident
from app.models.matcher import fit_all, write_matchers
from app.models.mute import Mute, Turning, follow
from app.models.recurrence import Effort
from app.store import mutes as store
from app.store.incidents import StrandRecord, find_living
from app.store.ledger import Connection
from app.store.marks import get_mark, put_mark

ACTOR = "rule:mutes"
# Living incidents from this id on are still to be looked at; 0: none.
UNSETTLED = "unsettled"
# So many mutes, and so many steps of their rules, are followed in a turn.
MOST_AT_ONCE = 100
MOST_STEPS = 10_000


class Mutes(msgspec.Struct, frozen=True):
    """The mutes that are on at a moment."""

    mutes: Sequence[Mute] = ()

    def cover(
        self,
        incident: Incident,
        firing: Sequence[Episode],
        strands: Mapping[int, StrandRecord],
        now: int,
    ) -> Muted | None:
        """Return until when all that goes on is muted, or None.

        Of the mutes that cover one episode, the one that ends last counts;
        the first of these to end is when to look again.
        """
        del incident
        found: set[tuple[int, int, Mute]] = set()
        for episode in firing if self.mutes else ():
            labels = labels_of(strands[episode.strand_id], episode)
            covering = [
                (mute.slot.until, -mute.id, mute)
                for mute in self.mutes
                if mute.slot is not None
                and mute.slot.until > now
                and fit_all(mute.wish.matchers, labels)
            ]
            if not covering:
                return None
            found.add(max(covering, key=lambda one: one[:2]))
        if not found:
            return None
        until, _, first = min(found, key=lambda one: one[:2])
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return Muted(until, f"{first.label}, until {to_iso(until)}{more}")


class Followed(msgspec.Struct, frozen=True):
    """What following the mutes amounts to, in one turn.

    Attributes:
        notes: what the log will say.
        living: incidents to look at again.
        is_full: whether there is more to do at once.
    """

    notes: list[Note]
    living: list[int]
    is_full: bool


class Step(msgspec.Struct, frozen=True):
    """A mute that was brought to the present.

    Attributes:
        mute: the mute as it is now.
        notes: what the log will say.
        has_begun: whether it was on at a moment in between.
    """

    mute: Mute
    notes: list[Note]
    has_begun: bool


def find_mutes(connection: Connection, now: int) -> Mutes:
    """Return the mutes that are on."""
    del now
    return Mutes(store.find_on(connection))


def follow_mutes(connection: Connection, now: int, limit: int) -> Followed:
    """Let mutes begin and end, and find the incidents that this concerns.

    Args:
        connection: the turn's transaction.
        now: the present.
        limit: how many incidents to look at in one turn.
    """
    due = store.find_due(connection, now, MOST_AT_ONCE)
    steps = _follow_all(due, now)
    notes = write_steps(connection, steps)
    store.save_all(connection, [step.mute for step in steps])
    living: list[int] = []
    position = get_mark(connection, UNSETTLED)
    if position:
        living = find_living(connection, position - 1, limit)
        is_rest = len(living) == limit
        put_mark(connection, UNSETTLED, living[-1] + 1 if is_rest else 0)
    is_cut = len(due) == MOST_AT_ONCE or len(steps) < len(due)
    is_full = is_cut or (0 < limit == len(living))
    return Followed(notes, living, is_full)


def _follow_all(due: Sequence[Mute], now: int) -> list[Step]:
    """Bring mutes to the present, until it took enough for one turn."""
    steps: list[Step] = []
    spent = 0
    for mute in due:
        effort = Effort()
        steps.append(advance(mute, now, effort))
        spent += effort.spent
        if spent > MOST_STEPS:
            break
    return steps


def advance(mute: Mute, now: int, effort: Effort | None = None) -> Step:
    """Bring one mute to the present."""
    turnings = list(follow(mute, now, effort))
    return Step(
        mute=turnings[-1].mute if turnings else mute,
        notes=[_tell(turning) for turning in turnings],
        has_begun=any(turning.mute.is_on for turning in turnings),
    )


def write_steps(connection: Connection, steps: Sequence[Step]) -> list[Note]:
    """See that incidents follow; return what the log will say."""
    if any(step.has_begun for step in steps):
        unsettle(connection)
    return [note for step in steps for note in step.notes]


def unsettle(connection: Connection) -> None:
    """Have every living incident looked at again."""
    put_mark(connection, UNSETTLED, 1)


def earlier_mute(connection: Connection, due: int | None) -> int | None:
    """Return when a turn is due: then, or when a mute begins or ends."""
    mute = store.next_due(connection)
    return min((at for at in (due, mute) if at is not None), default=None)


def note_about_mute(mute: Mute, kind: str, actor: str, said: str) -> Note:
    """Return what the log says about a mute."""
    wish, slot = mute.wish, mute.slot
    return Note(
        kind=kind,
        actor=actor,
        summary=f"{mute.label}: {said}",
        body={
            "mute": mute.id,
            "matchers": write_matchers(wish.matchers),
            "from": slot.begins_at if slot else None,
            "until": slot.until if slot else None,
            "rule": wish.times.rule,
            "zone": wish.times.zone,
            "uid": wish.uid,
        },
    )


def differing(before: Mute | None, after: Mute) -> dict[str, dict[str, Any]]:
    """Return what a mute said before, and says now: what differs of it.

    Args:
        before: the mute as it was; None when it is new.
        after: the mute as it is now.
    """
    new = _say(after)
    if before is None:
        return {"before": {}, "after": new}
    old = _say(before)
    changed = [name for name in old if old[name] != new[name]]
    return {
        "before": {name: old[name] for name in changed},
        "after": {name: new[name] for name in changed},
    }


def _say(mute: Mute) -> dict[str, Any]:
    """Return what a mute asks for, as the log shows it."""
    wish, times = mute.wish, mute.wish.times
    return {
        "kind": wish.kind.value,
        "matchers": write_matchers(wish.matchers),
        "starts_at": times.starts_at,
        "ends_at": times.ends_at,
        "rule": times.rule,
        "zone": times.zone,
        "except_at": list(times.except_at),
        "also_at": list(times.also_at),
        "comment": wish.comment,
        "ended_at": mute.ended_at,
    }


def _tell(turning: Turning) -> Note:
    """Return what the log says about a mute that began or ended."""
    return note_about_mute(turning.mute, turning.kind, ACTOR, turning.said)
