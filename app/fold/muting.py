"""What people do with mutes: add one, end one, import a calendar.

Each of these is one turn of the ledger, by the keeper or by a command; the
next turn of folding sees to the incidents.
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from app.core.errors import Refused
from app.fold.mutes import advance, note_about_mute, unsettle
from app.models.entry import Note
from app.models.mute import Mute, Unfit, Wish, check_line, rewritten
from app.store import mutes as store
from app.store.ledger import Connection
from app.store.log import append

# Every mute that is on is held against every episode that is looked at.
MOST_LIVING = 1_000


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


def check_wish(wish: Wish, now: int) -> None:
    """Raise Refused when a wish makes no sense, or is over already."""
    try:
        wish.check()
    except Unfit as error:
        raise _unfit(error) from error
    if wish.times.next_slot(now) is None:
        what = "it is over already, or its rule names no time"
        raise _unfit(Unfit("times", what))


def add_mute(connection: Connection, wish: Wish, now: int) -> Mute:
    """Add a mute; it is on at once when its time has begun."""
    check_wish(wish, now)
    mute, notes = _add(connection, wish, now)
    append(connection, now, notes)
    return _get(connection, mute.id)


def end_mute(
    connection: Connection, number: int, who: tuple[str, str], now: int
) -> Mute:
    """End a mute now; it stays in the list.

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
    notes = [_end(connection, mute, f"person:{author}", comment, now)]
    append(connection, now, notes)
    return _get(connection, number)


def take_calendar(
    connection: Connection, events: Sequence[Event], by: tuple[str, int]
) -> list[Outcome]:
    """Add, change and end mutes as a calendar says, all or nothing.

    What a person ended stays ended: a mute must not come back by itself.

    Args:
        connection: the turn's transaction.
        events: what it says, the series before their exceptions.
        by: who imports it, and the present.
    """
    actor, now = by
    notes: list[Note] = []
    outcomes = []
    take = partial(_take, connection, notes, by)
    for event in events:
        known = store.find_event(connection, event.uid, MOST_LIVING)
        old = [one for one in known if one.wish.instance == event.instance]
        outcomes.append(take(event, old[0] if old else None))
        if event.instance:
            continue
        # What the series no longer says otherwise is the series' again.
        said = {e.instance for e in events if e.uid == event.uid}
        for mute in known:
            if mute.wish.instance not in said and mute.slot is not None:
                why = "the calendar no longer says so"
                notes.append(_end(connection, mute, actor, why, now))
    append(connection, now, notes)
    return outcomes


def _take(
    connection: Connection,
    notes: list[Note],
    by: tuple[str, int],
    event: Event,
    old: Mute | None,
) -> Outcome:
    """Do what one event says; add what the log will say."""
    actor, now = by
    say = partial(Outcome, event.name, event.uid)
    wish = event.wish
    if old is None:
        if wish is None or wish.times.next_slot(now) is None:
            return say("over")
        mute, more = _add(connection, wish, now)
        notes += more
        return say("added", mute.id)
    if wish is None or old.ended_at is not None:
        if old.slot is not None:
            why = "cancelled in the calendar"
            notes.append(_end(connection, old, actor, why, now))
        return say("ended", old.id)
    if msgspec.structs.replace(wish, author=old.wish.author) == old.wish:
        return say("unchanged", old.id)
    mute = rewritten(old, wish, now)
    store.save(connection, mute)
    unsettle(connection)
    what = "changed in the calendar"
    notes.append(note_about_mute(mute, "mute.changed", actor, what))
    notes += advance(connection, mute, now)
    return say("changed" if mute.slot else "over", mute.id)


def _add(
    connection: Connection, wish: Wish, now: int
) -> tuple[Mute, list[Note]]:
    """Write a new mute; return it with what the log will say."""
    if store.count_living(connection) >= MOST_LIVING:
        raise Refused(
            409,
            "too_many_mutes",
            f"There are {MOST_LIVING} mutes that are not over.",
            remedy="End some of them, or let one mute more by its matchers.",
        )
    mute = store.add(connection, wish, now)
    actor = f"person:{wish.author}"
    added = note_about_mute(mute, "mute.added", actor, "added")
    return mute, [added, *advance(connection, mute, now)]


def _end(
    connection: Connection, mute: Mute, actor: str, why: str, now: int
) -> Note:
    """End a mute; return what the log will say."""
    said = f"ended by {actor}: {why}"
    note = note_about_mute(mute, "mute.ended", actor, said)
    store.save(connection, mute.ended(now))
    if mute.is_on:
        unsettle(connection)
    return note


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
