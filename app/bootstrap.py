"""Wire the product: the only place where steps meet plug-ins.

Nothing here touches the network or the database; ``Product.start`` does.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol

import msgspec
from prometheus_client import CollectorRegistry, disable_created_metrics

from app.core.clock import Clock, SystemClock
from app.core.configfile import Config, Section, reveal
from app.core.errors import ConfigError, ConfigProblem, StorageFailed
from app.core.http import fetch
from app.core.log import get_log
from app.core.registry import scan
from app.core.settings import OWN, ServerSettings, Settings, read_settings
from app.engine.anchor import AnchorFile, Anchoring, place_anchor
from app.engine.cleaner import Cleaner, RetentionSettings
from app.engine.cleaner import Meters as CleanerMeters
from app.engine.keeper import Keeper
from app.engine.keeper import Meters as KeeperMeters
from app.engine.poller import Meters as PollerMeters
from app.engine.poller import Poller, Ways
from app.fold.folding import Folder
from app.fold.people import People
from app.fold.rules import FoldSettings, Rules, make_rules
from app.ingest import sources
from app.ingest.counters import Counters
from app.ingest.entrances import World, make_entrances
from app.ingest.intake import Entrance, Intake
from app.ingest.polls import Poll, make_polls
from app.ports import Fetch, Inbox
from app.store.committer import Bounds, Committer, Meters
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.ongoing import Beliefs
from app.store.postgres_desk import PostgresDesk
from app.store.reading import Engine, Reader, open_engine
from app.store.sqlite_desk import SqliteDesk
from app.store.tail import Tail

HOME = Path(__file__).parent.parent
SECTIONS: Mapping[str, type[Section]] = {
    **OWN,
    "incidents": FoldSettings,
    "retention": RetentionSettings,
}
log = get_log("bootstrap")


class Chore(Protocol):
    """What is done now and then, as long as the service runs."""

    async def run(self) -> None:
        """Go on until cancelled."""


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
        people: what people ask for about incidents.
        anchor_file: where the end of the log is kept, or None.
        cleaner: takes off what is old.
        chores: what is done now and then while the service runs.
        tasks: those that run.
        reader: the way back.
        tail: the end of the action log, as it grows.
        endless: ends what never ends by itself; called before draining.
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
    people: People
    anchor_file: AnchorFile | None
    cleaner: Cleaner
    reader: Reader
    tail: Tail
    registry: CollectorRegistry
    clock: Clock
    api_tokens: tuple[str, ...]
    chores: tuple[Chore, ...] = ()
    tasks: list[asyncio.Task[None]] = []
    endless: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Start what runs in the background."""
        self.committer.start()
        self.keeper.start()
        for chore in self.chores:
            self.tasks.append(asyncio.create_task(chore.run()))
        try:
            await asyncio.to_thread(self.reader.open)
        except StorageFailed as error:
            log.warning("reader.not_ready", error=str(error))

    async def stop(self) -> None:
        """Finish what waits and give everything back."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.committer.stop()
        await asyncio.to_thread(self.keeper.stop)
        self.reader.close()
        self.tail.close()


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


def build(config: Config, outside: Outside | None = None) -> Product:
    """Return the wired product, or raise ConfigError with all problems."""
    ground = _lay_ground(config, outside or Outside())
    committer = _make_committer(ground)
    entrances = _make_entrances(ground)
    folding = config.read(FoldSettings, "incidents")
    silent = [n for n, one in entrances.items() if one.source.tells_once]
    rules = make_rules(folding, silent)
    folder = Folder(rules, ground.outside.clock)
    anchor_file = place_anchor(
        folding.anchor_file, ground.location, ground.outside.home
    )
    keeper = _make_keeper(ground, folder, anchor_file)
    committer.listen(keeper.wake)
    keeper.give_way(committer.is_busy)
    cleaner = _make_cleaner(ground, keeper)
    intake = Intake(committer, ground.settings.server.limits)
    polls = make_polls(config, entrances, ground.outside.environ)
    ways = _make_ways(ground, intake, keeper)
    return Product(
        settings=ground.settings,
        location=ground.location,
        entrances=entrances,
        intake=intake,
        committer=committer,
        rules=rules,
        keeper=keeper,
        people=People(folder, ground.outside.clock),
        anchor_file=anchor_file,
        cleaner=cleaner,
        chores=(cleaner, *make_pollers(polls, ways, rules)),
        reader=Reader(ground.open_engine()),
        tail=Tail(ground.open_engine()),
        registry=ground.registry,
        clock=ground.outside.clock,
        api_tokens=_api_tokens(config, ground.settings, ground.outside),
    )


def _lay_ground(config: Config, outside: Outside) -> Ground:
    """Return the settings and what is made before everything else."""
    problems = config.unknown((*SECTIONS, "sources"))
    problems += config.check(SECTIONS)
    if problems:
        raise ConfigError([*problems, *_source_problems(config, outside)])
    settings = read_settings(config)
    location = find_location(config, settings, outside)
    disable_created_metrics()  # type: ignore[no-untyped-call]
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


def _make_committer(ground: Ground) -> Committer:
    """Return the way to the disk."""
    limits = ground.settings.server.limits
    return Committer(
        open_inbox(ground.location, limits.waiting_seconds, ground.gate),
        Bounds(
            limits.waiting_deliveries,
            limits.waiting_bytes,
            limits.waiting_seconds,
        ),
        ground.outside.clock,
        Meters(ground.registry),
    )


def _make_entrances(ground: Ground) -> dict[str, Entrance]:
    """Return the configured sources."""
    world = World(
        ground.outside.environ,
        ground.outside.clock,
        ground.outside.fetch,
        Counters(ground.registry),
        ground.settings.server.host,
    )
    return make_entrances(ground.config, scan(sources), world)


def _make_keeper(
    ground: Ground, folder: Folder, anchor_file: AnchorFile | None
) -> Keeper:
    """Return who writes about incidents."""
    return Keeper(
        Ledger(ground.location, ground.wait_seconds, ground.gate),
        folder,
        ground.outside.clock,
        KeeperMeters(ground.registry),
        Anchoring(anchor_file, ground.outside.clock),
    )


def _make_cleaner(ground: Ground, keeper: Keeper) -> Cleaner:
    """Return who takes off what is old."""
    return Cleaner(
        keeper,
        ground.config.read(RetentionSettings, "retention"),
        ground.outside.clock,
        CleanerMeters(ground.registry),
    )


def _make_ways(ground: Ground, intake: Intake, keeper: Keeper) -> Ways:
    """Return what whoever asks a source needs."""
    return Ways(
        intake,
        keeper,
        Beliefs(ground.open_engine()),
        ground.outside.clock,
        PollerMeters(ground.registry),
        ground.settings.server.limits.alerts,
    )


def make_pollers(
    polls: Iterable[Poll], ways: Ways, rules: Rules
) -> Iterator[Poller]:
    """Yield who asks each source that is polled."""
    for poll in polls:
        stale = rules.naming_of(poll.entrance.name).stale
        yield Poller(poll, ways, stale)


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
