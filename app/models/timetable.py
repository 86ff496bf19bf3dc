"""When a mute is on: once, or again and again by a rule of iCalendar.

Times that come again are local: a window from 02:00 to 04:00 has these
hours before and after the clocks change. Both ends are times on the clock
of the wall; only a window that the change would swallow whole keeps its
length instead. A time that the change leaves out is the moment as many
minutes after it; of one that comes twice, the first is meant.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from app.core.clock import EPOCH, to_moment
from app.models.recurrence import Effort, TooFar, read_rule

DAY = 86_400_000_000
LONGEST = 366 * DAY
LAST_START = to_moment(datetime(2200, 1, 1, tzinfo=UTC))
MOST_DATES = 500
# What it takes to find a moment on the wall, next to looking at a day.
SLOT_STEPS = 8


class Slot(msgspec.Struct, frozen=True):
    """One stretch of time during which a mute is on."""

    begins_at: int
    until: int


class Timetable(msgspec.Struct, frozen=True, kw_only=True):
    """When a mute is on.

    Attributes:
        starts_at: the beginning of its first time.
        ends_at: the end of its first time.
        rule: an RRULE by which it comes again, or empty.
        zone: the time zone in which it comes again.
        except_at: beginnings that the rule names but that do not count.
        also_at: beginnings that the rule does not name.
    """

    starts_at: int
    ends_at: int
    rule: str = ""
    zone: str = "UTC"
    except_at: tuple[int, ...] = ()
    also_at: tuple[int, ...] = ()

    def check(self) -> None:
        """Raise ValueError when it makes no sense."""
        if not 0 <= self.starts_at <= LAST_START:
            raise ValueError("it must begin between 1970 and 2200")
        if not self.starts_at < self.ends_at <= self.starts_at + LONGEST:
            raise ValueError(
                "it must end after its beginning, at most 366 days later"
            )
        if max(len(self.except_at), len(self.also_at)) > MOST_DATES:
            raise ValueError(f"it names more than {MOST_DATES} dates")
        if any(not 0 <= at <= LAST_START for at in self.also_at):
            raise ValueError("its dates must be between 1970 and 2200")
        find_zone(self.zone)
        if self.rule:
            read_rule(self.rule)

    def next_slot(self, now: int, effort: Effort | None = None) -> Slot | None:
        """Return the first time that is not over, or None.

        A rule that takes too many steps has no more times.

        Args:
            now: the present.
            effort: says afterwards what it took; a new one for each call.
        """
        effort = effort or Effort()
        once = [] if self.rule else [Slot(self.starts_at, self.ends_at)]
        dates = self._slots_by_date(now)
        left = []
        with suppress(TooFar):
            for slots in (once, dates, self._slots_by_rule(now, effort)):
                left += self._first(slots, now, effort)
        return min(left, key=lambda slot: slot.begins_at, default=None)

    def _first(
        self, slots: Iterable[Slot], now: int, effort: Effort
    ) -> list[Slot]:
        """Return the first time that is not over and no exception."""
        exceptions = frozenset(self.except_at)
        for slot in slots:
            effort.spend(SLOT_STEPS)
            if slot.until > now and slot.begins_at not in exceptions:
                return [slot]
        return []

    def _slots_by_date(self, now: int) -> Iterator[Slot]:
        """Yield the times that begin at dates, in order, from about now."""
        # No change of the clocks makes a time longer than by a day.
        since = now - (self.ends_at - self.starts_at) - DAY
        for at in sorted(self.also_at):
            if at > since:
                yield self._slot(at)

    def _slots_by_rule(self, now: int, effort: Effort) -> Iterator[Slot]:
        """Yield the times that the rule names, in order, from about now."""
        if not self.rule:
            return
        zone = find_zone(self.zone)
        first = _to_local(self.starts_at, zone)
        recurrence = read_rule(self.rule).completed(first)
        longest = timedelta(microseconds=self.ends_at - self.starts_at)
        since = _to_local(now, zone) - longest - timedelta(days=1)
        last = recurrence.last(zone)
        for start in recurrence.starts(first, since, last, effort):
            yield self._slot_on_the_wall(start, zone)

    def _slot(self, begins_at: int) -> Slot:
        """Return the time that begins at a moment."""
        zone = find_zone(self.zone)
        slot = self._slot_on_the_wall(_to_local(begins_at, zone), zone)
        return Slot(begins_at, slot.until)

    def _slot_on_the_wall(self, start: datetime, zone: ZoneInfo) -> Slot:
        """Return the time that begins at a time on the clock of the wall."""
        begins_at = to_moment(start.replace(tzinfo=zone))
        shown = _to_local(self.ends_at, zone)
        length = shown - _to_local(self.starts_at, zone)
        until = to_moment((start + length).replace(tzinfo=zone))
        if until > begins_at:
            return Slot(begins_at, until)
        return Slot(begins_at, begins_at + self.ends_at - self.starts_at)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(available_timezones())


def find_zone(name: str) -> ZoneInfo:
    """Return a time zone, or raise ValueError."""
    if name not in _zones():
        raise ValueError(
            f"there is no time zone {name[:80]!r}; write one like"
            " Europe/Berlin"
        )
    return ZoneInfo(name)


def _to_local(moment: int, zone: ZoneInfo) -> datetime:
    """Return a moment as the wall shows it in a zone."""
    when = EPOCH + timedelta(microseconds=moment)
    return when.astimezone(zone).replace(tzinfo=None)
