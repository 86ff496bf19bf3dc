"""Clean-up by size: oldest first, no more than is needed, never the new."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from app.engine import cleaner as module
from app.engine.cleaner import (
    DAY,
    HOUR,
    MOST_DAYS,
    MOST_UNSEEN,
    Cleaner,
    Meters,
    RetentionSettings,
    _half_way,
)
from app.store import retention
from app.store.retention import Swept
from app.store.room import Room
from tests.fakes import FakeClock

ROW = 100
TABLES = ("deliveries", "alerts", "incidents")


class Store:
    """A database of rows that are a number of hours old, 100 bytes each."""

    def __init__(self, now: int, **ages: list[float]) -> None:
        self.rows = {
            name: [now - int(age * HOUR) for age in ages.get(name, [])]
            for name in TABLES
        }
        self.cuts: list[int | None] = []
        self.order: list[str] = []
        self.looks = 0

    def ask(self, work: Callable[[Any], Any]) -> Future[Any]:
        """Do some work at once."""
        future: Future[Any] = Future()
        future.set_result(work(self))
        return future

    def sweep(self, name: str, before: int) -> Swept:
        """Take one row off that is older."""
        old = [at for at in self.rows[name] if at < before]
        if not old:
            return Swept(0, None)
        self.rows[name].remove(min(old))
        self.order.append(name)
        return Swept(1, 1)

    def measure(self, _connection: object) -> Room:
        """Return how many bytes the rows take."""
        self.looks += 1
        size = ROW * sum(map(len, self.rows.values()))
        return Room(size, size)

    def left(self) -> dict[str, int]:
        """Return how many rows each table has."""
        return {name: len(rows) for name, rows in self.rows.items()}


class Scene:
    """A cleaner on such a store."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, **ages: list[float]
    ) -> None:
        self.clock = FakeClock()
        self.store = Store(self.clock.now(), **ages)
        self.registry = CollectorRegistry()
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
        monkeypatch.setattr(module, "measure_room", self.store.measure)
        for name in TABLES:
            monkeypatch.setattr(retention, f"sweep_{name}", self.take(name))
        monkeypatch.setattr(retention, "sweep_log", self.take_none)
        monkeypatch.setattr(retention, "cut_log", self.cut)

    def take(self, name: str) -> Callable[[Any, int, int], Swept]:
        """Return the sweep of one table."""
        return lambda _turn, before, _after: self.store.sweep(name, before)

    def take_none(self, _turn: object, _before: int, _after: int) -> Swept:
        """Find no entry to take off."""
        return Swept(0, None)

    def cut(self, *given: Any) -> int:
        """Note how much of the log was to be cut."""
        self.store.cuts.append(given[3])
        return 0

    def make(self, **settings: float) -> Cleaner:
        """Return a cleaner; nothing is too old unless it is said."""
        everything = dict.fromkeys((f"{n}_days" for n in TABLES), 0.0)
        return Cleaner(
            self.store,  # type: ignore[arg-type]  # it is asked, no more
            RetentionSettings.model_validate({**everything, **settings}),
            self.clock,
            Meters(self.registry),
        )

    def clean(self, **settings: float) -> dict[str, int]:
        """Clean up once."""
        return asyncio.run(self.make(**settings).clean())

    def tells(self, name: str, **labels: str) -> float | None:
        """Return what Prometheus is told."""
        full = f"smokejumper_{name}"
        return self.registry.get_sample_value(full, labels)


@pytest.mark.parametrize(
    ("excess", "freed", "rows", "may_go"),
    [
        (1_000, 0, 0, 0),  # nothing is known yet: look again at once
        (1_000, -50, 10, 0),  # it grew meanwhile
        (1_000, 100, 1, 5),  # ten are needed, half of them
        (100, 100, 1, 0),
        (300, 100, 1, 1),
        (1_000, 3, 1, 166),
        (10**12, 1, 1, MOST_UNSEEN),
        (2 * MOST_UNSEEN, 1, 1, MOST_UNSEEN),
        (2 * MOST_UNSEEN - 2, 1, 1, MOST_UNSEEN - 1),
    ],
)
def test_half_of_what_seems_needed_goes_unseen(
    excess: int, freed: int, rows: int, may_go: int
) -> None:
    """Whole rows, and never more than the cap."""
    assert _half_way(excess, freed, rows) == may_go


def test_it_goes_ever_closer_to_now_but_never_within_the_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each step halves the age; the last is exactly an hour."""
    scene = Scene(monkeypatch)
    cleaner = Cleaner(
        scene.store,  # type: ignore[arg-type]  # it is not even asked
        RetentionSettings(),
        scene.clock,
        Meters(scene.registry),
    )
    ages = [scene.clock.now() - at for at in cleaner._younger()]
    assert ages == [HOUR * 2**n for n in range(12, -1, -1)]


@pytest.mark.parametrize(
    ("max_bytes", "left"),
    [
        (0, 10),  # no limit
        (1_000, 10),  # just fits
        (999, 9),
        (901, 9),
        (900, 9),
        (899, 8),
        (500, 5),
        (1, 0),
    ],
)
def test_no_more_goes_than_is_too_much(
    monkeypatch: pytest.MonkeyPatch, max_bytes: int, left: int
) -> None:
    """To the row: the limit itself is small enough."""
    ages = [10.0 + n for n in range(10)]
    scene = Scene(monkeypatch, deliveries=ages)
    gone = scene.clean(max_bytes=max_bytes)
    assert scene.store.left()["deliveries"] == left
    assert gone["delivery"] == 10 - left
    # Those that stay are the youngest.
    kept = [scene.clock.now() - int(age * HOUR) for age in ages[:left]]
    assert scene.store.rows["deliveries"] == kept


def test_of_one_age_deliveries_go_before_alerts_before_incidents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the order in which they are worth least."""
    old = [50.0, 50.0]
    scene = Scene(monkeypatch, deliveries=old, alerts=old, incidents=old)
    scene.clean(max_bytes=150)
    assert scene.store.order == [
        *("deliveries", "deliveries"),
        *("alerts", "alerts"),
        "incidents",
    ]


