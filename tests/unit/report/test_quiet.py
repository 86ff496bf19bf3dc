"""Quiet hours: on the clock of the wall, over midnight and its changes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.clock import to_moment
from app.report.quiet import QuietSettings, quiet_until

BERLIN = "Europe/Berlin"
NIGHT = QuietSettings(times=("22:00-06:00",), timezone=BERLIN)


def berlin(text: str) -> int:
    """Return the moment of a time in Berlin."""
    return to_moment(
        datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN))
    )


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-20T21:59", "2026-11-20T21:59"),
        ("2026-11-20T22:00", "2026-11-21T06:00"),
        ("2026-11-21T02:30", "2026-11-21T06:00"),
        ("2026-11-21T05:59", "2026-11-21T06:00"),
        ("2026-11-21T06:00", "2026-11-21T06:00"),
        # The clocks go forward, and back: six is six.
        ("2026-03-28T23:00", "2026-03-29T06:00"),
        ("2026-03-29T03:30", "2026-03-29T06:00"),
        ("2026-10-24T23:00", "2026-10-25T06:00"),
        ("2026-10-25T04:00", "2026-10-25T06:00"),
    ],
)
def test_a_night_ends_in_the_morning(at: str, until: str) -> None:
    """From ten to six, also in the nights when the clocks change."""
    assert quiet_until(NIGHT, berlin(at)) == berlin(until)


def test_a_night_is_shorter_or_longer_when_the_clocks_change() -> None:
    """The hours are those of the wall, not eight of a stop watch."""
    spring = berlin("2026-03-28T22:00")
    autumn = berlin("2026-10-24T22:00")
    hour = 3_600_000_000
    assert quiet_until(NIGHT, spring) == spring + 7 * hour
    assert quiet_until(NIGHT, autumn) == autumn + 9 * hour


def test_a_night_belongs_to_the_day_that_it_begins_on() -> None:
    """On Friday means until Saturday morning."""
    friday = QuietSettings(
        times=("22:00-06:00",), weekdays=("fri",), timezone=BERLIN
    )
    saturday = berlin("2026-11-21T03:00")
    assert quiet_until(friday, saturday) == berlin("2026-11-21T06:00")
    sunday = berlin("2026-11-22T03:00")
    assert quiet_until(friday, sunday) == sunday


def test_what_follows_without_a_gap_is_one_quiet_time() -> None:
    """A weekend of whole days ends on Monday."""
    weekend = QuietSettings(
        times=("00:00-24:00",), weekdays=("sat", "sun"), timezone=BERLIN
    )
    at = berlin("2026-11-21T10:00")
    assert quiet_until(weekend, at) == berlin("2026-11-23T00:00")


@given(
    minutes=st.integers(0, 2 * 366 * 1_440),
    begins=st.integers(0, 1_439),
    length=st.integers(1, 1_380),
)
def test_it_is_quiet_exactly_when_the_wall_says_so(
    minutes: int, begins: int, length: int
) -> None:
    """A moment is put off just when its clock lies in the span."""
    ends = (begins + length) % 1_440
    text = f"{begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}"
    settings = QuietSettings(times=(text,), timezone="UTC")
    first = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))
    when = first + timedelta(minutes=minutes)
    until = quiet_until(settings, to_moment(when))
    assert until is not None
    minute = when.hour * 60 + when.minute
    assert (until > to_moment(when)) is ((minute - begins) % 1_440 < length)
    end = until // 60_000_000 % 1_440
    assert until == to_moment(when) or end == ends


@pytest.mark.parametrize(
    "wrong",
    [
        {"times": ()},
        {"times": ("22-06",)},
        {"times": ("22:00-22:00",)},
        {"times": ("25:00-26:00",)},
        {"times": ("22:61-23:00",)},
        {"times": ("22:00-06:00",), "weekdays": ("friday",)},
        {"times": ("22:00-06:00",), "timezone": "Mars/North"},
        {"times": ("00:00-24:00",)},
        {"times": ("00:00-12:00", "12:00-24:00")},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    """Also a quiet time that never ends: nobody would ever be told."""
    with pytest.raises(ValidationError):
        QuietSettings.model_validate(wrong)
