"""The rules of iCalendar by which something comes again (RRULE).

Days are tried one after the other, period by period, up to a horizon: a
rule that names no day at all, such as 30 February, ends there. Hours may be
listed; minutes and seconds are those of the first time.
"""

import calendar
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

LONGEST = 500
UNIT_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
# Two times may lie so far apart.
MOST_DAYS = 3_660
HORIZON = timedelta(days=30 * 366)
# So many days and times of a rule are looked at to find the next one: some
# hundredths of a second. A rule that begins today stays within it for ever.
MOST_STEPS = 25_000
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEKDAY = re.compile(rf"([+-]?\d{{1,2}})?({'|'.join(WEEKDAYS)})")
NUMBER = re.compile(r"[+-]?\d{1,4}")
UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?")
# The bounds of each number or list of numbers.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "INTERVAL": (1, MOST_DAYS),
    "COUNT": (1, 9_999),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYSETPOS": (-366, 366),
    "BYHOUR": (0, 23),
}
KNOWN = ("FREQ", "UNTIL", "WKST", "BYDAY", *BOUNDS)
Numbers = frozenset[int]


class TooFar(Exception):
    """A rule takes more steps than it may."""


class Effort(msgspec.Struct):
    """What it took to find a time.

    Attributes:
        spent: steps, each a day or a time that was looked at.
        is_over: whether it was given up.
    """

    spent: int = 0
    is_over: bool = False

    def spend(self, steps: int) -> None:
        """Count some steps, or raise TooFar."""
        self.spent += steps
        if self.spent > MOST_STEPS:
            self.is_over = True
            raise TooFar


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was read; an empty list does not restrict it.

    Attributes:
        unit: DAILY, WEEKLY, MONTHLY or YEARLY.
        interval: every so many of these.
        count: it ends after so many times, or None.
        until: it ends here, as it was written, or empty.
        week_start: the first day of a week, 0 is Monday.
        days: days of the week, each with its number in the month or the
            year, or 0 for every one.
        months: months.
        month_days: days of the month, negative ones from its end.
        year_days: days of the year, negative ones from its end.
        hours: hours.
        places: which of the times of a period, negative from the end.
    """

    unit: str
    interval: int = 1
    count: int | None = None
    until: str = ""
    week_start: int = 0
    days: frozenset[tuple[int, int]] = frozenset()
    months: Numbers = frozenset()
    month_days: Numbers = frozenset()
    year_days: Numbers = frozenset()
    hours: Numbers = frozenset()
    places: Numbers = frozenset()

    def last(self, zone: ZoneInfo) -> datetime | None:
        """Return the last possible beginning, local, or None."""
        return _read_until(self.until, zone) if self.until else None

    def starts(
        self,
        first: datetime,
        since: datetime,
        last: datetime | None,
        effort: Effort,
    ) -> Iterator[datetime]:
        """Yield the beginnings in order, in local time.

        What the rule leaves to the first time must have been completed.

        Args:
            first: the beginning of the first time.
            since: earlier ones are left out.
            last: there are none after this.
            effort: counts the steps.

        Raises:
            TooFar: there were too many of them.
        """
        end = max(first, since) + HORIZON
        end = min(end, last) if last else end
        left = self.count
        for days in self._periods(first.date(), since.date(), end.date()):
            for start in self._times(days, first.time(), effort):
                if start < first:
                    continue
                if start > end or left == 0:
                    return
                left = None if left is None else left - 1
                if start >= since:
                    yield start

    def completed(self, first: datetime) -> "Recurrence":
        """Return it with what it leaves to the first time."""
        if self.days or self.month_days or self.year_days:
            return self
        more: dict[str, Numbers | frozenset[tuple[int, int]]] = {}
        if self.unit == "WEEKLY":
            more["days"] = frozenset({(0, first.weekday())})
        elif self.unit in ("MONTHLY", "YEARLY"):
            more["month_days"] = frozenset({first.day})
        if self.unit == "YEARLY" and not self.months:
            more["months"] = frozenset({first.month})
        return msgspec.structs.replace(self, **more)

    def _periods(
        self, first: date, since: date, end: date
    ) -> Iterator[list[date]]:
        """Yield the days of each period; one that counts starts at first."""
        if self.unit == "WEEKLY":
            back = (first.weekday() - self.week_start) % 7
            first -= timedelta(days=back)
        skipped = 0
        if self.count is None and since > first:
            longest = {"MONTHLY": 31, "YEARLY": 366}
            days = longest.get(self.unit, UNIT_DAYS[self.unit])
            passed = (since - first).days // (days * self.interval)
            skipped = max(passed - 1, 0) * self.interval
        if self.unit == "DAILY":
            numbers = range(skipped, (end - first).days + 1, self.interval)
            day = first.toordinal()
            yield from ([date.fromordinal(day + n)] for n in numbers)
            return
        while True:
            begin, length = _period(self.unit, first, skipped)
            if begin > end:
                return
            number = begin.toordinal()
            yield [date.fromordinal(number + day) for day in range(length)]
            skipped += self.interval

    def _times(
        self, days: list[date], at: time, effort: Effort
    ) -> list[datetime]:
        """Return the beginnings of one period, in order."""
        fitting = [day for day in days if self._fits(day)]
        many = max(len(self.hours), 1) * len(fitting)
        effort.spend(len(days) + many)
        if not many:
            return []
        hours = [at.replace(hour=n) for n in sorted(self.hours) or [at.hour]]
        times = [
            datetime.combine(day, hour) for day in fitting for hour in hours
        ]
        if not self.places:
            return times
        found = {
            times[place - 1 if place > 0 else place]
            for place in self.places
            if abs(place) <= len(times)
        }
        return sorted(found)

    def _fits(self, day: date) -> bool:
        """Tell whether the rule names a day."""
        if self.months and day.month not in self.months:
            return False
        if self.month_days and not _is_in(*_in_month(day), self.month_days):
            return False
        if self.year_days and not _is_in(*_in_year(day), self.year_days):
            return False
        if not self.days or (0, day.weekday()) in self.days:
            return True
        return self.unit in ("MONTHLY", "YEARLY") and self._is_nth(day)

    def _is_nth(self, day: date) -> bool:
        """Tell whether a day is the n-th of its kind, from either end."""
        is_of_month = self.unit == "MONTHLY" or self.months
        number, length = _in_month(day) if is_of_month else _in_year(day)
        ahead = (number - 1) // 7 + 1
        behind = -((length - number) // 7 + 1)
        weekday = day.weekday()
        return not self.days.isdisjoint({(ahead, weekday), (behind, weekday)})


@lru_cache(maxsize=1_024)
def read_rule(text: str) -> Recurrence:
    """Return a rule out of its text.

    Raises:
        ValueError: it is none, or has a part that is not supported.
    """
    parts = _split(text)
    unit = parts.get("FREQ", "")
    if unit not in UNIT_DAYS:
        raise ValueError(f"FREQ must be one of {', '.join(UNIT_DAYS)}")
    interval = min(_numbers(parts, "INTERVAL", single=True), default=1)
    if UNIT_DAYS[unit] * interval > MOST_DAYS:
        raise ValueError("INTERVAL is more than ten years")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL exclude each other")
    if "UNTIL" in parts:
        _read_until(parts["UNTIL"], ZoneInfo("UTC"))
    week_start = parts.get("WKST", "MO")
    if week_start not in WEEKDAYS:
        raise ValueError(f"WKST takes MO to SU, not {week_start[:20]!r}")
    return Recurrence(
        unit=unit,
        interval=interval,
        count=min(_numbers(parts, "COUNT", single=True), default=None),
        until=parts.get("UNTIL", ""),
        week_start=WEEKDAYS.index(week_start),
        days=_days(parts, counts=unit in ("MONTHLY", "YEARLY")),
        months=_numbers(parts, "BYMONTH"),
        month_days=_numbers(parts, "BYMONTHDAY"),
        year_days=_numbers(parts, "BYYEARDAY"),
        hours=_numbers(parts, "BYHOUR"),
        places=_numbers(parts, "BYSETPOS"),
    )


def _split(text: str) -> dict[str, str]:
    """Return the parts of a rule by their names."""
    if len(text) > LONGEST:
        raise ValueError(f"a rule has at most {LONGEST} characters")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").strip(";").split(";"):
        name, _, value = part.partition("=")
        if name not in KNOWN or not value or name in parts:
            raise ValueError(
                f"{part[:40]!r} is not understood; there are"
                f" {', '.join(KNOWN)}, each once"
            )
        parts[name] = value
    return parts


def _numbers(
    parts: Mapping[str, str], name: str, *, single: bool = False
) -> Numbers:
    """Return the numbers of a part, none when it is not there."""
    found = set()
    low, high = BOUNDS[name]
    texts = parts[name].split(",") if name in parts else []
    for text in texts:
        number = int(text) if NUMBER.fullmatch(text) else None
        is_zero = low < 0 and number == 0
        if number is None or not low <= number <= high or is_zero:
            raise ValueError(
                f"{name} takes {low} to {high}, not {text[:20]!r}"
            )
        found.add(number)
    if single and len(texts) > 1:
        raise ValueError(f"{name} takes one number")
    return frozenset(found)


def _days(
    parts: Mapping[str, str], *, counts: bool
) -> frozenset[tuple[int, int]]:
    """Return the days of the week that a rule names, with their numbers."""
    found = set()
    for text in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        form = WEEKDAY.fullmatch(text)
        number = int(form[1] or 0) if form else 0
        is_wrong = form is None or (form[1] and number == 0)
        if form is None or is_wrong or abs(number) > 53:
            raise ValueError(f"BYDAY takes MO to SU, not {text[:20]!r}")
        if number and not counts:
            raise ValueError(f"BYDAY={text} is for a month or a year only")
        found.add((number, WEEKDAYS.index(form[2])))
    return frozenset(found)


def _read_until(text: str, zone: ZoneInfo) -> datetime:
    """Return the end of a rule in local time; a bare day is meant whole."""
    form = UNTIL.fullmatch(text)
    try:
        digits = form[1] + (form[2] or "235959") if form else ""
        when = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        message = f"UNTIL is no date: {text[:20]!r}; write 20271231T230000Z"
        raise ValueError(message) from error
    if form and form[3]:
        # At either end of the calendar the hours make no difference.
        with suppress(OverflowError):
            when = when.astimezone(zone)
    return when.replace(tzinfo=None)


def _period(unit: str, first: date, number: int) -> tuple[date, int]:
    """Return the first day and the length of the n-th week, month or year."""
    if unit == "WEEKLY":
        return first + timedelta(days=7 * number), 7
    if unit == "YEARLY":
        year = first.year + number
        return date(year, 1, 1), 366 if calendar.isleap(year) else 365
    years, month = divmod(first.month - 1 + number, 12)
    year = first.year + years
    length = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, 1), length


def _in_month(day: date) -> tuple[int, int]:
    """Return the number of a day in its month, and how many that has."""
    return day.day, calendar.monthrange(day.year, day.month)[1]


def _in_year(day: date) -> tuple[int, int]:
    """Return the number of a day in its year, and how many that has."""
    before = date(day.year, 1, 1).toordinal() - 1
    length = 366 if calendar.isleap(day.year) else 365
    return day.toordinal() - before, length


def _is_in(number: int, length: int, wanted: Numbers) -> bool:
    """Tell whether a day is wanted, counted from either end."""
    return number in wanted or number - length - 1 in wanted
