"""A value is good, bad, or worse than before by more than chance."""

import math

import pytest

from app.models.gauge import Gauge, is_known
from app.models.inventory import Inventory
from app.models.verdict import Judgement, Reading
from tests.unit.verify.making import WEB, away, here

GOOD, BAD, WORSE, UNKNOWN = (
    Judgement.GOOD, Judgement.BAD, Judgement.WORSE, Judgement.UNKNOWN,
)  # fmt: skip
DISK = Gauge(check="disk", unit="%", chance=2.0)
UP = Gauge(check="up", is_floor=True)
QUEUE = Gauge(check="queue", share=0.25)


def judge(
    gauge: Gauge, before: float | None, after: float, limit: float
) -> Judgement:
    """Return what a value means beside another one."""
    earlier = None if before is None else gauge.read(1, before, limit, "")
    return gauge.judge(earlier, gauge.read(2, after, limit, ""))


@pytest.mark.parametrize(
    ("gauge", "before", "after", "limit", "expected"),
    [
        (DISK, None, 85.0, 85.0, GOOD),
        (DISK, None, 85.1, 85.0, BAD),
        (DISK, 90.0, 92.0, 85.0, BAD),
        (DISK, 90.0, 92.1, 85.0, WORSE),
        (DISK, 50.0, 86.0, 85.0, WORSE),
        (DISK, 98.0, 80.0, 85.0, GOOD),
        (UP, None, 1.0, 1.0, GOOD),
        (UP, 0.0, 0.0, 1.0, BAD),
        (UP, 1.0, 0.0, 1.0, WORSE),
        (QUEUE, 100.0, 125.0, 10.0, BAD),
        (QUEUE, 100.0, 126.0, 10.0, WORSE),
        (QUEUE, 0.0, 1.0, 0.0, WORSE),
        (QUEUE, 0.0, 11.0, 10.0, WORSE),
    ],
)
def test_a_value_means(
    gauge: Gauge,
    before: float | None,
    after: float,
    limit: float,
    expected: Judgement,
) -> None:
    """Good at the limit; worse only beyond chance, and only when bad."""
    assert judge(gauge, before, after, limit) is expected


def test_what_is_no_number_has_no_value() -> None:
    """It is neither good nor bad."""
    for value in (math.nan, math.inf, -math.inf):
        found = DISK.read(1, value, 5.0, "odd")
        assert found.value is None
        assert DISK.judge(None, found) is UNKNOWN
    made_by_others = Reading(check="disk", at=1, value=math.nan, limit=5.0)
    assert DISK.judge(None, made_by_others) is UNKNOWN


def test_only_what_is_alike_is_compared() -> None:
    """A share of memory is not more than a share of a core."""
    before = Gauge(check="disk", unit="inodes").read(1, 1.0, 85.0, "")
    assert DISK.judge(before, DISK.read(2, 95.0, 85.0, "")) is BAD
    assert DISK.judge(DISK.miss(1, "?"), DISK.read(2, 95.0, 85.0, "")) is BAD


def test_an_alert_alone_does_not_say_whom_we_call() -> None:
    """Its host must be this machine, or one of the inventory."""
    known = Inventory((WEB,))
    assert is_known(here(), Inventory())
    assert is_known(away(host="10.1.2.3"), known)
    assert not is_known(away(host="evil-1"), known)
    assert not is_known(away(host="web-1"), Inventory())
    assert not is_known(here(host=""), known)
