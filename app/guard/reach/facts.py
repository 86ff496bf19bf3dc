"""What each name of a condition may be at the time when rules are asked.

By then the standing steps of the guard have denied or handed over all that
is not open, not firing, flapping or muted. What ``maintenance`` holds is no
mute: windows on the target that are about other alerts.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from itertools import pairwise
from math import ceil, floor

import msgspec

from app.guard.calendars import WEEKDAYS
from app.models.action import Risk
from app.models.alert import Severity
from app.models.incident import State

Value = str | int | float | bool | None
# Stands for every text that nobody names; no condition can be equal to it.
OTHER = "\x00"
DENIED = "was denied before any rule is asked"


class Words(msgspec.Struct, frozen=True):
    """A text.

    Attributes:
        known: all that it may be; none: anything.
        may_lack: whether it may not be there at all.
    """

    known: tuple[str, ...] = ()
    may_lack: bool = False

    def values(self, constants: Collection[Value]) -> tuple[Value, ...]:
        """Return one value of each kind that the constants make."""
        if self.known:
            return self.known
        lacks = (None,) if self.may_lack else ()
        return (OTHER, *sorted(str(one) for one in constants), *lacks)

    @property
    def says(self) -> str:
        """Return what it may be, for people."""
        return f"is one of {', '.join(self.known)}"


class Number(msgspec.Struct, frozen=True):
    """A number.

    Attributes:
        least: the least one.
        most: the greatest one, or None.
        is_whole: whether there is nothing between two of them.
        besides: one that lies outside, or None.
        written: what it may be, for people, where that needs more words.
    """

    least: int
    most: int | None = None
    is_whole: bool = True
    besides: float | None = None
    written: str = ""

    def values(self, constants: Collection[Value]) -> tuple[Value, ...]:
        """Return each constant, and one value between any two of them."""
        numbers = {one for one in constants if isinstance(one, int | float)}
        edges = {self.least if self.most is None else self.most, self.least}
        tried = {*edges, *self._around(numbers | edges)}
        found = {one for one in tried if self._may_be(one)}
        if self.besides is not None:
            found.add(self.besides)
        return tuple(sorted(found))

    def _around(self, constants: Collection[float]) -> Iterator[float]:
        """Yield the constants, and what lies next to them."""
        if self.is_whole:
            for one in constants:
                yield from (floor(one), ceil(one) - 1, floor(one) + 1)
            return
        marks = sorted(constants)
        yield from marks
        for low, high in pairwise(marks):
            yield (low + high) / 2

    def _may_be(self, value: float) -> bool:
        """Tell whether it may be a value."""
        return self.least <= value and (
            self.most is None or value <= self.most
        )

    @property
    def says(self) -> str:
        """Return what it may be, for people."""
        if self.written:
            return self.written
        besides = "" if self.besides is None else f", or {self.besides}"
        if self.most is None:
            return f"is at least {self.least}{besides}"
        return f"is {self.least} to {self.most}{besides}"


class Settled(msgspec.Struct, frozen=True):
    """What is always the same in a rule.

    Attributes:
        value: what it is.
        says: why, for people.
    """

    value: Value
    says: str

    def values(self, _constants: Collection[Value]) -> tuple[Value, ...]:
        """Return the only value."""
        return (self.value,)


class Flag(msgspec.Struct, frozen=True):
    """What is true or false."""

    says: str = "is true or false"

    def values(self, _constants: Collection[Value]) -> tuple[Value, ...]:
        """Return both values."""
        return (True, False)


Fact = Words | Number | Settled | Flag
COUNT = Number(0)
# Days are compared as their numbers: the order of their texts is the same.
DATE = Number(
    1,
    date.max.toordinal(),
    written="is a day, written as '2026-11-21'",
)
ACTION, RISK = "action.name", "action.risk"
SEVERITY, SOURCE = "alert.severity", "alert.source"
TODAY = "now.date"
LABEL, CALENDAR = "alert.labels.", "now.in_calendar."
FACTS: Mapping[str, Fact] = {
    SOURCE: Words(),
    "alert.name": Words(),
    SEVERITY: Words(tuple(one.value for one in Severity)),
    "alert.problem": Words(),
    "incident.state": Settled(State.OPEN.value, f"what is not open {DENIED}"),
    "incident.firing": Number(
        1, written=f"is at least 1: what does not fire {DENIED}"
    ),
    "incident.is_flapping": Settled(
        value=False, says="what flaps was handed over before any rule is asked"
    ),
    "incident.siblings": COUNT,
    "target.name": Words(),
    "target.environment": Words(),
    "target.team": Words(),
    "target.role": Words(),
    ACTION: Words(),
    RISK: Words(tuple(one.value for one in Risk)),
    "decision.confidence": Number(0, 1, is_whole=False, besides=-1.0),
    "decision.asks": Flag(),
    "decision.why": Words(),
    "decision.proposer": Words(),
    "now.hour": Number(0, 23),
    "now.minute": Number(0, 59),
    "now.weekday": Words(WEEKDAYS),
    TODAY: DATE,
    "maintenance": Words(),
    "recent.fixed": COUNT,
    "recent.not_fixed": COUNT,
    "recent.unknown": COUNT,
    "runs.hour": COUNT,
    "runs.day": COUNT,
    "targets": COUNT,
}


def find_fact(field: str) -> Fact | None:
    """Return what is known of a name, or None."""
    if field.startswith(LABEL):
        return Words(may_lack=True)
    if field.startswith(CALENDAR):
        return Flag()
    return FACTS.get(field)


def read_day(text: str) -> int | None:
    """Return the number of a day that is written as rules see it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day.toordinal() if day.isoformat() == text else None
