"""Acting: all that rules, starts, measures and asks people, made together."""

from collections.abc import Callable, Mapping

import msgspec
from prometheus_client import CollectorRegistry

from app.act.settings import ActSettings
from app.core.clock import Clock
from app.engine.advancing import Advancer, Crew
from app.engine.approving import Approving
from app.engine.evidence import Evidence, EvidenceChore
from app.engine.evidence import Parts as Looking
from app.engine.keeper import Keeper
from app.engine.leases import node_name
from app.engine.lookout import Lookout
from app.engine.measuring import Measuring
from app.engine.missionmeters import Meters
from app.engine.missions import MissionChore
from app.engine.motions import Motions
from app.engine.moves import Moves
from app.engine.parts import Parts
from app.engine.plans import World
from app.engine.proposing import Proposing
from app.engine.rulings import Rulings
from app.engine.running import Jobs
from app.engine.starting import Starting
from app.engine.stopping import Stopping
from app.engine.tending import Chore
from app.engine.ways import RealWays, Ways
from app.guard.guard import Guard
from app.guard.halting import Halting
from app.ports import Backend
from app.store.halts import Switch
from app.store.ledger import Connection
from app.store.reading import Reader
from app.verify.checking import Verifier
from app.verify.judging import conclude

OFF = "acting is switched off here (act.enabled)"


class Hands(msgspec.Struct, frozen=True):
    """What is done with, and who rules on it.

    Attributes:
        settings: how long, how often.
        guard: rules.
        halting: looks at the file of the kill switch.
        verifier: measures.
        backends: where jobs run.
        world: what motions are made of.
        moves: moves missions.
    """

    settings: ActSettings
    guard: Guard
    halting: Halting
    verifier: Verifier
    backends: Mapping[str, Backend]
    world: World
    moves: Moves


class Grounds(msgspec.Struct, frozen=True):
    """Where it stands.

    Attributes:
        keeper: writes.
        reader: reads.
        switch: looks at the kill switch alone.
        clock: the time.
        registry: the metrics.
        random: returns a number that nobody else draws.
        is_deciding: tells whether incidents are decided on.
    """

    keeper: Keeper
    reader: Reader
    switch: Switch
    clock: Clock
    registry: CollectorRegistry
    random: Callable[[], int]
    is_deciding: Callable[[Connection], bool]


class Acting:
    """All that acts.

    Attributes:
        settings: how long, how often.
        guard: rules.
        halting: looks at the file of the kill switch.
        verifier: measures.
        backends: where jobs run.
        moves: moves missions.
        proposing: keeps what people propose.
        approving: takes what people answer.
        stopping: ends jobs, and halts everything.
        stop_all: ends at once what runs, if all is halted; call it on the
            event loop.
        advancer: takes missions as far as they go.
        looks: tells whether what was handed over is looked at; or None.
        chores: what finds what is due, and what must be looked at.
    """

    def __init__(self, hands: Hands, grounds: Grounds) -> None:
        """Take what is done with, and where it stands."""
        self.settings = hands.settings
        self.guard = hands.guard
        self.halting = hands.halting
        self.verifier = hands.verifier
        self.backends = hands.backends
        self.moves = hands.moves
        self.proposing = Proposing(self.moves, hands.world)
        self.approving = Approving(self.moves, self.proposing)
        self.stopping = Stopping(self.moves)
        off = "" if hands.settings.enabled else OFF
        ways = RealWays(grounds.keeper, grounds.reader, hands.halting, off)
        self.advancer = Advancer(
            make_crew(hands, self.proposing, grounds.random),
            ways,
            grounds.clock,
        )
        chore = MissionChore(
            self._parts(grounds, ways), node_name(grounds.random())
        )
        evidence = Evidence(self.moves, hands.world, self.proposing)
        looking = EvidenceChore(Looking(evidence, grounds.keeper, ways))
        settings = hands.settings
        is_looking = settings.enabled and settings.collect_evidence
        self.looks = evidence.will_look if is_looking else None
        self.stop_all = chore.stop_all
        own: tuple[Chore, ...] = (chore,)
        if settings.enabled:
            own = (chore, self.advancer.fleet, *self._lookouts(grounds.switch))
        extra: tuple[Chore, ...] = (looking,) if is_looking else ()
        self.chores = own + extra

    def _lookouts(self, switch: Switch) -> tuple[Chore, ...]:
        """Return who looks at the file, and who at the switch."""

        def hear() -> None:
            """Let those who end what runs hear of the file."""
            self.advancer.fleet.hear(is_halted=file.is_on)
            self.stop_all()

        def heed() -> None:
            """Let them hear of the switch."""
            self.advancer.fleet.heed(is_halted=far.is_on)
            self.stop_all()

        file = Lookout(lambda: bool(self.halting.look()), hear)
        far = Lookout(switch.is_on, heed, switch.close)
        return file, far

    def _parts(self, grounds: Grounds, ways: Ways) -> Parts:
        """Return what the chore is made of."""
        return Parts(
            advancer=self.advancer,
            moves=self.moves,
            ways=ways,
            keeper=grounds.keeper,
            settings=self.settings,
            clock=grounds.clock,
            meters=Meters(grounds.registry),
            is_deciding=grounds.is_deciding,
        )


def make_crew(
    hands: Hands, proposing: Proposing, random: Callable[[], int]
) -> Crew:
    """Return who does the work of each stage."""
    moves = hands.moves
    catalogue = hands.world.catalogue
    motions = Motions(hands.world)
    rulings = Rulings(moves, motions, hands.guard, random)
    return Crew(
        moves=moves,
        motions=motions,
        rulings=rulings,
        starting=Starting(moves, rulings),
        jobs=Jobs(
            moves, catalogue, rulings.bounds_of, hands.settings.output_bytes
        ),
        measuring=Measuring(moves, catalogue, conclude, proposing),
        verifier=hands.verifier,
        backends=hands.backends,
    )
