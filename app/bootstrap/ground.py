"""The ground: settings, place and world that every part is made out of."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import CollectorRegistry, disable_created_metrics

from app.access.settings import AccessSettings
from app.act.settings import ActSettings
from app.core.clock import Clock, SystemClock
from app.core.configfile import Config, Section, check_header, reveal
from app.core.deferred import Deferred
from app.core.errors import ConfigError, ConfigProblem
from app.core.home import HOME
from app.core.host import HostSettings
from app.core.http import fetch
from app.core.registry import scan
from app.core.settings import OWN, ServerSettings, Settings, read_settings
from app.decide.stock import InventorySettings
from app.engine.canary import CanarySettings
from app.engine.cleaner import RetentionSettings
from app.engine.desk import SECTIONS as DESK_SECTIONS
from app.engine.simulating import SimulatorSettings
from app.fold.rules import FoldSettings
from app.guard.policy import PolicySettings
from app.ingest import sources
from app.ingest.counters import Counters
from app.ingest.entrances import World, make_entrances
from app.models.intray import Inbox
from app.ports import Fetch
from app.report.settings import ReportSettings
from app.store.inbox import SqlInbox
from app.store.location import Location, locate
from app.store.reading import Engine, open_engine
from app.store.sqlite_desk import SqliteDesk
from app.watch.settings import WatchSettings

if TYPE_CHECKING:
    from app.store import postgres_desk
else:
    # Only whoever has a PostgreSQL pays for its driver.
    postgres_desk = Deferred("app.store.postgres_desk")

# What is made of a folder of plug-ins; each reads its own settings.
PLACES = ("sources", "menu", "brains", "backends", "channels", "checks")
SECTIONS: Mapping[str, type[Section]] = {
    **OWN,
    **DESK_SECTIONS,
    "access": AccessSettings,
    "act": ActSettings,
    "canary": CanarySettings,
    "host": HostSettings,
    "incidents": FoldSettings,
    "inventory": InventorySettings,
    "policy": PolicySettings,
    "report": ReportSettings,
    "retention": RetentionSettings,
    "simulator": SimulatorSettings,
    "watch": WatchSettings,
}


class Outside(msgspec.Struct, frozen=True):
    """The world as the product sees it; tests hand in another one."""

    environ: Mapping[str, str] = os.environ
    home: Path = HOME
    clock: Clock = SystemClock()
    fetch: Fetch = fetch


class Ground(msgspec.Struct, frozen=True):
    """What every part is made out of."""

    config: Config
    settings: Settings
    outside: Outside
    location: Location
    registry: CollectorRegistry
    gate: "Lock | None"

    @property
    def wait_seconds(self) -> float:
        """Return how long the database is waited for."""
        return self.settings.server.limits.waiting_seconds

    def open_engine(self) -> Engine:
        """Return a way to read."""
        return open_engine(self.location, self.wait_seconds)


def lay_ground(config: Config, outside: Outside) -> Ground:
    """Return the settings and what is made before everything else."""
    problems = config.unknown((*SECTIONS, *PLACES))
    problems += config.check(SECTIONS)
    if problems:
        raise ConfigError([*problems, *_source_problems(config, outside)])
    settings = read_settings(config)
    location = find_location(config, settings, outside)
    # The library does not say what its function returns.
    quiet: Callable[[], None] = disable_created_metrics
    quiet()
    # The writers of one SQLite file pass it one by one.
    gate = Lock() if location.file is not None else None
    return Ground(
        config, settings, outside, location, CollectorRegistry(), gate
    )


def _source_problems(
    config: Config, outside: Outside
) -> Sequence[ConfigProblem]:
    """Return what is wrong with the sources, when other things are, too."""
    if config.check({"server": ServerSettings}):
        # Whether a source needs a secret depends on where we listen.
        return ()
    host = config.read(ServerSettings, "server").host
    counters = Counters(CollectorRegistry())
    world = World(
        outside.environ, outside.clock, outside.fetch, counters, host
    )
    try:
        make_entrances(config, scan(sources), world)
    except ConfigError as error:
        return error.problems
    return ()


def find_location(
    config: Config, settings: Settings, outside: Outside
) -> Location:
    """Return where the database is, or raise ConfigError."""
    try:
        url = reveal(settings.database.url, outside.environ)
        return locate(url, outside.home)
    except ValueError as error:
        path = ("database", "url")
        problem = config.problem(path, str(error), "Correct it there.")
        raise ConfigError([problem]) from error


def open_inbox(
    location: Location, wait_seconds: float, gate: "Lock | None" = None
) -> Inbox:
    """Return the inbox of a database; it connects with its first use."""
    if location.file is not None:
        return SqlInbox(SqliteDesk(location.file, wait_seconds, gate))
    desk = postgres_desk.PostgresDesk(location.conninfo, wait_seconds)
    return SqlInbox(desk)


def read_api_tokens(
    config: Config, settings: Settings, outside: Outside
) -> tuple[str, ...]:
    """Return the texts of the reading tokens, or raise ConfigError."""
    tokens = []
    problems: list[ConfigProblem] = []
    for index, token in enumerate(settings.api.tokens):
        try:
            text = reveal(token, outside.environ)
            check_header(text)
            tokens.append(text)
        except ValueError as error:
            place = ("api", "tokens", str(index))
            remedy = "Set it, or write another token."
            problems.append(config.problem(place, str(error), remedy))
    if problems:
        raise ConfigError(problems)
    return tuple(tokens)
