"""Rules by which something comes again, day by day, written out."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from app.core.clock import to_moment
from app.models.recurrence import Effort, read_rule
from app.models.timetable import MOST_DATES, Slot, Timetable

UTC = ZoneInfo("UTC")
HOUR = 3_600_000_000
DAY = 24 * HOUR
NOON = to_moment(datetime(2026, 11, 21, 12, tzinfo=UTC))

# A rule, its first time and the times that it names, as days and hours.
NAMED = [
    ("FREQ=DAILY;COUNT=3", "1997-09-02T09", "0902 0903 0904"),
    ("FREQ=DAILY;INTERVAL=10;COUNT=3", "1997-09-22T09", "0922 1002 1012"),
    ("FREQ=DAILY;UNTIL=19970904", "1997-09-02T09", "0902 0903 0904"),
    ("FREQ=DAILY;UNTIL=19970904T090000", "1997-09-02T09", "0902 0903 0904"),
    ("FREQ=DAILY;UNTIL=19970904T085959", "1997-09-02T09", "0902 0903"),
    ("FREQ=DAILY;BYMONTH=1;COUNT=3", "1997-12-30T09", "0101 0102 0103"),
    ("FREQ=DAILY;BYDAY=SA,SU;COUNT=3", "1997-09-02T09", "0906 0907 0913"),
    ("FREQ=WEEKLY;COUNT=3", "1997-09-02T09", "0902 0909 0916"),
    ("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", "1997-09-02T09", "0902 0904 0909"),
    # The week's first day matters when weeks are left out.
    (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        *("1997-08-05T09", "0805 0810 0819 0824"),
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        *("1997-08-05T09", "0805 0817 0819 0831"),
    ),
    # What lies before the first time in its own week does not count.
    ("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3", "1997-09-03T09", "0905 0908 0912"),
    # Months without that day are left out.
    ("FREQ=MONTHLY;COUNT=3", "1997-10-31T09", "1031 1231 0131"),
    ("FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "1997-09-05T09", "0905 1003 1107 1205"),
    (
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        *("1997-09-22T09", "0922 1020 1117 1222 0119 0216"),
    ),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=5MO", "1997-09-01T09", "0929 1229 0330"),
    (
        "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6",
        *("1997-09-28T09", "0928 1029 1128 1229 0129 0226"),
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=1,-1;COUNT=6",
        *("1997-09-30T09", "0930 1001 1031 1101 1130 1201"),
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        *("2007-01-15T09", "0115 0130 0215 0315 0330"),
    ),
    # Both must fit; the first time, which does not, is none.
    (
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=4",
        *("1997-09-02T09", "0213 0313 1113 0813"),
    ),
    (
        "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3;COUNT=3",
        *("1997-09-04T09", "0904 1007 1106"),
    ),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=4",
        *("1997-09-29T09", "0929 1030 1127 1230"),
    ),
    # A month with fewer of them has no fifth.
    (
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=5;COUNT=2",
        *("1997-09-01T09", "0929 1229"),
    ),
    # A place that is named from both ends is one time.
    (
        "FREQ=MONTHLY;BYMONTHDAY=1,2;BYSETPOS=1,-2;COUNT=2",
        *("1997-09-01T09", "0901 1001"),
    ),
    ("FREQ=YEARLY;COUNT=2", "1996-02-29T09", "0229 0229"),
    (
        "FREQ=YEARLY;BYMONTH=6,7;COUNT=4",
        *("1997-06-10T09", "0610 0710 0610 0710"),
    ),
    (
        "FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200;COUNT=7",
        *("1997-01-01T09", "0101 0410 0719 0101 0409 0718 0101"),
    ),
    ("FREQ=YEARLY;BYYEARDAY=-1;COUNT=2", "1997-01-01T09", "1231 1231"),
    ("FREQ=YEARLY;BYYEARDAY=366;COUNT=2", "1997-01-01T09", "1231 1231"),
    ("FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19T09", "0519 0518 0517"),
    ("FREQ=YEARLY;BYDAY=-1SU;COUNT=2", "1997-01-01T09", "1228 1227"),
    (
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=4",
        *("1997-03-13T09", "0313 0320 0327 0305"),
    ),
    # With a month, the number of a weekday is that in the month.
    (
        "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;COUNT=3",
        *("1997-10-26T09", "1026 1025 1031"),
    ),
    (
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=1TU;BYMONTHDAY=2,7,5;COUNT=3",
        *("1996-11-05T09", "1105 1107 1102"),
    ),
]


def starts(rule: str, first: datetime, since: datetime) -> list[datetime]:
    """Return the times that a rule names, at most nine of them."""
    recurrence = read_rule(rule).completed(first)
    found = recurrence.starts(first, since, recurrence.last(UTC), Effort())
    return [start for start, _ in zip(found, range(9), strict=False)]


@pytest.mark.parametrize(("rule", "first", "expected"), NAMED)
def test_a_rule_names_these_days(rule: str, first: str, expected: str) -> None:
    """As the standard's own examples and the calendar on the wall say."""
    begin = datetime.fromisoformat(f"{first}:00:00")
    found = starts(rule, begin, begin)
    assert [f"{start:%m%d}" for start in found] == expected.split()
    assert {start.hour for start in found} == {begin.hour}


