"""Calendars of the policy: named days and hours, such as a freeze.

A night belongs to the day that it begins on: fri from 22:00 to 06:00 ends
on Saturday morning.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.core.clock import EPOCH

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 1_440
CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
SPAN = re.compile(r"(\d{4}-\d{2}-\d{2})(?: *\.\. *(\d{4}-\d{2}-\d{2}))?")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Window(BaseModel):
    """Days and hours of one line of a calendar.

    Attributes:
        first: the first day, or None.
        last: the last day, or None.
        days: days of the week; none: all.
        from_: the minute of the day at which it begins.
        to: the minute at which it ends; before ``from``: on the next day.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True
    )

    first: date | None = None
    last: date | None = None
    days: tuple[Weekday, ...] = ()
    from_: int = Field(0, alias="from", ge=0, lt=DAY)
    to: int = Field(DAY, ge=0, le=DAY)

    @model_validator(mode="before")
    @classmethod
    def _read_dates(cls, written: Any) -> Any:
        """Read one date, or a range of them, written as a text."""
        if isinstance(written, date):
            return {"first": written, "last": written}
        if not isinstance(written, str):
            return written
        match = SPAN.fullmatch(written.strip())
        if match is None:
            raise ValueError("is no date and no range like A..B of dates")
        first = date.fromisoformat(match[1])
        last = date.fromisoformat(match[2] or match[1])
        return {"first": first, "last": last}

    @field_validator("from_", "to", mode="before")
    @classmethod
    def _read_clock(cls, written: Any, _info: ValidationInfo) -> Any:
        """Return a time of day as minutes; YAML itself reads 22:00 so."""
        if not isinstance(written, str):
            return written
        match = CLOCK.fullmatch(written.strip())
        if match is None or int(match[2]) > 59 or int(match[1]) > 24:
            raise ValueError("is no time of day; write '06:00'")
        return int(match[1]) * 60 + int(match[2])

    @model_validator(mode="after")
    def _is_some_time(self) -> "Window":
        """Refuse what is never."""
        if self.first and self.last and self.last < self.first:
            raise ValueError("ends before it begins")
        if self.from_ == self.to:
            raise ValueError("ends as it begins; leave both out for all day")
        return self

    def covers(self, local: datetime) -> bool:
        """Tell whether a time on the clock of the wall lies in it."""
        minute = local.hour * 60 + local.minute
        if self.from_ < self.to:
            return self.from_ <= minute < self.to and self._on(local.date())
        if minute >= self.from_:
            return self._on(local.date())
        return minute < self.to and self._on(local.date() - timedelta(days=1))

    def _on(self, day: date) -> bool:
        """Tell whether it begins on a day."""
        if self.days and WEEKDAYS[day.weekday()] not in self.days:
            return False
        first, last = self.first or day, self.last or day
        return first <= day <= last


def to_local(moment: int, zone: ZoneInfo) -> datetime:
    """Return a moment as the clock of the wall shows it."""
    return (EPOCH + timedelta(microseconds=moment)).astimezone(zone)


def is_in(windows: Sequence[Window], local: datetime) -> bool:
    """Tell whether a calendar has a time."""
    return any(window.covers(local) for window in windows)
