"""What was measured is kept for an hour and a day, bounded."""

import pytest

from app.core.look.readings import DAY, HOUR, SECOND, Readings
from tests.fakes import FakeClock

UNITS = {"cpu_percent": "%", "disk_percent": "%"}


def fill(
    readings: Readings, clock: FakeClock, values: list[float], step: float
) -> None:
    """Keep values one after the other."""
    for value in values:
        readings.add({"cpu_percent": value}, UNITS)
        clock.advance(step)


def test_the_newest_of_each_series_is_listed() -> None:
    """With its unit, by name."""
    clock = FakeClock()
    readings = Readings(clock)
    readings.add({"load1": 1.0, "disk_percent:/var": 80.0}, UNITS)
    at = clock.now()
    clock.advance(2)
    readings.add({"load1": 2.0}, UNITS)
    disk, load = readings.newest()
    assert (disk.name, disk.unit, disk.value, disk.at) == (
        "disk_percent:/var",
        "%",
        80.0,
        at,
    )
    assert (load.unit, load.value) == ("", 2.0)


def test_the_mean_is_of_the_past_seconds_only() -> None:
    """Older values, and series that nobody knows, say nothing."""
    clock = FakeClock()
    readings = Readings(clock)
    fill(readings, clock, [100.0, 10.0, 20.0, 30.0], 2.0)
    # The last was two seconds ago; of the one before it a part is older.
    assert readings.mean("cpu_percent", 5.0) == 30.0
    assert readings.mean("cpu_percent", 6.0) == 25.0
    assert readings.mean("cpu_percent", 3.0) is None
    assert readings.mean("memory_percent", 5.0) is None
    clock.advance(10)
    assert readings.mean("cpu_percent", 5.0) is None


def test_peaks_stay_in_columns() -> None:
    """A hundred values in ten columns: the one peak is seen."""
    clock = FakeClock()
    since = clock.now()
    readings = Readings(clock, 1.0)
    fill(readings, clock, [1.0] * 55 + [99.0] + [1.0] * 44, 1.0)
    columns = readings.columns("cpu_percent", since, clock.now(), 10)
    assert columns is not None
    assert [one.high for one in columns] == [1.0] * 5 + [99.0] + [1.0] * 4
    assert {one.low for one in columns} == {1.0}
    assert round(columns[5].mean, 1) == 10.8
    assert [one.at for one in columns] == [
        since + number * 10 * SECOND for number in range(10)
    ]


def test_a_gap_is_no_column() -> None:
    """Where nothing was measured nothing is said."""
    clock = FakeClock()
    since = clock.now()
    readings = Readings(clock, 1.0)
    fill(readings, clock, [5.0], 50.0)
    fill(readings, clock, [7.0], 50.0)
    columns = readings.columns("cpu_percent", since, since + 100 * SECOND, 10)
    assert columns is not None
    assert [(one.at - since) // SECOND for one in columns] == [0, 50]


def test_no_such_series() -> None:
    """Nobody measured that."""
    assert Readings(FakeClock()).columns("nothing", 0, 1, 1) is None


def test_after_an_hour_minutes_stay() -> None:
    """Of two hours the first is told by the minute, the second whole."""
    clock = FakeClock(1_795_227_240 * SECOND)
    since = clock.now()
    readings = Readings(clock, 30.0)
    fill(readings, clock, [10.0, 90.0] * 120, 30.0)
    old = readings.columns("cpu_percent", since, since + HOUR * SECOND, 60)
    assert old is not None
    assert len(old) == 60
    assert {(one.low, one.mean, one.high) for one in old} == {
        (10.0, 50.0, 90.0)
    }
    new = readings.columns(
        "cpu_percent", since + HOUR * SECOND, clock.now(), 120
    )
    assert new is not None
    assert [one.mean for one in new] == [10.0, 90.0] * 60


def test_the_first_minute_is_told_once() -> None:
    """Of who began within a minute nothing is told of before that."""
    clock = FakeClock(1_795_227_240 * SECOND)
    since = clock.now()
    clock.advance(45)
    readings = Readings(clock, 5.0)
    fill(readings, clock, [1.0] * 24, 5.0)
    columns = readings.columns("cpu_percent", since, clock.now(), 33)
    assert columns is not None
    assert [(one.at - since) // SECOND for one in columns] == list(
        range(45, 165, 5)
    )


def test_after_a_day_nothing_stays() -> None:
    """There are as many values as there were, and no more."""
    clock = FakeClock()
    since = clock.now()
    readings = Readings(clock, 60.0)
    fill(readings, clock, [1.0] * (2 * DAY // 60), 60.0)
    columns = readings.columns("cpu_percent", since, clock.now(), 2_000)
    assert columns is not None
    assert columns[0].at >= since + (DAY - 3_600) * SECOND
    assert len(columns) <= DAY // 60 + 2


@pytest.mark.parametrize(("seconds", "is_new"), [(10, False), (3_601, True)])
def test_a_silent_series_makes_room(seconds: float, *, is_new: bool) -> None:
    """There are so many; one that said nothing for an hour goes."""
    clock = FakeClock()
    readings = Readings(clock, most=2)
    readings.add({"a": 1.0, "b": 1.0}, {})
    clock.advance(seconds)
    readings.add({"b": 2.0, "c": 3.0}, {})
    names = {one.name for one in readings.newest()}
    assert names == ({"b", "c"} if is_new else {"a", "b"})


def test_a_clock_that_is_set_back_breaks_nothing() -> None:
    """What is asked for by time is found by time."""
    clock = FakeClock()
    readings = Readings(clock, 1.0)
    first = clock.now()
    fill(readings, clock, [1.0], 1.0)
    clock.advance(-100)
    second = clock.now()
    fill(readings, clock, [2.0], 1.0)
    for at, value in ((first, 1.0), (second, 2.0)):
        columns = readings.columns("cpu_percent", at, at + SECOND, 1)
        assert columns is not None
        assert [one.mean for one in columns] == [value]
