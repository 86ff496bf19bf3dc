"""The stock keeps the inventory of now, whatever its sources do."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from app.core.errors import ConfigError, OutgoingFailed
from app.core.registry import scan
from app.decide import inventories
from app.decide.stock import Meters, Stock, Surroundings, make_sources
from app.models.inventory import Thing
from tests.fakes import FakeClock
from tests.unit.decide.sites import host, named, on, write, written, wrong


class Fickle:
    """A source that answers as it is told to."""

    def __init__(self, *things: Thing) -> None:
        self.things = things
        self.error: Exception | None = None
        self.asked = 0
        self.has_enough = asyncio.Event()

    async def load(self) -> tuple[Thing, ...]:
        """Answer, or fail."""
        self.asked += 1
        if self.asked == 3:
            self.has_enough.set()
        if self.error is not None:
            raise self.error
        return self.things


class Room:
    """A stock with its clock and its metrics."""

    def __init__(self, **sources: Fickle) -> None:
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.stock = Stock(sources, 60.0, self.clock, Meters(self.registry))

    def refresh(self) -> None:
        """Ask all sources once."""
        asyncio.run(self.stock.refresh())

    def age(self, source: str) -> float | None:
        """Return how old the word of a source is."""
        name = "smokejumper_inventory_age_seconds"
        return self.registry.get_sample_value(name, {"source": source})

    def count(self, kind: str) -> float | None:
        """Return how many things of a kind there are."""
        name = "smokejumper_inventory_things"
        return self.registry.get_sample_value(name, {"kind": kind})


def test_without_a_source_everything_may_be_a_target() -> None:
    """Nobody keeps an inventory, and nothing is asked."""
    room = Room()
    assert not room.stock.inventory
    asyncio.run(room.stock.run())
    assert room.count("host") == 0


def test_until_a_source_has_answered_nothing_is_a_target() -> None:
    """Kept and unknown is not the same as not kept."""
    source = Fickle(host("a"))
    source.error = OutgoingFailed("away")
    room = Room(file=source)
    assert room.stock.inventory
    room.refresh()
    assert room.stock.inventory
    assert room.stock.inventory.things == ()
    source.error = None
    room.refresh()
    assert list(named(room.stock.inventory.things)) == ["a"]


@pytest.mark.parametrize(
    "error",
    [OutgoingFailed("status 500"), ConfigError([]), KeyError("a bug")],
)
def test_the_last_good_word_is_kept(error: Exception) -> None:
    """A source that fails changes nothing, and is told once, with its age."""
    good, bad = Fickle(host("a")), Fickle(host("b"), on("nginx", "b"))
    room = Room(file=good, zabbix=bad)
    room.refresh()
    bad.error = error
    good.things = (host("a"), host("c"))
    room.clock.advance(90)
    with capture_logs() as lines:
        room.refresh()
        room.refresh()
    assert list(named(room.stock.inventory.things)) == [
        "a", "c", "b", "nginx",
    ]  # fmt: skip
    failures = [one for one in lines if one["event"] == "inventory.failed"]
    assert [(one["source"], one["kept"]) for one in failures] == [
        ("zabbix", 2)
    ]
    assert room.stock.states["file"] == ""
    assert room.stock.states["zabbix"]
    assert room.age("zabbix") == 90
    assert room.age("file") == 0
    bad.error = None
    with capture_logs() as lines:
        room.refresh()
    assert [one["event"] for one in lines] == ["inventory.loaded"]
    assert room.age("zabbix") == 0


def test_what_is_gone_is_forgotten() -> None:
    """A source that answers is believed, also when it says less."""
    source = Fickle(host("a"), on("nginx", "a"), host("b"))
    room = Room(file=source)
    room.refresh()
    assert (room.count("host"), room.count("service")) == (2, 1)
    source.things = (host("b"),)
    room.refresh()
    assert list(named(room.stock.inventory.things)) == ["b"]
    assert (room.count("host"), room.count("service")) == (1, 0)


def test_it_goes_on_until_it_is_cancelled() -> None:
    """The chore asks again and again."""

    async def watch() -> int:
        """Let it run until it has asked three times."""
        source = Fickle(host("a"))
        meters = Meters(CollectorRegistry())
        stock = Stock({"file": source}, 0.001, FakeClock(), meters)
        task = asyncio.create_task(stock.run())
        async with asyncio.timeout(10):
            await source.has_enough.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return source.asked

    assert asyncio.run(watch()) >= 3


def make(folder: Path, text: str) -> list[str]:
    """Return the names of the sources that settings configure."""
    around = Surroundings({"T": "x"}, folder, {"restart_service"})
    config = written(folder, text)
    return list(make_sources(config, scan(inventories), around))


def test_the_configured_sources_are_made_in_order(tmp_path: Path) -> None:
    """The file leads, whatever order they stand in."""
    write(tmp_path / "hosts", "web-01\n")
    write(tmp_path / "inventory.yaml", "hosts: [a]\n")
    text = """
inventory:
  prometheus: {url: "http://127.0.0.1:9"}
  zabbix: {url: "http://127.0.0.1:9", token: env:T}
  ansible: hosts
  file: inventory.yaml
"""
    assert make(tmp_path, text) == ["file", "ansible", "zabbix", "prometheus"]
    assert make(tmp_path, "inventory: {refresh_seconds: 5}\n") == []
    assert make(tmp_path, "{}") == []


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Each with its line."""
    text = """
inventory:
  promteheus: {url: x}
  zabbix: {url: "http://z"}
  file: missing.yaml
"""
    with pytest.raises(ConfigError) as caught:
        make(tmp_path, text)
    told = wrong(caught)
    assert told[0] == (
        "settings.yaml:3 inventory.promteheus: is not a setting"
    )
    assert "Did you mean 'prometheus'?" in str(caught.value)
    assert [one.split(": ")[0] for one in told[1:]] == [
        "missing.yaml missing", "settings.yaml:4 inventory.zabbix",
    ]  # fmt: skip
