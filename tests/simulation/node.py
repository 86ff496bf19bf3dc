"""A node: one process with the real engine in it, stepped by hand."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from prometheus_client import CollectorRegistry

from app.core.configfile import Config
from app.core.errors import SmokejumperError, StorageFailed
from app.decide.deciding import Decider
from app.decide.grounding import Grounder
from app.decide.runbooks import Runbooks
from app.engine.acting import Hands, make_crew
from app.engine.advancing import Advancer
from app.engine.approving import Approving
from app.engine.casework import Casework
from app.engine.missionmeters import Meters
from app.engine.missions import MissionChore
from app.engine.moves import Moves
from app.engine.parts import Parts
from app.engine.plans import World
from app.engine.proposing import Proposing
from app.engine.recall import Recall, Taken
from app.engine.recording import keep
from app.engine.stopping import Stopping
from app.engine.undecided import Due, find_due
from app.engine.ways import Hold
from app.guard.halting import Halting
from app.models.case import Case
from app.models.choice import Choice
from app.models.menu import Menu
from app.models.mission import Mission
from app.models.record import Cost, Record
from app.ports import Check
from app.store.casefile import find_open
from app.store.glance import Seen
from app.store.ledger import Connection
from app.verify.checking import Around, Env, Verifier
from app.verify.checks import alert_is_over
from tests.simulation.hosts import Health, Reachable
from tests.simulation.loop import NodeClock, SimLoop
from tests.simulation.points import Died, Gate, Point
from tests.simulation.receiver import SimBackend
from tests.simulation.scene import BRAIN, HANDS, the_scene
from tests.simulation.stage import Stage
from tests.simulation.vault import Undone

T = TypeVar("T")
Work = Callable[[Connection], T]


def name_of(work: object) -> str:
    """Return what a work is called, for the trace."""
    while isinstance(work, partial):
        work = work.func
    return str(getattr(work, "__qualname__", "?")).rpartition(".")[2]


class SimWays:
    """Reaches the store and the kill switch, if nothing comes between."""

    def __init__(self, stage: Stage, gate: Gate, clock: NodeClock) -> None:
        """Take the stage, where it may be held up, and the time."""
        self._stage = stage
        self._gate = gate
        self._clock = clock

    async def turn(self, work: Work[T]) -> T:
        """Do some work in a turn; one may die before and after it."""
        name = name_of(work)
        fate = await self._gate.point("turn", name)
        if fate == "fails":
            raise StorageFailed("the disk is slow")
        try:
            result = self._stage.turn(
                work, self._gate.node, fate, self._clock.now()
            )
        except Undone:
            self._gate.is_dead = True
            raise Died from None
        fate = await self._gate.point("turned", name)
        if fate == "lost":
            raise StorageFailed("nobody knows whether it was committed")
        return result

    async def urge(self, work: Work[T]) -> T:
        """Do some work in a turn: here nothing waits before another."""
        return await self.turn(work)

    async def look(self, work: Work[T]) -> T:
        """Do some work on a snapshot."""
        fate = await self._gate.point("look", name_of(work))
        if fate == "fails":
            raise StorageFailed("the disk is slow")
        self._stage.audit.looked(self._stage.task())
        return self._stage.vault.look(work)

    async def glance(self, work: Work[T], last: Seen[T] | None) -> Seen[T]:
        """Do some work on a snapshot, unless nobody has written since."""
        await self._gate.point("look")
        self._stage.audit.looked(self._stage.task())
        return self._stage.vault.glance(work, last)

    async def halted(self) -> str:
        """Return what the file of the kill switch says."""
        await self._gate.point("halted")
        self._stage.audit.looked(self._stage.task(), is_at_file=True)
        return self._stage.halt_file

    async def pause(self, seconds: float) -> None:
        """Wait until the clock has gone on."""
        await self._gate.sleep(seconds)


class SimBrain:
    """Chooses what the dealer says."""

    def __init__(self, stage: Stage, gate: Gate) -> None:
        """Take who deals, and where it may be held up."""
        self._stage = stage
        self._gate = gate

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return a choice."""
        await self._gate.point("brain", str(case.incident))
        return self._stage.dealer.choose(case, menu)


class Watched:
    """The real advancer; a bug in it is kept, not only logged."""

    def __init__(self, advancer: Advancer, bugs: list[str]) -> None:
        """Take the advancer, and where bugs are kept."""
        self._advancer = advancer
        self._bugs = bugs

    async def advance(self, mission: Mission, hold: Hold) -> Mission:
        """Take a mission as far as it goes now."""
        with Witness(self._bugs):
            return await self._advancer.advance(mission, hold)

    async def end(self, taken: Taken, hold: Hold) -> Mission:
        """End a job that was told to end, and go on from there."""
        with Witness(self._bugs):
            return await self._advancer.end(taken, hold)

    @property
    def recall(self) -> Recall:
        """Return what tells jobs to end."""
        return self._advancer.recall


class Witness:
    """Keeps what nobody expects to be raised."""

    def __init__(self, bugs: list[str]) -> None:
        """Take where bugs are kept."""
        self._bugs = bugs

    def __enter__(self) -> None:
        """Begin to look."""

    def __exit__(self, kind: object, error: object, _trace: object) -> None:
        """Keep a bug, and let it go on."""
        if isinstance(error, Exception) and not isinstance(
            error, SmokejumperError
        ):
            self._bugs.append(f"{type(error).__name__}: {error}")


