"""Mutes: silences and maintenance windows.

A mute moves through its times one way only: what is over is never on
again, however the clock is set.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from app.core.clock import to_iso
from app.models.alert import Severity
from app.models.matcher import Matcher, read_matchers, write_matchers
from app.models.recurrence import Effort
from app.models.timetable import Slot, Timetable

LONGEST_TEXT = 500
# Values of a label that have nothing in common.
ANY = ("kiwi-07.example.org:9100", "QX", "Größe 5/β", "4711", "_")
# What every alert has, whatever its sender says: a matcher that fits all of
# these values asks for nothing.
ALWAYS_THERE: Mapping[str, tuple[str, ...]] = {
    "alertname": ANY,
    "source": ANY,
    "target": ANY,
    "target_kind": ANY,
    "problem": ANY,
    "severity": tuple(Severity),
}


class MuteKind(StrEnum):
    """Why somebody wants silence."""

    MUTE = "mute"
    MAINTENANCE = "maintenance"


class Unfit(ValueError):
    """A mute that makes no sense, and which part of it is meant."""

    def __init__(self, field: str, what: str) -> None:
        """Take the part and what is wrong with it."""
        self.field = field
        super().__init__(what)


def check_line(field: str, text: str) -> None:
    """Raise Unfit when a text is no line that people can read."""
    if not text.strip() or len(text) > LONGEST_TEXT or not text.isprintable():
        what = f"it must be one line of 1 to {LONGEST_TEXT} characters"
        raise Unfit(field, what)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks to be muted.

    Attributes:
        kind: why.
        matchers: which episodes; all of them must fit.
        times: when.
        author: who asks for it.
        comment: what it is about, for people.
        uid: the id of the calendar's event that says so, or empty.
        instance: which time of that event it replaces, or 0.
    """

    kind: MuteKind = MuteKind.MUTE
    matchers: tuple[Matcher, ...]
    times: Timetable
    author: str
    comment: str
    uid: str = ""
    instance: int = 0

    def check(self) -> None:
        """Raise Unfit when it makes no sense."""
        check_line("author", self.author)
        check_line("comment", self.comment)
        self._check_matchers()
        try:
            self.times.check()
        except ValueError as error:
            raise Unfit("times", str(error)) from error

    def _check_matchers(self) -> None:
        """Raise Unfit when they fit everything, or cannot be kept."""
        if all(asks_nothing(matcher) for matcher in self.matchers):
            raise Unfit(
                "matchers",
                "at least one matcher must neither fit the empty text nor"
                " any value of what every alert has, or it would mute"
                " everything",
            )
        try:
            kept = read_matchers(write_matchers(self.matchers))
        except ValueError as error:
            raise Unfit("matchers", str(error)) from error
        if kept != self.matchers:
            raise Unfit("matchers", "they cannot be written down")


def asks_nothing(matcher: Matcher) -> bool:
    """Tell whether a matcher fits whatever an alert may say."""
    values = ALWAYS_THERE.get(matcher.name, ())
    fits_any = bool(values) and all(map(matcher.fits_value, values))
    return fits_any or matcher.fits_value("")


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """A mute as it is kept.

    Attributes:
        id: its number.
        wish: what was asked for.
        created_at: when.
        ended_at: when somebody ended it early, or None.
        slot: the time that is on or comes next; None when it is over.
        is_on: whether that time has begun.
    """

    id: int
    wish: Wish
    created_at: int
    ended_at: int | None = None
    slot: Slot | None = None
    is_on: bool = False

    @property
    def due_at(self) -> int | None:
        """Return when it begins or ends next, or None."""
        if self.slot is None:
            return None
        return self.slot.until if self.is_on else self.slot.begins_at

    @property
    def label(self) -> str:
        """Return what people call it."""
        wish = self.wish
        return f"{wish.kind} {self.id}: {wish.comment}, by {wish.author}"

    def ended(self, now: int) -> "Mute":
        """Return it as it is when somebody ends it."""
        return msgspec.structs.replace(self.withdrawn(), ended_at=now)

    def withdrawn(self) -> "Mute":
        """Return it as it is when its calendar has it no more.

        Nobody ended it: what the calendar says again is on again.
        """
        return msgspec.structs.replace(self, slot=None, is_on=False)


class Turning(msgspec.Struct, frozen=True):
    """A step of a mute: it began, its time was over, or went by unseen."""

    kind: str
    mute: Mute
    said: str


def follow(
    mute: Mute, now: int, effort: Effort | None = None
) -> Iterator[Turning]:
    """Yield the steps of a mute up to the present; one asks for a time."""
    while mute.slot is not None and mute.due_at is not None:
        if mute.due_at > now:
            return
        slot = mute.slot
        until = to_iso(slot.until)
        if not mute.is_on and slot.until > now:
            mute = msgspec.structs.replace(mute, is_on=True)
            yield Turning("mute.started", mute, f"on until {until}")
            continue
        kind = "mute.ended" if mute.is_on else "mute.missed"
        said = "its time is over" if mute.is_on else f"over at {until} unseen"
        following = mute.wish.times.next_slot(max(now, slot.until), effort)
        mute = msgspec.structs.replace(mute, slot=following, is_on=False)
        if following is not None:
            said += f"; it comes again at {to_iso(following.begins_at)}"
        yield Turning(kind, mute, said)


def rewritten(mute: Mute, wish: Wish, slot: Slot | None, now: int) -> Mute:
    """Return a mute of which a calendar says something else now."""
    goes_on = slot is not None and mute.is_on and slot.begins_at <= now
    return msgspec.structs.replace(mute, wish=wish, slot=slot, is_on=goes_on)
