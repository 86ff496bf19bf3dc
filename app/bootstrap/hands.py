"""The hands: backends, checks and the guard, made before the mind.

The catalogue must know where its actions run before anything is chosen
from it.
"""

import secrets
from collections.abc import Callable, Mapping

import msgspec

from app.act import actions, backends
from app.act.catalogue import make_catalogue
from app.act.changing import apply_changes
from app.act.hands import Surroundings, Tame, apply_runs, make_backends
from app.act.settings import ActSettings
from app.act.weighing import apply_risks
from app.bootstrap.ground import Ground
from app.core.errors import ConfigError
from app.core.here import Here
from app.core.host import HostSettings
from app.core.registry import scan
from app.decide.reins import read_reins
from app.engine.acting import Acting, Grounds
from app.engine.acting import Hands as Parts
from app.engine.desk import Desk
from app.engine.keeper import Keeper
from app.engine.moves import Moves
from app.engine.plans import World
from app.guard.guard import Guard
from app.guard.halting import Halting
from app.guard.known import Known
from app.guard.policy import PolicySettings, check_policy, open_policy
from app.models.action import Catalogue
from app.models.canary import CANARY, SPEC
from app.models.inventory import Inventory
from app.ports import Living, Readings
from app.store.halts import Switch
from app.store.ledger import Connection
from app.store.reading import Reader
from app.verify import checks
from app.verify.checking import Around, Verifier, check_names, make_checks


class Hands(msgspec.Struct, frozen=True):
    """What acts.

    Attributes:
        settings: how long, how often.
        catalogue: what may be done, and where it runs here.
        backends: where jobs run.
        guard: rules.
        halting: looks at the file of the kill switch.
        moves: moves missions.
    """

    settings: ActSettings
    catalogue: Catalogue
    backends: Mapping[str, Tame]
    guard: Guard
    halting: Halting
    moves: Moves

    @property
    def chores(self) -> tuple[Living, ...]:
        """Return what backends do as long as the service runs."""
        found = (one.chore for one in self.backends.values())
        return tuple(chore for chore in found if chore is not None)


def make_hands(ground: Ground) -> Hands:
    """Return what acts, or raise ConfigError with all that is wrong."""
    config, outside = ground.config, ground.outside
    settings = config.read(ActSettings, "act")
    around = Surroundings(outside.environ, outside.clock, outside.home)
    made = make_backends(config, scan(backends), around)
    folder = outside.home / "config" / "actions"
    catalogue = apply_runs(
        make_catalogue(scan(actions), [folder], (SPEC,)),
        settings.run,
        made,
        config,
    )
    catalogue = apply_risks(catalogue, made)
    catalogue = apply_changes(catalogue, settings.change, config)
    known = Known(
        risks={
            spec.name: spec.risk
            for spec in (*catalogue.specs, *catalogue.own.values())
        },
        sources=[*config.names("sources"), CANARY],
    )
    problems = check_policy(config, outside.home, known)
    if problems:
        raise ConfigError(problems)
    policy = open_policy(config, outside.home)
    halt_file = config.read(PolicySettings, "policy").halt_file
    return Hands(
        settings=settings,
        catalogue=catalogue,
        backends=made,
        guard=Guard(policy, known),
        halting=Halting(outside.home / halt_file),
        moves=Moves(outside.clock, settings.limits),
    )


def make_verifier(ground: Ground, hands: Hands, room: "Room") -> Verifier:
    """Return who measures, or raise ConfigError with all that is wrong."""
    outside = ground.outside
    made = make_checks(
        ground.config,
        scan(checks),
        Around(outside.environ, outside.clock, room.inventory, room.readings),
    )
    problems = check_names(hands.catalogue, made)
    if problems:
        raise ConfigError(problems)
    return Verifier(made, outside.clock)


class Room(msgspec.Struct, frozen=True):
    """What the hands are put into."""

    keeper: Keeper
    reader: Reader
    desk: Desk
    inventory: Callable[[], Inventory]
    readings: Readings | None = None


def make_acting(ground: Ground, hands: Hands, room: Room) -> Acting:
    """Return all that acts, or raise ConfigError with all that is wrong."""
    desk = room.desk
    here = Here(ground.config.read(HostSettings, "host"), ground.outside.clock)
    # To look up our own full name may take a while: not within a turn.
    here.names()

    def is_deciding(connection: Connection) -> bool:
        """Tell whether incidents are decided on."""
        return read_reins(connection, desk.settings).enabled

    world = World(
        casework=desk.casework,
        decider=desk.decider,
        catalogue=hands.catalogue,
        inventory=room.inventory,
        backends=hands.backends,
        is_here=here.is_here,
    )
    return Acting(
        Parts(
            settings=hands.settings,
            guard=hands.guard,
            halting=hands.halting,
            verifier=make_verifier(ground, hands, room),
            backends=hands.backends,
            world=world,
            moves=hands.moves,
        ),
        Grounds(
            keeper=room.keeper,
            reader=room.reader,
            switch=Switch(ground.open_engine()),
            clock=ground.outside.clock,
            registry=ground.registry,
            random=lambda: secrets.randbits(62),
            is_deciding=is_deciding,
        ),
    )
