"""Readings: what was measured on this machine, for an hour and for a day.

Each series keeps every value of the past hour, and of the past day the
lowest, the mean and the highest of each minute. There are so many series
and no more; a series that has been silent for an hour makes room.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import pairwise
from threading import Lock

import msgspec

from app.core.clock import Clock

HOUR, DAY, MINUTE = 3_600, 86_400, 60
SECOND = 1_000_000
MOST_SERIES = 256
MOST_POINTS = 2_000
# So many of the newest rounds say what is so now.
MOST_ROUNDS = 64


class Column(msgspec.Struct, frozen=True):
    """What a series was in one part of a span: peaks stay.

    Attributes:
        at: when the part begins, in microseconds since 1970.
        low: the lowest value.
        mean: the mean.
        high: the highest.
    """

    at: int
    low: float
    mean: float
    high: float


class Newest(msgspec.Struct, frozen=True):
    """A series and its newest value.

    Attributes:
        name: what is measured, such as disk_percent:/var.
        unit: of its values.
        value: the newest.
        at: when that was, in microseconds since 1970.
    """

    name: str
    unit: str
    value: float
    at: int


class _Ring:
    """Numbers of so many rows; the oldest row makes room for a new one.

    Attributes:
        has_lost: whether a row ever made room.
    """

    def __init__(self, rows: int, width: int) -> None:
        """Take how many rows there may be, and how wide they are."""
        self._rows = rows
        self._width = width
        self._numbers = array("d")
        self._next = 0
        self.has_lost = False

    def add(self, *row: float) -> None:
        """Keep a row."""
        if len(self._numbers) < self._rows * self._width:
            self._numbers.extend(row)
            return
        self.has_lost = True
        start = self._next * self._width
        self._numbers[start : start + self._width] = array("d", row)
        self._next = (self._next + 1) % self._rows

    def __iter__(self) -> Iterator[tuple[float, ...]]:
        """Yield the rows, the oldest first."""
        count = len(self._numbers) // self._width
        for index in range(count):
            start = (self._next + index) % count * self._width
            yield tuple(self._numbers[start : start + self._width])


class _Series:
    """One series: its values of an hour, its minutes of a day."""

    def __init__(self, unit: str, rows: int) -> None:
        """Take the unit, and how many values an hour has."""
        self.unit = unit
        self.at = 0
        self.value = 0.0
        self._hour = _Ring(rows, 2)
        self._day = _Ring(DAY // MINUTE, 4)
        self._minute: list[float] = []
        self._began = 0

    def add(self, at: int, value: float) -> None:
        """Keep a value."""
        begins = at - at % (MINUTE * SECOND)
        if self._minute and begins != self._began:
            self._day.add(*_sum_up(self._began, self._minute))
            self._minute = []
        self._began = begins
        self._minute.append(value)
        self._hour.add(at, value)
        self.at, self.value = at, value

    def rows(self, since: int, until: int) -> Iterator[tuple[float, ...]]:
        """Yield when it was, with the lowest, the mean and the highest.

        Each value where all of the span lies in the past hour.
        """
        values: list[tuple[float, ...]]
        values = [(at, v, v, v) for at, v in self._hour]
        # Before that nothing was measured, or minutes tell what was.
        if self._hour.has_lost and values[0][0] > since:
            first = values[0][0]
            # A minute that lies in the hour, too, is told value by value.
            values = [row for row in self._day if row[0] < first] + values
        return (row for row in values if since <= row[0] < until)


def _sum_up(at: int, values: list[float]) -> tuple[float, ...]:
    """Return one row of some values."""
    return at, min(values), sum(values) / len(values), max(values)


class Readings:
    """Keeps what was measured; from any thread."""

    def __init__(
        self, clock: Clock, every: float = 2.0, most: int = MOST_SERIES
    ) -> None:
        """Take the time, how often there is a value, and the bound.

        Args:
            clock: the time.
            every: seconds between two values of a series.
            most: how many series there may be.
        """
        self._clock = clock
        self._rows = max(2, round(HOUR / max(every, 0.5)))
        self._most = most
        self._lock = Lock()
        self._series: dict[str, _Series] = {}
        self._rounds: deque[tuple[float, Mapping[str, float]]] = deque(
            maxlen=MOST_ROUNDS
        )

    def add(
        self, values: Mapping[str, float], units: Mapping[str, str]
    ) -> None:
        """Keep one round of values.

        Args:
            values: by the names of their series.
            units: by what stands before the colon in those.
        """
        at, now = self._clock.now(), self._clock.monotonic()
        with self._lock:
            self._rounds.append((now, dict(values)))
            for name, value in values.items():
                series = self._find(name, units, at)
                if series is not None:
                    series.add(at, value)

    def mean(self, name: str, seconds: float) -> float | None:
        """Return the mean of the past seconds; None when nothing is known.

        A value tells of the time since the one before it: all of that must
        be in those seconds.
        """
        first = self._clock.monotonic() - seconds
        with self._lock:
            found = [
                values[name]
                for (before, _), (_, values) in pairwise(self._rounds)
                if before >= first and name in values
            ]
        return sum(found) / len(found) if found else None

    def newest(self) -> list[Newest]:
        """Return each series with its newest value, by name."""
        with self._lock:
            return [
                Newest(name, one.unit, one.value, one.at)
                for name, one in sorted(self._series.items())
            ]

    def columns(
        self, name: str, since: int, until: int, points: int
    ) -> list[Column] | None:
        """Return a span of a series in so many parts, None when unknown.

        Parts without values are left out.
        """
        with self._lock:
            series = self._series.get(name)
            if series is None:
                return None
            rows = list(series.rows(since, until))
        wide = max(1, -(-(until - since) // points))
        parts: dict[int, list[tuple[float, ...]]] = {}
        for row in rows:
            parts.setdefault(int(row[0] - since) // wide, []).append(row)
        return [
            Column(
                since + index * wide,
                min(row[1] for row in some),
                sum(row[2] for row in some) / len(some),
                max(row[3] for row in some),
            )
            for index, some in sorted(parts.items())
        ]

    def _find(
        self, name: str, units: Mapping[str, str], at: int
    ) -> _Series | None:
        """Return a series; a new one only when there is room."""
        found = self._series.get(name)
        if found is None and self._make_room(at):
            unit = units.get(name.partition(":")[0], "")
            found = self._series[name] = _Series(unit, self._rows)
        return found

    def _make_room(self, at: int) -> bool:
        """Tell whether there is room for one more series."""
        if len(self._series) < self._most:
            return True
        oldest = min(self._series, key=lambda one: self._series[one].at)
        if at - self._series[oldest].at < HOUR * SECOND:
            return False
        del self._series[oldest]
        return True
