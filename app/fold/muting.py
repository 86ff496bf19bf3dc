"""What people do with mutes: add one, end one, import a calendar.

Each of these is one turn of the ledger, by the keeper or by a command; the
next turn of folding sees to the incidents.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from app.core.errors import Refused
from app.fold.mutes import advance, differing, note_about_mute, unsettle
from app.models.entry import Note
from app.models.mute import Mute, Unfit, Wish, check_line, rewritten
from app.models.recurrence import Effort
from app.models.timetable import Slot
from app.store import mutes as store
from app.store.ledger import Connection
from app.store.log import append

# Every mute that is on is held against every episode that is looked at.
MOST_LIVING = 1_000
# So many days and times of all rules of one calendar are looked at.
MOST_STEPS_OF_ALL = 500_000
TOO_FAR = (
    "its rule takes too long to follow; let its first time be later, or use"
    " UNTIL instead of COUNT"
)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a calendar says about one of its events.

    Attributes:
        uid: its id in the calendar.
        instance: which of the event's times it replaces, or 0.
        name: what people call it.
        wish: what it asks for; None when it was cancelled.
    """

    uid: str
    instance: int
    name: str
    wish: Wish | None


class Outcome(msgspec.Struct, frozen=True):
    """What became of one event.

    Attributes:
        event: what people call it.
        uid: its id in the calendar.
        outcome: added, changed, unchanged, ended or over.
        mute: the mute's id, or None when there is none.
    """

    event: str
    uid: str
    outcome: str
    mute: int | None = None


class Plan(msgspec.Struct, frozen=True):
    """A wish that makes sense, and the first time at which it is on."""

    wish: Wish
    slot: Slot


class PlannedEvent(msgspec.Struct, frozen=True):
    """An event, and the first time that is not over, or None."""

    event: Event
    slot: Slot | None


def plan_mute(wish: Wish, now: int) -> Plan:
    """Return when a wish is on; to be asked before the turn, it takes long.

    Raises:
        Refused: it makes no sense, is over, or takes too long to follow.
    """
    try:
        wish.check()
    except Unfit as error:
        raise _unfit(error) from error
    effort = Effort()
    slot = wish.times.next_slot(now, effort)
    if effort.is_over:
        raise _unfit(Unfit("times", TOO_FAR))
    if slot is None:
        what = "it is over already, or its rule names no time"
        raise _unfit(Unfit("times", what))
    return Plan(wish, slot)


def plan_calendar(events: Sequence[Event], now: int) -> list[PlannedEvent]:
    """Return when events are on; to be asked before the turn.

    Raises:
        Refused: a rule takes too long to follow, or all of them together.
    """
    planned = []
    spent = 0
    for event in events:
        effort = Effort()
        wish = event.wish
        slot = wish.times.next_slot(now, effort) if wish else None
        planned.append(PlannedEvent(event, slot))
        spent += effort.spent
        if effort.is_over:
            raise _unfit_rule(event, TOO_FAR)
        if spent > MOST_STEPS_OF_ALL:
            what = "the rules up to it take too long to follow together"
            raise _unfit_rule(event, what)
    return planned


def add_mute(connection: Connection, plan: Plan, now: int) -> Mute:
    """Add a mute; it is on at once when its time has begun."""
    work = _Work(connection, f"person:{plan.wish.author}", now)
    mute = work.add(plan.wish, plan.slot)
    work.write()
    return _get(connection, mute.id)


def end_mute(
    connection: Connection, number: int, who: tuple[str, str], now: int
) -> Mute:
    """End a mute now; it stays in the list.

    With a series of a calendar go the times of it that were moved.

    Args:
        connection: the turn's transaction.
        number: its id.
        who: who ends it, and why.
        now: the present.
    """
    author, comment = who
    try:
        check_line("author", author)
        check_line("comment", comment)
    except Unfit as error:
        raise _unfit(error) from error
    mute = _get(connection, number)
    if mute.slot is None:
        raise Refused(
            409,
            "mute_over",
            f"Mute {number} is over already.",
            field="mute_id",
            remedy="There is nothing to do.",
        )
    work = _Work(connection, f"person:{author}", now)
    for one in (mute, *_find_moved(connection, mute)):
        work.end(one, comment)
    work.write()
    return _get(connection, number)


def take_calendar(
    connection: Connection,
    events: Sequence[PlannedEvent],
    by: tuple[str, int],
) -> list[Outcome]:
    """Add, change and end mutes as a calendar says, all or nothing.

    What a person ended stays ended: a mute must not come back by itself.

    Args:
        connection: the turn's transaction.
        events: what it says, the series before their exceptions.
        by: who imports it, and the present.
    """
    work = _Work(connection, *by)
    said = {(one.event.uid, one.event.instance) for one in events}
    series = {uid for uid, instance in said if not instance}
    known: dict[tuple[str, int], Mute] = {}
    for mute in store.find_events(connection, said):
        place = (mute.wish.uid, mute.wish.instance)
        known.setdefault(place, mute)
        # What the series no longer says otherwise is the series' again.
        is_left = place not in said and mute.wish.uid in series
        if is_left and mute.slot is not None:
            work.withdraw(mute, "the calendar no longer says so")
    outcomes = []
    for one in events:
        uid, instance = one.event.uid, one.event.instance
        old, whole = known.get((uid, instance)), known.get((uid, 0))
        if old is None and whole is not None and whole.ended_at is not None:
            # A person ended the series: no time of it is new.
            old = whole
        outcomes.append(_take(work, one, old))
    work.write()
    return outcomes


