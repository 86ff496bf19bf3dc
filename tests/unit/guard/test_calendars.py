"""Calendars of the policy: dates, ranges, weekdays, nights, zones."""

from datetime import UTC, datetime

import pytest

from app.core.clock import to_moment
from app.guard.policy import parse_policy

TEXT = """
zone: Europe/Berlin
calendars:
  day: [2026-12-24]
  range: [2026-12-20..2027-01-02]
  nights: [{days: [fri], from: 22:00, to: "06:00"}]
  weekend: [{days: [sat, sun]}]
  hours: [{from: "09:30", to: "17:00"}]
  once: [{first: 2026-12-24, last: 2026-12-24, from: "20:00", to: "02:00"}]
"""


@pytest.mark.parametrize(
    ("calendar", "when", "is_in"),
    [
        ("day", "2026-12-23T23:00", True),  # midnight in Berlin
        ("day", "2026-12-23T22:59", False),
        ("day", "2026-12-24T23:00", False),
        ("range", "2026-12-20T12:00", True),
        ("range", "2027-01-02T22:59", True),
        ("range", "2027-01-02T23:00", False),
        ("nights", "2026-11-20T20:59", False),  # a Friday
        ("nights", "2026-11-20T21:00", True),
        ("nights", "2026-11-21T04:59", True),
        ("nights", "2026-11-21T05:00", False),
        ("nights", "2026-11-20T04:00", False),
        ("weekend", "2026-11-21T12:00", True),
        ("weekend", "2026-11-20T12:00", False),
        ("hours", "2026-11-20T08:30", True),
        ("hours", "2026-11-20T16:00", False),
        ("hours", "2026-07-20T07:30", True),  # summer
        ("once", "2026-12-25T00:59", True),
        ("once", "2026-12-24T00:30", False),
        ("once", "2026-12-25T20:00", False),
    ],
)
def test_a_calendar_has_its_hours(
    calendar: str, when: str, is_in: bool
) -> None:
    """Days and hours are those on the clock of the wall in the zone."""
    moment = to_moment(datetime.fromisoformat(when).replace(tzinfo=UTC))
    clock = parse_policy(TEXT).clock(moment)
    assert clock["in_calendar"][calendar] is is_in
