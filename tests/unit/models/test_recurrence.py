"""What it may take to follow a rule."""

import pytest

from app.models.recurrence import Effort
from app.models.timetable import Slot, Timetable
from tests.unit.models.test_mute import DAY, HOUR, NOW, local, weekly

HOURS = ",".join(map(str, range(24)))
LONG_AGO = "1970-01-05T02:00"


@pytest.mark.parametrize(
    "rule",
    [
        f"FREQ=DAILY;COUNT=9999;BYHOUR={HOURS};BYMONTH=1;BYDAY=MO",
        "FREQ=DAILY;COUNT=9999;BYMONTH=2;BYMONTHDAY=30",
        f"FREQ=YEARLY;COUNT=9999;BYDAY=MO;BYHOUR={HOURS};BYSETPOS=1",
    ],
)
def test_a_rule_that_takes_too_many_steps_is_given_up(rule: str) -> None:
    """It has no more times, and whoever asks may know why."""
    times = weekly(LONG_AGO, "1970-01-05T03:00", rule=rule)
    effort = Effort()
    assert times.next_slot(NOW, effort) is None
    assert effort.is_over


@pytest.mark.parametrize(
    ("rule", "most"),
    [
        ("FREQ=WEEKLY;BYDAY=SU", 100),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", 4_000),
        (f"FREQ=DAILY;BYHOUR={HOURS}", 500),
    ],
)
def test_a_common_rule_takes_few_steps_however_old(
    rule: str, most: int
) -> None:
    """What is long past is passed over."""
    times = weekly(LONG_AGO, "1970-01-05T03:00", rule=rule)
    effort = Effort()
    assert times.next_slot(NOW, effort) is not None
    assert 0 < effort.spent < most


def test_a_rule_that_counts_is_followed_to_its_last_time() -> None:
    """The longest daily one, in 27 years; it is not given up before."""
    rule = "FREQ=DAILY;COUNT=9999"
    times = weekly("2026-11-22T02:00", "2026-11-22T04:00", rule=rule)
    last = local("2026-11-22T02:00") + 9_998 * DAY
    effort = Effort()
    slot = times.next_slot(last - 12 * HOUR, effort)
    assert slot is not None
    assert abs(slot.begins_at - last) <= HOUR
    effort = Effort()
    assert times.next_slot(slot.until, effort) is None
    assert not effort.is_over


def test_many_dates_are_found_in_their_order() -> None:
    """Also when most are past; exceptions hold for them, too."""
    dates = tuple(NOW + n * DAY for n in range(-250, 250))
    times = Timetable(
        starts_at=dates[0],
        ends_at=dates[0] + HOUR,
        also_at=dates[::-1],
        except_at=(NOW,),
    )
    assert times.next_slot(NOW) == Slot(NOW + DAY, NOW + DAY + HOUR)
