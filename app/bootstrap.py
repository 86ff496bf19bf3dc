"""Wire the product: the only place where steps meet plug-ins.

Nothing here touches the network or the database; ``Product.start`` does.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, disable_created_metrics

from app.core.clock import Clock, SystemClock
from app.core.configfile import Config, reveal
from app.core.errors import ConfigError, ConfigProblem, StorageFailed
from app.core.http import fetch
from app.core.log import get_log
from app.core.registry import scan
from app.core.settings import KNOWN, Settings, read_settings
from app.engine.keeper import Keeper
from app.engine.keeper import Meters as KeeperMeters
from app.fold.folding import Folder
from app.fold.rules import FoldSettings, Rules, make_rules
from app.ingest import sources
from app.ingest.counters import Counters
from app.ingest.entrances import World, make_entrances
from app.ingest.intake import Entrance, Intake
from app.ports import Fetch, Inbox
from app.store.committer import Bounds, Committer, Meters
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.postgres_desk import PostgresDesk
from app.store.reading import Reader, open_engine
from app.store.sqlite_desk import SqliteDesk

HOME = Path(__file__).parent.parent
log = get_log("bootstrap")


class Product(msgspec.Struct):
    """Everything that lives as long as the process.

    Attributes:
        settings: the application's own settings.
        location: where the database is.
        entrances: the configured sources by name.
        intake: step 1.
        committer: the way to the disk.
        rules: how alerts become incidents.
        keeper: writes about incidents.
        reader: the way back.
        registry: the metrics.
        clock: the time.
        api_tokens: who may read from other machines.
    """

    settings: Settings
    location: Location
    entrances: dict[str, Entrance]
    intake: Intake
    committer: Committer
    rules: Rules
    keeper: Keeper
    reader: Reader
    registry: CollectorRegistry
    clock: Clock
    api_tokens: tuple[str, ...]

    async def start(self) -> None:
        """Start what runs in the background."""
        self.committer.start()
        self.keeper.start()
        try:
            await asyncio.to_thread(self.reader.open)
        except StorageFailed as error:
            log.warning("reader.not_ready", error=str(error))

    async def stop(self) -> None:
        """Finish what waits and give everything back."""
        await self.committer.stop()
        await asyncio.to_thread(self.keeper.stop)
        self.reader.close()


class Outside(msgspec.Struct, frozen=True):
    """The world as the product sees it; tests hand in another one."""

    environ: Mapping[str, str] = os.environ
    home: Path = HOME
    clock: Clock = SystemClock()
    fetch: Fetch = fetch


def build(config: Config, outside: Outside | None = None) -> Product:
    """Return the wired product, or raise ConfigError with all problems."""
    outside = outside or Outside()
    problems = config.unknown(KNOWN)
    if problems:
        raise ConfigError(problems)
    settings = read_settings(config)
    location = find_location(config, settings, outside)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    limits = settings.server.limits
    bounds = Bounds(
        limits.waiting_deliveries, limits.waiting_bytes, limits.waiting_seconds
    )
    committer = Committer(
        open_inbox(location, limits.waiting_seconds),
        bounds,
        outside.clock,
        Meters(registry),
    )
    rules = make_rules(config.read(FoldSettings, "incidents"))
    keeper = Keeper(
        Ledger(location, limits.waiting_seconds),
        Folder(rules, outside.clock),
        outside.clock,
        KeeperMeters(registry),
    )
    committer.listen(keeper.wake)
    world = World(
        outside.environ,
        outside.clock,
        outside.fetch,
        Counters(registry),
        settings.server.host,
    )
    engine = open_engine(location, limits.waiting_seconds)
    return Product(
        settings=settings,
        location=location,
        entrances=make_entrances(config, scan(sources), world),
        intake=Intake(committer, limits),
        committer=committer,
        rules=rules,
        keeper=keeper,
        reader=Reader(engine),
        registry=registry,
        clock=outside.clock,
        api_tokens=_api_tokens(config, settings, outside),
    )


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


def open_inbox(location: Location, wait_seconds: float) -> Inbox:
    """Return the inbox of a database; it connects with its first use."""
    if location.file is not None:
        return SqlInbox(SqliteDesk(location.file, wait_seconds))
    return SqlInbox(PostgresDesk(location.conninfo, wait_seconds))


def _api_tokens(
    config: Config, settings: Settings, outside: Outside
) -> tuple[str, ...]:
    """Return the texts of the reading tokens, or raise ConfigError."""
    tokens = []
    problems: list[ConfigProblem] = []
    for index, token in enumerate(settings.api.tokens):
        try:
            tokens.append(reveal(token, outside.environ))
        except ValueError as error:
            place = ("api", "tokens", str(index))
            remedy = "Set it, or write another token."
            problems.append(config.problem(place, str(error), remedy))
    if problems:
        raise ConfigError(problems)
    return tuple(tokens)