@pytest.mark.parametrize(("rule", "first"), [case[:2] for case in NAMED])
def test_what_is_past_is_left_out_and_nothing_else(
    rule: str, first: str
) -> None:
    """Looked at from any of its times, the rest is the same."""
    begin = datetime.fromisoformat(f"{first}:00:00")
    found = starts(rule, begin, begin)
    for index, since in enumerate(found):
        assert starts(rule, begin, since) == found[index:]


def test_hours_of_a_day_come_in_order_and_keep_the_minutes() -> None:
    """The first day begins with the first time."""
    begin = datetime.fromisoformat("2026-11-21T12:30:05")
    found = starts("FREQ=DAILY;BYHOUR=18,6,12;COUNT=4", begin, begin)
    assert [f"{one:%d %X}" for one in found] == [
        "21 12:30:05",
        "21 18:30:05",
        "22 06:30:05",
        "22 12:30:05",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "RRULE:FREQ=WEEKLY;BYDAY=MO",
        "freq=weekly;byday=mo",
        "FREQ=WEEKLY;BYDAY=MO;",
        "BYDAY=MO;FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=MO,MO",
        "FREQ=WEEKLY;BYDAY=MO;INTERVAL=1;WKST=MO",
    ],
)
def test_one_rule_in_several_spellings(text: str) -> None:
    """Order, case and what goes without saying make no difference."""
    assert read_rule(text) == read_rule("FREQ=WEEKLY;BYDAY=MO")


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("", "FREQ"),
        ("FREQ=", "FREQ"),
        ("FREQ=DAILY;;COUNT=1", "each once"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=10000", "COUNT"),
        ("FREQ=DAILY;COUNT=-1", "COUNT"),
        ("FREQ=DAILY;INTERVAL=3661", "INTERVAL"),
        ("FREQ=WEEKLY;INTERVAL=523", "INTERVAL"),
        ("FREQ=MONTHLY;INTERVAL=131", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=1.5", "INTERVAL"),
        ("FREQ=DAILY;BYMONTH=0", "BYMONTH"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH"),
        ("FREQ=DAILY;BYMONTH=-1", "BYMONTH"),
        ("FREQ=DAILY;BYHOUR=-1", "BYHOUR"),
        ("FREQ=DAILY;BYHOUR=1,", "BYHOUR"),
        ("FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY"),
        ("FREQ=YEARLY;BYYEARDAY=367", "BYYEARDAY"),
        ("FREQ=YEARLY;BYYEARDAY=-0", "BYYEARDAY"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "BYSETPOS"),
        ("FREQ=YEARLY;BYDAY=54MO", "BYDAY"),
        ("FREQ=YEARLY;BYDAY=-0MO", "BYDAY"),
        ("FREQ=DAILY;BYDAY=-1MO", "BYDAY"),
        ("FREQ=DAILY;UNTIL=2027-12-31", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20271231T2500", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270229", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20271231Z", "UNTIL"),
    ],
)
def test_a_part_out_of_its_bounds_is_named(rule: str, part: str) -> None:
    """Just beyond each bound, and in each form that is none."""
    with pytest.raises(ValueError, match=part):
        read_rule(rule)


@pytest.mark.parametrize(
    ("until", "zone", "last"),
    [
        ("20271231T230000Z", "Europe/Berlin", "2028-01-01T00:00:00"),
        ("20270701T000000Z", "America/New_York", "2027-06-30T20:00:00"),
        ("20271231T230000", "Europe/Berlin", "2027-12-31T23:00:00"),
        ("20271231", "America/New_York", "2027-12-31T23:59:59"),
    ],
)
def test_the_end_of_a_rule_is_local(until: str, zone: str, last: str) -> None:
    """A Z means UTC; without one, and for a day, it is the zone's own."""
    found = read_rule(f"FREQ=DAILY;UNTIL={until}").last(ZoneInfo(zone))
    assert found == datetime.fromisoformat(last)


FAR = [
    ("99991231T235959Z", "Europe/Berlin", True),
    ("00010101T000000Z", "America/New_York", False),
    ("99991231T235959", "Europe/Berlin", True),
    ("99991231", "Asia/Tokyo", True),
    ("99991231T235959Z", "UTC", True),
]


@pytest.mark.parametrize(("until", "zone", "comes"), FAR)
def test_a_rule_may_end_at_the_end_of_time(
    until: str, zone: str, comes: bool
) -> None:
    """Calendars write the year 9999 for "for ever"."""
    times = Timetable(
        starts_at=NOON,
        ends_at=NOON + HOUR,
        rule=f"FREQ=DAILY;UNTIL={until}",
        zone=zone,
    )
    times.check()
    assert (times.next_slot(NOON) is not None) is comes


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"starts_at": -1}, "begin between"),
        ({"starts_at": 2**62, "ends_at": 2**62 + 1}, "begin between"),
        ({"ends_at": NOON}, "end after"),
        ({"ends_at": NOON - 1}, "end after"),
        ({"ends_at": NOON + 366 * DAY + 1}, "end after"),
        ({"also_at": tuple(range(MOST_DATES + 1))}, "500 dates"),
        ({"except_at": tuple(range(MOST_DATES + 1))}, "500 dates"),
        ({"also_at": (-1,)}, "dates must be between"),
        ({"also_at": (2**62,)}, "dates must be between"),
        ({"zone": ""}, "no time zone"),
        ({"zone": "europe/berlin"}, "no time zone"),
        ({"zone": "../etc/passwd"}, "no time zone"),
        ({"rule": "FREQ=HOURLY"}, "FREQ"),
    ],
)
def test_a_timetable_that_makes_no_sense(
    change: dict[str, object], what: str
) -> None:
    """Just beyond each bound it is refused."""
    values = {"starts_at": NOON, "ends_at": NOON + HOUR, **change}
    with pytest.raises(ValueError, match=what):
        Timetable(**values).check()  # type: ignore[arg-type]  # wrong ones


