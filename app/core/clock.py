"""Time in one place, so that tests can turn it.

Moments are whole microseconds since 1970 in UTC: exact in both databases
and cheap to compare. The wall clock dates things; waiting and deadlines use
the monotonic clock.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Return the present moment in microseconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> int:
        """Return the present moment in microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()


def to_moment(when: datetime) -> int:
    """Return a datetime as microseconds since 1970; without zone is UTC."""
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - EPOCH) // MICROSECOND


def to_iso(moment: int | None) -> str | None:
    """Return a moment as ISO 8601 text in UTC, for people and APIs.

    None when there is none, or when no calendar has it.
    """
    if moment is None or not FIRST <= moment <= LAST:
        return None
    when = EPOCH + timedelta(microseconds=moment)
    return when.isoformat().replace("+00:00", "Z")


def from_iso(text: str) -> int | None:
    """Return an ISO 8601 text as a moment, None when it is none."""
    try:
        return to_moment(datetime.fromisoformat(text))
    except ValueError:
        return None
