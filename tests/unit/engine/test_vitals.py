"""What the service counts of itself, over time."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from app.core.errors import StorageFailed
from app.engine.decidemeters import Meters
from app.engine.vitals import EVERY_SECONDS, METERS, UNITS, Vitals
from app.ingest.counters import Counters
from app.models.delivery import Receipt
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.reading import Reader
from tests.fakes import FakeClock, make_alert, make_filing
from tests.unit.store.missions import add_incident


class Bench:
    """Vitals of a database, with a clock that can be moved."""

    def __init__(self, location: Location, reader: Reader) -> None:
        self.registry = CollectorRegistry()
        self.clock = FakeClock()
        self.counters = Counters(self.registry)
        self.deciding = Meters(self.registry)
        self.location = location
        self.vitals = Vitals(self.registry, reader, self.clock)

    def look(self, times: int = 1) -> None:
        """Look as often, with the usual time between."""
        for _ in range(times):
            self.clock.advance(EVERY_SECONDS)
            self.vitals.look()

    def values(self) -> dict[str, float]:
        """Return the newest values of this moment."""
        now = self.clock.now()
        newest = self.vitals.readings.newest()
        return {one.name: one.value for one in newest if one.at == now}


@pytest.fixture
def bench(location: Location, reader: Reader) -> Bench:
    """Return vitals of an empty database."""
    return Bench(location, reader)


def test_the_first_look_knows_levels_only(bench: Bench) -> None:
    """What needs two looks is not there, rather than zero."""
    bench.look()
    values = bench.values()
    assert {"memory", "database", "approvals", "jobs", "lag"} <= set(values)
    assert "alerts" not in values
    assert "decide_p50" not in values
    assert "folded" not in values


def test_every_series_has_a_unit_and_words(bench: Bench) -> None:
    """What is kept is what is declared, and no more."""
    bench.deciding.seconds.labels("rules").observe(1.0)
    bench.look(2)
    assert set(bench.values()) <= set(METERS)
    for one in bench.vitals.readings.newest():
        assert one.unit == UNITS[one.name]
    assert all(about for _, about in METERS.values())


def test_alerts_are_told_by_the_second(bench: Bench) -> None:
    """Fifty in five seconds are ten, and then none."""
    bench.look()
    bench.counters.of("zabbix").took(Receipt(delivery=1, accepted=50), 0)
    bench.look()
    assert bench.values()["alerts"] == pytest.approx(10)
    bench.look()
    assert bench.values()["alerts"] == 0


def test_decisions_are_told_by_the_minute(bench: Bench) -> None:
    """As many as in the past minute, whenever one looks."""
    bench.look()
    bench.deciding.decisions.labels("x", "chosen", "rules", "no").inc(6)
    bench.look(6)
    assert bench.values()["decisions"] == pytest.approx(12)
    bench.look(6)
    assert bench.values()["decisions"] == pytest.approx(6)
    bench.look()
    assert bench.values()["decisions"] == 0


def test_time_to_decision_is_forgotten_after_five_minutes(
    bench: Bench,
) -> None:
    """A quiet hour has no time to decision, rather than an old one."""
    bench.look()
    bench.deciding.seconds.labels("openai").observe(4.0)
    bench.look()
    values = bench.values()
    assert 2 <= values["decide_p50"] <= values["decide_p95"] <= 5
    bench.look(60)
    assert "decide_p95" not in bench.values()


def test_what_is_folded_is_a_share_of_alerts(
    bench: Bench, inbox: SqlInbox
) -> None:
    """Four alerts and one new incident: three of four were folded."""
    bench.look()
    inbox.write([make_filing(*(make_alert(f"a{n}") for n in range(4)))])
    ledger = Ledger(bench.location, 5.0)
    with ledger.turn() as connection:
        add_incident(connection, 1)
        add_incident(connection, 2, source="canary")
    ledger.close()
    bench.look()
    assert bench.values()["folded"] == pytest.approx(75)
    bench.look(61)
    assert "folded" not in bench.values()


def test_the_size_is_asked_for_once_a_minute(bench: Bench) -> None:
    """It costs more than the rest, and moves slowly."""
    bench.look()
    assert bench.values()["database"] > 10_000
    seen = 0
    for _ in range(12):
        bench.look()
        seen += "database" in bench.values()
    assert seen == 1


def test_work_of_the_process_is_a_share_of_a_core(bench: Bench) -> None:
    """Whatever this process does between two looks is in it."""
    bench.look()
    begun = time.process_time()
    while time.process_time() - begun < 0.05:
        sum(range(1_000))
    bench.look()
    # At least 50 ms in five seconds are a hundredth of a core.
    assert bench.values()["cpu"] >= 0.9


def test_without_the_database_the_rest_is_known(
    location: Location, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks then sees the process, and a gap for the rest."""
    bench = Bench(location, reader)
    bench.look()

    def fail(_question: object) -> None:
        """Be a database that is gone."""
        raise StorageFailed("gone")

    monkeypatch.setattr(reader, "ask", fail)
    bench.clock.advance(EVERY_SECONDS)
    with pytest.raises(StorageFailed):
        bench.vitals.look()
    values = bench.values()
    assert "memory" in values
    assert "approvals" not in values


def test_it_goes_on_after_a_failure(
    location: Location, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad moment does not end it, and a late loop is seen."""
    monkeypatch.setattr("app.engine.vitals.EVERY_SECONDS", 0.02)
    bench = Bench(location, reader)
    looked = threading.Semaphore(0)
    ask = reader.ask

    def fail_once(_question: Callable[[Connection], Any]) -> Any:
        """Be a database that comes back."""
        monkeypatch.setattr(reader, "ask", ask)
        raise StorageFailed("gone")

    def add(*_: object) -> None:
        """Note that a look is over."""
        looked.release()

    monkeypatch.setattr(reader, "ask", fail_once)
    monkeypatch.setattr(bench.vitals.readings, "add", add)

    async def run() -> None:
        """Let it look until it has looked three times."""
        task = asyncio.create_task(bench.vitals.run())
        for _ in range(3):
            assert await asyncio.to_thread(looked.acquire, timeout=30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert reader.ask == ask


def test_memory_is_bounded(bench: Bench) -> None:
    """A day and a half of looks keep no more than is said."""
    bench.look(3)
    # No more series than are declared, and no more rounds than five minutes.
    for number in range(100):
        bench.vitals.readings.add({f"strange{number}": 1.0}, {})
    bench.look(100)
    assert len(bench.vitals.readings.newest()) <= len(METERS)
    assert len(bench.vitals._rounds) == 61