def test_an_old_incident_goes_before_a_young_delivery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Age comes first, the table second."""
    scene = Scene(monkeypatch, deliveries=[3.0], incidents=[5_000.0])
    scene.clean(max_bytes=100)
    assert scene.store.left() == {
        "deliveries": 1,
        "alerts": 0,
        "incidents": 0,
    }


@pytest.mark.parametrize(
    ("age", "is_over", "stays"),
    [(0.5, 1.0, 1), (1.0, 1.0, 1), (1.001, 0.0, 0)],
)
def test_what_came_within_the_hour_stays_and_is_told(
    monkeypatch: pytest.MonkeyPatch, age: float, is_over: float, stays: int
) -> None:
    """However full it is: an alarm is better than a hole."""
    scene = Scene(monkeypatch, alerts=[age])
    scene.clean(max_bytes=1)
    assert scene.store.left()["alerts"] == stays
    assert scene.tells("database_is_over_size") == is_over
    assert scene.tells("database_used_bytes") == ROW * stays


@pytest.mark.parametrize(
    ("log_days", "max_bytes", "cuts"),
    [
        (0, 1, set()),  # for ever: not by size either
        (0, 0, set()),
        (1, 0, {None}),  # by age all at once
        (1, 1, {None, module.CUT_PIECE}),  # by size in pieces, then
    ],
)
def test_the_log_is_cut_only_where_it_has_an_age(
    monkeypatch: pytest.MonkeyPatch,
    log_days: int,
    max_bytes: int,
    cuts: set[int | None],
) -> None:
    """Its owner says whether it may be cut at all."""
    scene = Scene(monkeypatch, alerts=[0.5])
    scene.clean(log_days=log_days, max_bytes=max_bytes)
    assert set(scene.store.cuts) == cuts


@pytest.mark.parametrize(
    ("days", "hours", "stays"),
    [
        (0.0, 10_000.0, 1),  # 0 is for ever
        (1.0, 24.0, 1),  # just as old as allowed
        (1.0, 24.001, 0),
        (0.5, 12.001, 0),
        (0.5, 11.999, 1),
    ],
)
def test_by_age_the_edge_stays(
    monkeypatch: pytest.MonkeyPatch, days: float, hours: float, stays: int
) -> None:
    """A part of a day counts, and what goes is counted by its table."""
    assert DAY == 24 * HOUR
    scene = Scene(monkeypatch, alerts=[hours])
    gone = scene.clean(alerts_days=days)
    assert gone == {
        "delivery": 0,
        "alert": 1 - stays,
        "incident": 0,
        "entry": 0,
    }
    counted = scene.tells("retention_deleted_total", table="alert") or 0
    assert counted == 1 - stays


def test_it_does_not_measure_after_each_of_many_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looking costs more than sweeping: few looks for many rows."""
    scene = Scene(monkeypatch, deliveries=[9_000.0] * 400)
    scene.clean(max_bytes=100)
    assert scene.store.left()["deliveries"] == 1
    assert scene.store.looks < 20


@pytest.mark.parametrize("days", [1e9, float("inf"), float("nan"), -1.0])
@pytest.mark.parametrize("table", [*TABLES, "log"])
def test_an_age_that_no_clock_shows_is_refused(
    table: str, days: float
) -> None:
    """At the start, not each time that it cleans: nothing would be."""
    with pytest.raises(ValidationError, match=f"{table}_days"):
        RetentionSettings.model_validate({f"{table}_days": days})
    most = RetentionSettings.model_validate({f"{table}_days": MOST_DAYS})
    assert getattr(most, f"{table}_days") == MOST_DAYS


class TwoClocks(FakeClock):
    """A wall that may be set on while little time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def monotonic(self) -> float:
        """Return the seconds that passed."""
        return self.passed


def test_a_clock_that_was_just_set_on_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For a round, in which it may be set right; then it counts."""
    scene = Scene(monkeypatch, deliveries=[24.0, 48.0])
    scene.clock = clock = TwoClocks()
    cleaner = scene.make(deliveries_days=30)

    def round_of(set_on: int) -> int:
        """Let an hour pass and a round come; return what is left then."""
        clock.passed += 3_600
        clock.moment += HOUR + set_on
        asyncio.run(cleaner.clean_when_sure())
        return scene.store.left()["deliveries"]

    year = 365 * DAY
    assert round_of(set_on=year) == 2
    assert round_of(set_on=-year) == 2
    assert round_of(set_on=year) == 2
    assert round_of(set_on=0) == 0


def test_a_machine_that_sleeps_each_night_is_cleaned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it slept is not counted as passed, and looks like a jump."""
    scene = Scene(monkeypatch, deliveries=[24.0 * 40, 24.0 * 50])
    scene.clock = clock = TwoClocks()
    cleaner = scene.make(deliveries_days=30)
    left = []
    for _ in range(2):
        clock.moment += 8 * HOUR
        asyncio.run(cleaner.clean_when_sure())
        left.append(scene.store.left()["deliveries"])
    assert left == [2, 0]