@pytest.mark.parametrize(
    "times",
    [
        Timetable(starts_at=0, ends_at=1),
        Timetable(starts_at=NOON, ends_at=NOON + 366 * DAY),
        Timetable(
            starts_at=NOON,
            ends_at=NOON + 1,
            also_at=tuple(range(MOST_DATES)),
            except_at=tuple(range(-1, MOST_DATES - 1)),
        ),
    ],
)
def test_a_timetable_at_its_bounds_is_fit(times: Timetable) -> None:
    """They belong to it; an exception may name any moment."""
    times.check()
    assert times.next_slot(NOON - DAY) or times.starts_at == 0


@pytest.mark.parametrize(
    ("change", "now", "begins_at"),
    [
        ({}, NOON - DAY, NOON),
        ({}, NOON, NOON),
        ({}, NOON + HOUR - 1, NOON),
        ({}, NOON + HOUR, None),
        ({"except_at": (NOON,)}, NOON, None),
        ({"except_at": (NOON + 1,)}, NOON, NOON),
        ({"also_at": (NOON + DAY,)}, NOON + HOUR, NOON + DAY),
        ({"also_at": (NOON - DAY,)}, NOON - DAY, NOON - DAY),
        ({"also_at": (NOON,), "except_at": (NOON,)}, NOON, None),
        ({"rule": "FREQ=DAILY"}, NOON + HOUR, NOON + DAY),
        # A first time that its rule does not name is none.
        ({"rule": "FREQ=WEEKLY;BYDAY=SU"}, NOON, NOON + DAY),
        (
            {"rule": "FREQ=DAILY", "except_at": (NOON, NOON + DAY)},
            *(NOON, NOON + 2 * DAY),
        ),
        (
            {"rule": "FREQ=DAILY", "also_at": (NOON + 2 * HOUR,)},
            *(NOON + HOUR, NOON + 2 * HOUR),
        ),
        ({"rule": "FREQ=DAILY;COUNT=1"}, NOON + HOUR, None),
        (
            {"rule": "FREQ=DAILY;COUNT=1", "also_at": (NOON + DAY,)},
            *(NOON + HOUR, NOON + DAY),
        ),
    ],
)
def test_the_first_time_that_is_not_over(
    change: dict[str, object], now: int, begins_at: int | None
) -> None:
    """Its end is not part of it; an exception takes one away."""
    values = {"starts_at": NOON, "ends_at": NOON + HOUR, **change}
    times = Timetable(**values)  # type: ignore[arg-type]  # right ones
    wanted = None
    if begins_at is not None:
        wanted = Slot(begins_at, begins_at + HOUR)
    assert times.next_slot(now) == wanted
