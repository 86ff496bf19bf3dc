"""Wiring: make every part, and hand each what it needs."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from app.access.keyring import Keyring
from app.bootstrap.access import make_access
from app.bootstrap.canary import make_canary
from app.bootstrap.charters import make_chartering
from app.bootstrap.ground import (
    Ground,
    Outside,
    lay_ground,
    open_inbox,
)
from app.bootstrap.hands import Hands, make_acting, make_hands
from app.bootstrap.hands import Room as HandsRoom
from app.bootstrap.mind import Mind, make_mind
from app.bootstrap.product import Product
from app.bootstrap.side import make_side
from app.bootstrap.voice import Room as VoiceRoom
from app.bootstrap.voice import Voice, make_voice
from app.bootstrap.watch import Watching, make_watching
from app.core.configfile import Config
from app.core.errors import ConfigError
from app.core.registry import scan
from app.engine.acting import Acting
from app.engine.anchor import AnchorFile, Anchoring, place_anchor
from app.engine.chartering import Chartering
from app.engine.cleaner import Cleaner, RetentionSettings
from app.engine.cleaner import Meters as CleanerMeters
from app.engine.desk import Desk, Room
from app.engine.keeper import Keeper
from app.engine.keeper import Meters as KeeperMeters
from app.engine.poller import Meters as PollerMeters
from app.engine.poller import Poller, Ways
from app.engine.ways import RealWays
from app.fold.folding import Folder
from app.fold.people import People
from app.fold.rules import FoldSettings, Rules, make_rules
from app.ingest import sources
from app.ingest.counters import Counters
from app.ingest.entrances import World, make_entrances
from app.ingest.intake import Entrance, Intake
from app.ingest.polls import Poll, make_polls
from app.store.committer import Bounds, Committer, Meters
from app.store.ledger import Ledger
from app.store.ongoing import Beliefs
from app.store.reading import Reader
from app.store.tail import Tail


def build(config: Config, outside: Outside | None = None) -> Product:
    """Return the wired product, or raise ConfigError with all problems."""
    ground = lay_ground(config, outside or Outside())
    committer = _make_committer(ground)
    keyring = Keyring(ground.outside.clock)
    entrances = _make_entrances(ground, keyring)
    keeping = _keep(ground, config, entrances)
    keeper = _introduce(committer, keeping.keeper)
    hands = make_hands(ground)
    mind = make_mind(ground, hands.catalogue)
    reader = Reader(ground.open_engine())
    parts = _room(ground, keeping, hands, reader, mind)
    desk = _make_desk(mind, config, parts, committer.is_busy)
    watching = make_watching(ground)
    room = _hands_room(keeper, reader, desk, mind, watching)
    acting, voice, told = _make_acting(ground, hands, room)
    intake = Intake(committer, ground.settings.server.limits)
    cleaner = _make_cleaner(ground, keeper)
    pollers = _poll(ground, entrances, intake, keeping)
    canary = make_canary(ground, keeper, reader, hands)
    access = make_access(ground, keyring, keeper, reader, entrances)
    own = (told, cleaner, mind.stock, desk.chore, desk.spans)
    around = (*pollers, *canary.chores, *watching.chores, *access.chores)
    return Product(
        settings=ground.settings,
        location=ground.location,
        entrances=entrances,
        own=canary.entrances,
        intake=intake,
        committer=committer,
        rules=keeping.rules,
        keeper=keeper,
        people=People(keeping.folder, ground.outside.clock),
        anchor_file=keeping.anchor_file,
        cleaner=cleaner,
        catalogue=mind.catalogue,
        stock=mind.stock,
        narrowing=mind.narrowing,
        desk=desk,
        acting=acting,
        voice=voice,
        chores=(*own, *acting.chores, *voice.chores, *hands.chores, *around),
        readings=watching.readings,
        reader=reader,
        tail=Tail(ground.open_engine()),
        registry=ground.registry,
        clock=ground.outside.clock,
        access=access,
        side=make_side(ground, reader),
    )


def _hands_room(
    keeper: Keeper, reader: Reader, desk: Desk, mind: Mind, watching: Watching
) -> HandsRoom:
    """Return what the hands are put into."""
    return HandsRoom(
        keeper, reader, desk, lambda: mind.stock.inventory, watching.readings
    )


def _make_acting(
    ground: Ground, hands: Hands, room: HandsRoom
) -> tuple[Acting, Voice, Chartering]:
    """Return what acts, what tells people, and what tells of new rules."""
    acting = make_acting(ground, hands, room)
    told = make_chartering(ground, room.keeper, room.desk, acting)
    return acting, _make_voice(ground, hands, room, acting), told


def _make_voice(
    ground: Ground, hands: Hands, room: HandsRoom, acting: Acting
) -> Voice:
    """Return what tells people."""
    ways = RealWays(room.keeper, room.reader, hands.halting)
    parts = VoiceRoom(
        room.keeper,
        ways,
        room.desk.casework,
        room.inventory,
        acting.looks,
    )
    return make_voice(ground, parts)


def _introduce(committer: Committer, keeper: Keeper) -> Keeper:
    """Let the keeper know of what came, and give way to what comes."""
    committer.listen(keeper.wake)
    keeper.give_way(committer.is_busy)
    return keeper


class Keeping(msgspec.Struct, frozen=True):
    """What writes about incidents, and by which rules."""

    rules: Rules
    folder: Folder
    anchor_file: AnchorFile | None
    keeper: Keeper


def _keep(
    ground: Ground, config: Config, entrances: Mapping[str, Entrance]
) -> Keeping:
    """Return who writes about incidents."""
    folding = config.read(FoldSettings, "incidents")
    # One that is switched off is there.
    known = set(config.names("sources"))
    # What a misspelt name is set for would hold for nothing, in silence.
    problems = [
        config.problem(
            ("incidents", "sources", name),
            "there is no source of this name",
            f"Write one of {', '.join(sorted(known))}, or take it out.",
        )
        for name in sorted(folding.sources.keys() - known)
    ]
    if problems:
        raise ConfigError(problems)
    silent = [n for n, one in entrances.items() if one.source.tells_once]
    rules = make_rules(folding, silent)
    folder = Folder(rules, ground.outside.clock)
    anchor_file = place_anchor(
        folding.anchor_file, ground.location, ground.outside.home
    )
    keeper = _make_keeper(ground, folder, anchor_file)
    return Keeping(rules, folder, anchor_file, keeper)


def _room(
    ground: Ground,
    keeping: Keeping,
    hands: Hands,
    reader: Reader,
    mind: Mind,
) -> Room:
    """Return what the desk is put into."""
    return Room(
        keeper=keeping.keeper,
        reader=reader,
        rules=keeping.rules,
        catalogue=hands.catalogue,
        location=ground.location,
        clock=ground.outside.clock,
        registry=ground.registry,
        home=ground.outside.home,
        wait_seconds=ground.wait_seconds,
        inventory=lambda: mind.stock.inventory,
        moves=hands.moves if hands.settings.enabled else None,
    )


def _make_desk(
    mind: Mind, config: Config, room: Room, is_door_busy: Callable[[], bool]
) -> Desk:
    """Return where decisions are made; the door comes first."""
    room = msgspec.structs.replace(room, is_door_busy=is_door_busy)
    return Desk(mind.decider, config, room)


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


def _make_entrances(ground: Ground, keyring: Keyring) -> dict[str, Entrance]:
    """Return the configured sources."""
    world = World(
        ground.outside.environ,
        ground.outside.clock,
        ground.outside.fetch,
        Counters(ground.registry),
        ground.settings.server.host,
        keyring,
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


def _poll(
    ground: Ground,
    entrances: Mapping[str, Entrance],
    intake: Intake,
    keeping: Keeping,
) -> Iterator[Poller]:
    """Return who asks the sources that are polled."""
    ways = _make_ways(ground, intake, keeping.keeper)
    polls = make_polls(ground.config, entrances, ground.outside.environ)
    return make_pollers(polls, ways, keeping.rules)


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
