"""Moments are exact and leave as ISO 8601."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.core.clock import SystemClock, to_iso, to_moment


def test_a_moment_is_exact_to_the_microsecond() -> None:
    """Nothing is lost on the way to a moment and back."""
    when = datetime(2026, 11, 21, 2, 14, 2, 418_001, tzinfo=UTC)
    assert to_iso(to_moment(when)) == "2026-11-21T02:14:02.418001Z"


def test_zones_are_counted_and_none_is_utc() -> None:
    """The same instant is the same moment, wherever it was written."""
    there = timezone(timedelta(hours=2))
    plain = datetime(2026, 11, 21, 0, 0)  # noqa: DTZ001 (the case)
    east = datetime(2026, 11, 21, 2, 0, tzinfo=there)
    assert to_moment(plain) == to_moment(east)


def test_no_moment_is_no_text() -> None:
    """What did not happen has no time."""
    assert to_iso(None) is None


@pytest.mark.parametrize("moment", [2**62, -(2**62)])
def test_what_no_calendar_has_is_not_shown(moment: int) -> None:
    """A sender's nonsense does not break the list it stands in."""
    assert to_iso(moment) is None


def test_the_clock_of_the_machine_moves_on() -> None:
    """Both hands of it go forwards."""
    clock = SystemClock()
    wall, steady = clock.now(), clock.monotonic()
    assert clock.now() >= wall
    assert clock.monotonic() >= steady
