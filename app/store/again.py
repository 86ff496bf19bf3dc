"""Again: what was told as over, and fires once more as if it never had ended.

An Alertmanager that hears nothing of its Prometheus for some minutes says
that all is over. When it hears of it again, the same alerts fire, with the
very moment at which they began at first: the notification is the same to
the last byte. It is no repeat: it came after the end.

Its next life is told by a number behind its occurrence, and begins when we
heard of it; so does the end of that life belong to it, and not to the first.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from app.models.alert import Status
from app.store.plan import Identity, Item, Seen, Wanted, identify

# A notification may be late: another Alertmanager of a set, or one that was
# tried for long. Within this time after the end it is of what was before.
LATE = 120_000_000
# Each is a look-up. Whoever came back more often is a repeat from then on,
# until retention has taken its first life.
MOST_LIVES = 100
OTHER = {
    Status.FIRING.value: Status.RESOLVED.value,
    Status.RESOLVED.value: Status.FIRING.value,
}
Found = dict[Identity, Seen]


class Told(msgspec.Struct, frozen=True):
    """When a stored alert came first and last, and when it says it ended."""

    received_at: int
    last_seen_at: int
    ends_at: int | None


class Search(msgspec.Struct):
    """An alert of a batch whose life is looked for.

    Attributes:
        item: the delivery that brought it.
        index: its place in there.
        wanted: as it came.
        began: when the life before the one that is looked at began.
        before: when that life was told of as this alert tells it.
    """

    item: Item
    index: int
    wanted: Wanted
    began: Told | None = None
    before: Told | None = None


class Finder(Protocol):
    """What is asked of the database."""

    def find_alerts(self, wanted: Collection[Identity]) -> Found:
        """Return the stored alerts of these identities."""

    def find_times(self, ids: Collection[int]) -> dict[int, Told]:
        """Return when alerts came, and when they say that they ended."""


def tell_lives(desk: Finder, batch: Sequence[Item], known: Found) -> None:
    """Let alerts of a batch speak of the life that they are about.

    Args:
        desk: the database.
        batch: what came; alerts of it are replaced.
        known: the stored alerts by identity; learns of further lives.
    """
    doubtful = [
        (item, index)
        for item in batch
        for index, wanted in enumerate(item.alerts)
        if wanted.alert.recurs and wanted.identity in known
    ]
    if not doubtful:
        return
    others = {_named(item.alerts[i], 0, other=True) for item, i in doubtful}
    over = desk.find_alerts(others)
    searches = [
        Search(item, index, item.alerts[index])
        for item, index in doubtful
        if _named(item.alerts[index], 0, other=True) in over
    ]
    for life in range(MOST_LIVES):
        if not searches:
            return
        searches = _look(desk, searches, life, known)


def _look(
    desk: Finder, searches: Sequence[Search], life: int, known: Found
) -> list[Search]:
    """Look at one life of each; return those that speak of a later one."""
    names = [
        (_named(one.wanted, life), _named(one.wanted, life, other=True))
        for one in searches
    ]
    found = desk.find_alerts({name for pair in names for name in pair})
    known |= found
    times = desk.find_times({seen.id for seen in found.values()})
    told = {name: times[seen.id] for name, seen in found.items()}
    left = []
    for one, (mine, its) in zip(searches, names, strict=True):
        this, that = told.get(mine), told.get(its)
        its_life = _choose(one, life, this, that)
        if its_life is None:
            one.began, one.before = that, this
            left.append(one)
        else:
            began = that if its_life == life else one.began
            said = _of_life(one.wanted, its_life, began)
            one.item.alerts[one.index] = said
    return left


def _choose(
    search: Search, life: int, this: Told | None, that: Told | None
) -> int | None:
    """Return the life that an alert speaks of, None for a later one.

    Args:
        search: the alert.
        life: the life that is looked at.
        this: when the same was told of it, if it was.
        that: when the opposite was told of it, if it was.
    """
    if search.wanted.status == Status.FIRING.value:
        moment = search.item.filing.delivery.received_at
        is_it = this is None or that is None
        return life if is_it or _is_late(moment, that) else None
    if that is None:
        # No later life has begun: it is the end of the one before.
        return life - 1
    if this is not None:
        return None
    return life - _is_repeat(search, life - 1)


def _is_repeat(search: Search, life: int) -> bool:
    """Tell whether an end is that of the life before the one that goes on.

    Both say when that was; an end that does not is one of what goes on.
    """
    if search.before is None:
        return False
    end = _end_of(search.wanted, life, search.began)
    return end is not None and end == search.before.ends_at


def _is_late(moment: int, over: Told | None) -> bool:
    """Tell whether what comes now may have been sent before the end."""
    return over is not None and moment - over.last_seen_at <= LATE


def _of_life(wanted: Wanted, life: int, began: Told | None) -> Wanted:
    """Return an alert that tells of one of its lives."""
    if life <= 0:
        return wanted
    alert = msgspec.structs.replace(
        wanted.alert,
        occurrence=_occurrence(wanted, life),
        starts_at=None,
        ends_at=_end_of(wanted, life, began),
    )
    same = _named(wanted, life)
    return Wanted(alert, wanted.status, same, wanted.thread)


def _end_of(wanted: Wanted, life: int, began: Told | None) -> int | None:
    """Return when one of the lives of an alert ended, if it says so."""
    ends_at = wanted.alert.ends_at
    if ends_at is None or began is None or life <= 0:
        return ends_at
    # Of two clocks: no life ends before it begins.
    return max(ends_at, began.received_at)


def _occurrence(wanted: Wanted, life: int) -> str:
    """Return the occurrence of one of the lives of an alert."""
    first = wanted.alert.occurrence or ""
    return f"{first}/{life}" if life else first


def _named(wanted: Wanted, life: int, *, other: bool = False) -> Identity:
    """Return the identity of an alert in one life, or of its other status."""
    status = OTHER[wanted.status] if other else wanted.status
    return identify(*wanted.thread, _occurrence(wanted, life), status)
