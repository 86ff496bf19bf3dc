"""Calendars at the end of time, and with values of another type."""

import pytest

from app.core.errors import Refused
from app.fold.calendars import read_calendar
from tests.unit.fold.test_calendars import TERMS, TIMES, calendar, event

START = "DTSTART:20261122T010000Z"


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        ("DTSTART", (START, "DURATION:-PT1H")),
        ("DTSTART", (START, "DURATION:PT0S")),
        ("DTSTART", (START, "DURATION:P367D")),
        ("DTSTART", ("DTSTART:00010101T000000Z", "DURATION:PT2H")),
        ("DTSTART", ("DTSTART:22000101T000001Z", "DURATION:PT2H")),
        ("DTEND", (START, "DTEND;VALUE=PERIOD:20261122T010000Z/PT1H")),
        ("DTSTART", (*TIMES, "RDATE:00010101T000000Z")),
        ("DTSTART", ("DTSTART;VALUE=DATE:99991231",)),
        ("DTSTART", ("DTSTART:99991231T230000Z", "DURATION:PT2H")),
        ("DTSTART", (START, "DURATION:P9999999W")),
        (
            "DTSTART",
            ("DTSTART;VALUE=PERIOD:20261122T010000Z/PT1H", "DURATION:PT1H"),
        ),
        ("DTSTART", ("DTSTART;VALUE=TIME:010000", "DURATION:PT1H")),
        ("RECURRENCE-ID", (*TIMES, "RECURRENCE-ID;VALUE=TIME:010000")),
    ],
)
def test_an_odd_time_is_refused_by_name(
    field: str, lines: tuple[str, ...]
) -> None:
    """It is the sender's mistake, never a fault of ours."""
    content = calendar(event(*lines), head=["X-WR-TIMEZONE:Europe/Berlin"])
    with pytest.raises(Refused) as caught:
        read_calendar(content, TERMS)
    assert (caught.value.status, caught.value.field) == (422, field)