class _Work:
    """What one turn does to mutes, written at its end."""

    def __init__(self, connection: Connection, actor: str, now: int) -> None:
        """Take the turn's transaction, who does it, and the present."""
        self.now = now
        self._connection = connection
        self._actor = actor
        self._notes: list[Note] = []
        self._new: list[Mute] = []
        self._old: list[Mute] = []
        self._free = store.first_free(connection)
        self._room = MOST_LIVING - store.count_living(connection)
        self._is_unsettled = False

    def add(self, wish: Wish, slot: Slot) -> Mute:
        """Add a new mute."""
        if len(self._new) >= self._room:
            raise Refused(
                409,
                "too_many_mutes",
                f"There are {MOST_LIVING} mutes that are not over.",
                remedy="End some of them, or let one mute more by its"
                " matchers.",
            )
        number = self._free + len(self._new)
        mute = Mute(id=number, wish=wish, created_at=self.now, slot=slot)
        note = note_about_mute(
            mute, "mute.added", f"person:{wish.author}", "added"
        )
        self._tell(note, differing(None, mute))
        mute = self._advance(mute)
        self._new.append(mute)
        return mute

    def change(self, mute: Mute, wish: Wish, slot: Slot | None) -> Mute:
        """Let a mute be as a calendar says now."""
        self._is_unsettled = True
        before = mute
        mute = rewritten(mute, wish, slot, self.now)
        note = note_about_mute(
            mute, "mute.changed", self._actor, "changed in the calendar"
        )
        self._tell(note, differing(before, mute))
        mute = self._advance(mute)
        self._old.append(mute)
        return mute

    def end(self, mute: Mute, why: str) -> None:
        """End a mute as a person wants it: for good."""
        self._end(mute, mute.ended(self.now), why)

    def withdraw(self, mute: Mute, why: str) -> None:
        """End a mute as its calendar wants it, which may take that back."""
        self._end(mute, mute.withdrawn(), why)

    def _end(self, mute: Mute, ended: Mute, why: str) -> None:
        """Say that a mute ended, and see that incidents follow."""
        said = f"ended by {self._actor}: {why}"
        note = note_about_mute(mute, "mute.ended", self._actor, said)
        differs = differing(mute, mute.ended(self.now))
        self._tell(note, {**differs, "reason": why})
        self._is_unsettled |= mute.is_on
        self._old.append(ended)

    def write(self) -> None:
        """Write all of it down."""
        store.add_all(self._connection, self._new)
        store.save_all(self._connection, self._old)
        append(self._connection, self.now, self._notes)
        if self._is_unsettled:
            unsettle(self._connection)

    def _advance(self, mute: Mute) -> Mute:
        """Bring a mute to the present."""
        step = advance(mute, self.now)
        self._notes += step.notes
        self._is_unsettled |= step.has_begun
        return step.mute

    def _tell(self, note: Note, more: Mapping[str, Any]) -> None:
        """Add what the log will say, with what differs."""
        body = {**note.body, **more}
        self._notes.append(msgspec.structs.replace(note, body=body))


def _take(work: _Work, planned: PlannedEvent, old: Mute | None) -> Outcome:
    """Do what one event says."""
    event, slot = planned.event, planned.slot
    say = partial(Outcome, event.name, event.uid)
    wish = event.wish
    if old is None:
        if wish is None or slot is None:
            return say("over")
        return say("added", work.add(wish, slot).id)
    if wish is None or old.ended_at is not None:
        if old.slot is not None:
            work.withdraw(old, "cancelled in the calendar")
        return say("ended", old.id)
    is_same = msgspec.structs.replace(wish, author=old.wish.author) == old.wish
    # One that is over stays so, unless its calendar had only withdrawn it.
    if is_same and (old.slot is not None or slot is None):
        return say("unchanged", old.id)
    mute = work.change(old, wish, slot)
    return say("changed" if mute.slot else "over", mute.id)


def _find_moved(connection: Connection, mute: Mute) -> list[Mute]:
    """Return the times of a series that were moved and are not over."""
    uid = mute.wish.uid
    if not uid or mute.wish.instance:
        return []
    found = store.find_events(connection, {(uid, 0)})
    return [one for one in found if one.wish.instance and one.slot is not None]


def _get(connection: Connection, number: int) -> Mute:
    """Return a mute, or refuse an id that is not there."""
    mute = store.find(connection, number)
    if mute is None:
        raise no_mute(number)
    return mute


def no_mute(number: int) -> Refused:
    """Return the refusal of an id that is not there."""
    return Refused(
        404,
        "not_found",
        f"There is no mute {number}.",
        field="mute_id",
        remedy="List what there is with GET /api/v1/mutes.",
    )


def _unfit(error: Unfit) -> Refused:
    """Return the refusal of a wish that makes no sense."""
    return Refused(
        422,
        "unfit_mute",
        f"{error.field}: {error}.",
        field=error.field,
        remedy="docs/mutes.md says what a mute may say.",
    )


def _unfit_rule(event: Event, what: str) -> Refused:
    """Return the refusal of the rule of a calendar's event."""
    return Refused(
        422,
        "unfit_calendar",
        f"Event {event.name[:80]!r} ({event.uid[:80]}): RRULE: {what}.",
        field="RRULE",
        remedy="Change the event in the calendar, or leave it out.",
    )