class Node:
    """One process; when it has died, another one takes its place."""

    def __init__(self, stage: Stage, name: str, skew: int = 0) -> None:
        """Take the stage, its name, and by how much its clock is off."""
        self.name = name
        self.is_frozen = False
        self.clock = NodeClock(stage.clock, skew)
        self.loop = SimLoop(stage.clock, name)
        self.gate = Gate(name, self.loop, stage.points)
        self.seen = -1
        self.decided_at: tuple[int | None, ...] = ()
        self._stage = stage
        self._ways = SimWays(stage, self.gate, self.clock)
        self._bugs = stage.audit.bugs
        scene = the_scene()
        # Not all nodes know all sources: another name leads.
        is_turned = int(name.rpartition("-")[2]) % 2 == 0
        self.inventory = scene.turned if is_turned else scene.inventory
        self.casework = Casework(
            scene.rules,
            scene.decide,
            Runbooks(None),
            self.clock,
            lambda: self.inventory,
        )
        self._decider = Decider(
            {BRAIN: SimBrain(stage, self.gate)},
            lambda: Grounder(scene.catalogue, self.inventory, scene.knowledge),
            lambda _case: None,
        )
        self.moves = Moves(self.clock, scene.act.limits)
        world = World(
            casework=self.casework,
            decider=self._decider,
            catalogue=scene.catalogue,
            inventory=lambda: self.inventory,
            backends={HANDS: SimBackend(stage, self.gate)},
            is_here=lambda *_names: False,
        )
        self.proposing = Proposing(self.moves, world)
        self.approving = Approving(self.moves, self.proposing)
        self.stopping = Stopping(self.moves)
        self.chore = self._make_chore(world)

    def _make_chore(self, world: World) -> MissionChore:
        """Return the real mission chore, with all that it is made of."""
        stage, scene = self._stage, the_scene()
        backend = SimBackend(stage, self.gate)
        around = Around({}, self.clock, lambda: self.inventory)
        env = Env("alert_is_over", Config({}, {(): "sim"}), around)
        checks: dict[str, Check] = {
            "health": Health(stage.hosts, self.gate, self.clock),
            "reachable": Reachable(stage.hosts, self.gate, self.clock),
            "alert_is_over": alert_is_over.plugin(env),
        }
        hands = Hands(
            settings=scene.act,
            guard=scene.guard,
            halting=cast(Halting, None),  # the ways say it
            verifier=Verifier(checks, self.clock),
            backends={HANDS: backend},
            world=world,
            moves=self.moves,
        )
        crew = make_crew(hands, self.proposing, lambda: 4711)
        advancer = Advancer(crew, self._ways, self.clock)
        parts = Parts(
            advancer=cast(Advancer, Watched(advancer, self._bugs)),
            moves=self.moves,
            ways=self._ways,
            keeper=cast(Any, None),  # nobody wakes it: it is stepped
            settings=scene.act,
            clock=self.clock,
            meters=Meters(CollectorRegistry()),
            is_deciding=lambda _connection: True,
        )
        return MissionChore(parts, self.name)

    @property
    def leases(self) -> Mapping[int, object]:
        """Return the missions that it has."""
        return self.chore._leases

    def is_busy(self, what: str) -> bool:
        """Tell whether it looks, or decides, already."""
        return any(one.get_name().endswith(what) for one in self.loop.tasks)

    def round(self) -> None:
        """Let the mission chore look once."""
        self._begin(self.chore._round, "/round")

    def decide(self) -> None:
        """Let it decide on what is undecided."""
        self._begin(self._decide, "/decide")

    def _begin(self, work: Callable[[], Any], what: str) -> None:
        """Begin a task, unless the same goes on."""
        if not self.is_busy(what):
            task = self.loop.create_task(self._try(work))
            task.set_name(f"{task.get_name()}{what}")
            self.loop.settle()

    async def _try(self, work: Callable[[], Any]) -> None:
        """Do some work; what the store refuses is tried again later."""
        try:
            with Witness(self._bugs):
                await work()
        except SmokejumperError:
            return

    async def _decide(self) -> None:
        """Decide on what needs it, as the deciding chore does."""
        found = await self._ways.look(self._find_due)
        for number, due in sorted(found.items()):
            if due.begins_at <= self.clock.now():
                await self._decide_on(number)

    def _find_due(self, connection: Connection) -> dict[int, Due]:
        """Return what needs a decision."""
        some = find_open(connection, 0, 200)
        return find_due(connection, some, the_scene().decide.rest_seconds)

    async def _decide_on(self, number: int) -> None:
        """Decide on one incident."""

        def open_it(connection: Connection) -> Any:
            """Return the case, if it still needs a decision."""
            due = find_due(connection, [number], 0.0).get(number)
            file = self.casework.open_file(connection, number)
            return None if due is None or file is None else (due, file)

        opened = await self._ways.look(open_it)
        if opened is None:
            return
        due, file = opened
        decided = await self._decider.decide(file.case, file.reins)
        record = Record(
            at=self.clock.now(),
            standpoint=file.standpoint,
            case=file.case,
            menu=decided.menu,
            decision=decided.decision,
            cost=Cost(calls=1),
        )
        await self._ways.turn(
            partial(keep, record=record, last=due.last, moves=self.moves)
        )

    def let_go(self, point: Point, fate: str = "") -> None:
        """Let it go on from a point."""
        point.future.set_result(fate)
        self.loop.settle()

    def die(self) -> None:
        """End at once: nothing of it does anything any more."""
        self.gate.is_dead = True
        for task in list(self.loop.tasks):
            task.cancel()
        tasks = list(self.loop.tasks)
        self.loop.settle()
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()
