"""Quiet hours: when people are left alone, on the clock of the wall.

A night belongs to the day that it begins on: fri 22:00-06:00 ends on
Saturday morning. Before and after the clocks change the hours are the same
ones on the wall.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from app.core.clock import to_moment
from app.core.configfile import Section
from app.models.timetable import DAY, Timetable, find_zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TIMES = re.compile(r"(\d\d):(\d\d) *- *(\d\d):(\d\d)")
# Rules begin on this day, a Monday; nothing is sent before it.
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
WHOLE_DAY = 1_440
# Quiet times that follow each other without a gap, at most.
MOST_IN_A_ROW = 30
LONGEST = 8 * DAY


def read_span(text: str) -> tuple[int, int]:
    """Return from which minute to which a span is, or raise ValueError.

    The second is counted on over midnight.
    """
    match = TIMES.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is no time; write '22:00-06:00'")
    hour, minute, to_hour, to_minute = map(int, match.groups())
    begins, ends = 60 * hour + minute, 60 * to_hour + to_minute
    is_time = minute < 60 and to_minute < 60
    if not is_time or begins >= WHOLE_DAY or ends > WHOLE_DAY:
        raise ValueError(f"{text[:40]!r}: a day has 24 hours of 60 minutes")
    if begins == ends:
        raise ValueError(
            f"{text[:40]!r} ends as it begins; a day: 00:00-24:00"
        )
    return begins, ends if ends > begins else ends + WHOLE_DAY


def _is_span(text: str) -> str:
    """Return a text that is a span of a day."""
    read_span(text)
    return text


def _is_zone(text: str) -> str:
    """Return a text that names a time zone."""
    find_zone(text)
    return text


class QuietSettings(Section):
    """When people are left alone, and what reaches them nevertheless.

    Attributes:
        times: from when until when, such as 22:00-06:00.
        weekdays: on which days these begin; none: on every day.
        timezone: on whose wall the clock is.
        urgent_passes: whether what a person must do something about is
            told at once all the same.
    """

    times: tuple[Annotated[str, AfterValidator(_is_span)], ...] = Field(
        min_length=1, max_length=10
    )
    weekdays: tuple[Weekday, ...] = ()
    timezone: Annotated[str, AfterValidator(_is_zone)] = "UTC"
    urgent_passes: bool = True

    @model_validator(mode="after")
    def _ends_some_time(self) -> Self:
        """Refuse a time that has no end."""
        begins = to_moment(FIRST_DAY + timedelta(days=7))
        ends = [quiet_until(self, begins + n * DAY) for n in range(7)]
        if any(end is None for end in ends):
            raise ValueError("it never ends; leave some time to tell people")
        return self


def quiet_until(settings: QuietSettings, moment: int) -> int | None:
    """Return when the quiet time ends that a moment is in.

    The moment itself when it is in none; None when it never ends.
    """
    tables = _timetables(settings.times, settings.weekdays, settings.timezone)
    end = moment
    for _ in range(MOST_IN_A_ROW):
        later = max(_ends_at(table, end) for table in tables)
        if later == end:
            return end
        end = later
        if end - moment > LONGEST:
            break
    return None


def _ends_at(table: Timetable, moment: int) -> int:
    """Return the end of the time that a moment is in, or the moment."""
    slot = table.next_slot(moment)
    if slot is None or slot.begins_at > moment:
        return moment
    return slot.until


@lru_cache(maxsize=256)
def _timetables(
    times: tuple[str, ...], weekdays: tuple[Weekday, ...], timezone: str
) -> tuple[Timetable, ...]:
    """Return one timetable for each span."""
    zone = find_zone(timezone)
    days = ",".join(day[:2].upper() for day in weekdays or WEEKDAYS)
    found = []
    for begins, ends in map(read_span, times):
        first = FIRST_DAY + timedelta(minutes=begins)
        last = FIRST_DAY + timedelta(minutes=ends)
        found.append(
            Timetable(
                starts_at=to_moment(first.replace(tzinfo=zone)),
                ends_at=to_moment(last.replace(tzinfo=zone)),
                rule=f"FREQ=WEEKLY;BYDAY={days}",
                zone=timezone,
            )
        )
    return tuple(found)
