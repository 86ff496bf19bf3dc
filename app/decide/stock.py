"""The stock: the inventory of now, out of all its sources.

It is asked for anew now and then. A source that fails keeps what it said
last, and the log and a metric say how old that is. As long as a source is
configured and has said nothing, nothing is known: then no host is a target.
"""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, Gauge
from pydantic import ConfigDict, Field

from app.core.clock import Clock
from app.core.configfile import Config, Section, suggest
from app.core.errors import ConfigError, SmokejumperError
from app.core.log import get_log
from app.core.place import Place
from app.core.registry import Factory
from app.decide.uniting import unite
from app.models.inventory import Inventory, Thing
from app.ports import InventorySource

SECTION = "inventory"
# Whose word leads when several know one thing; others follow by name.
ORDER = ("file", "ansible", "zabbix", "prometheus")
KINDS = ("host", "service", "container")
# Whatever a source does, it is not waited for any longer.
LOAD_SECONDS = 300.0
log = get_log("inventory")


class InventorySettings(Section):
    """What is set for all sources; each has settings of its own beside."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    refresh_seconds: float = Field(300.0, ge=1, le=86_400)


class Meters:
    """What the stock tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.age = Gauge(
            "smokejumper_inventory_age_seconds",
            "How long ago a source of the inventory was read as a whole",
            ["source"],
            registry=registry,
        )
        self.things = Gauge(
            "smokejumper_inventory_things",
            "What is known in the inventory",
            ["kind"],
            registry=registry,
        )


class Surroundings(msgspec.Struct, frozen=True):
    """What sources of the inventory are made with."""

    environ: Mapping[str, str]
    home: Path
    actions: Collection[str]


class Env(Place):
    """What one source of the inventory gets when it is made."""

    def __init__(
        self, name: str, config: Config, around: Surroundings
    ) -> None:
        """Take the source's name and what is around it."""
        super().__init__(SECTION, name, config, around.environ)
        self.home = around.home
        self.actions = around.actions


def make_sources(
    config: Config, plugins: Mapping[str, Factory], around: Surroundings
) -> dict[str, InventorySource]:
    """Return the configured sources in order, or raise all that is wrong."""
    known = ("refresh_seconds", *plugins)
    problems = [
        config.problem(
            (SECTION, name), "is not a setting", suggest(name, known)
        )
        for name in config.names(SECTION)
        if name not in known
    ]
    made = {}
    for name in sorted(plugins, key=_rank):
        try:
            source = plugins[name](Env(name, config, around))
        except ConfigError as error:
            problems += error.problems
        else:
            if source is not None:
                made[name] = source
    if problems:
        raise ConfigError(problems)
    return made


def _rank(name: str) -> tuple[int, str]:
    """Return where the word of a source stands among the others."""
    return ORDER.index(name) if name in ORDER else len(ORDER), name


class Stock:
    """Keeps the inventory of now."""

    def __init__(
        self,
        sources: Mapping[str, InventorySource],
        refresh_seconds: float,
        clock: Clock,
        meters: Meters,
    ) -> None:
        """Take who knows what there is, and how often to ask."""
        self._sources = sources
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._meters = meters
        self._loads: dict[str, tuple[Thing, ...]] = {}
        self._states: dict[str, str] = {}
        self._inventory = Inventory(is_kept=bool(sources))
        for name in sources:
            self._date(name)
        self._count()

    @property
    def inventory(self) -> Inventory:
        """Return what is known now."""
        return self._inventory

    @property
    def states(self) -> Mapping[str, str]:
        """Return what is wrong with each source, empty when nothing is."""
        return dict(self._states)

    async def run(self) -> None:
        """Ask all sources again and again, until cancelled."""
        while self._sources:
            await self.refresh()
            await asyncio.sleep(self._refresh_seconds)

    async def refresh(self) -> None:
        """Ask all sources once; who fails keeps what it said last."""
        answers = await asyncio.gather(
            *(self._load(name) for name in self._sources)
        )
        loads = dict(zip(self._sources, answers, strict=True))
        fresh = {n: load for n, load in loads.items() if load is not None}
        if all(self._loads.get(name) == load for name, load in fresh.items()):
            return
        self._loads |= fresh
        ordered = [self._loads[n] for n in self._sources if n in self._loads]
        things = await asyncio.to_thread(unite, ordered)
        self._inventory = Inventory(things, is_kept=True)
        self._count()

    async def _load(self, name: str) -> tuple[Thing, ...] | None:
        """Return what one source knows, None when it fails."""
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                things = await self._sources[name].load()
        except TimeoutError:
            self._tell(name, f"no answer in {LOAD_SECONDS:g} s")
        except SmokejumperError as error:
            self._tell(name, str(error) or type(error).__name__)
        except Exception as error:
            # Later decisions must not be made on an inventory that stopped.
            log.exception("inventory.crashed", source=name)
            self._tell(name, f"a bug: {type(error).__name__}")
        else:
            self._date(name)
            self._tell(name, "", len(things))
            return things
        return None

    def _tell(self, name: str, why: str, count: int = 0) -> None:
        """Log how a source does, once for each change."""
        if self._states.get(name) == why:
            return
        self._states[name] = why
        if not why:
            log.info("inventory.loaded", source=name, things=count)
            return
        kept = len(self._loads.get(name, ()))
        log.warning("inventory.failed", source=name, error=why, kept=kept)

    def _date(self, name: str) -> None:
        """Let a source's age begin now."""
        began = self._clock.now()
        gauge = self._meters.age.labels(name)
        gauge.set_function(lambda: (self._clock.now() - began) / 1e6)

    def _count(self) -> None:
        """Tell how many things there are of each kind."""
        counts = self._inventory.counts()
        for kind in KINDS:
            self._meters.things.labels(kind).set(counts.get(kind, 0))
