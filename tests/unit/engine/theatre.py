"""A theatre: the whole of acting on a real store, with a robot for hands.

Time, chance, the backend and the check are the test's; the guard, the
pipeline, the engine and the store are the product's.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from app.act.settings import ActSettings
from app.core.configfile import Config
from app.decide.deciding import Decider
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.decide.reins import DecideSettings
from app.decide.runbooks import Runbooks
from app.engine.acting import Hands, make_crew
from app.engine.advancing import Advancer
from app.engine.approving import Approving, Reply
from app.engine.casework import Casework
from app.engine.evidence import Evidence
from app.engine.moves import Moves
from app.engine.plans import World
from app.engine.proposing import Proposal, Proposing
from app.engine.recording import keep
from app.engine.stopping import Stopping
from app.fold.rules import FoldSettings, make_rules
from app.guard.guard import Guard
from app.guard.halting import Halting
from app.guard.policy import parse_policy
from app.models.action import (
    ActionSpec,
    Catalogue,
    Parameter,
    Risk,
    Run,
)
from app.models.action import Check as Declared
from app.models.approval import Answer, Approval
from app.models.choice import Decision
from app.models.inventory import Inventory, Thing
from app.models.job import Job
from app.models.menu import Menu
from app.models.mission import Mission
from app.models.mission_tables import ApprovalRow, JobRow, MissionRow
from app.models.origins import TOPICS
from app.models.record import Record
from app.models.tables import EntryRow
from app.ports import Backend, Check
from app.store.approvals import find_approval
from app.store.glance import Seen, Stamps, look_again
from app.store.inbox import SqlInbox
from app.store.jobs import find_job
from app.store.ledger import Ledger
from app.store.lending import Loan
from app.store.missions import claim_due, find_mission, next_due
from app.verify.checking import Around, Env, Verifier
from app.verify.checks import alert_is_over
from tests.unit.engine.robot import Health, Robot
from tests.unit.fold.room import SECOND, Room

T = TypeVar("T")
POLICY = """
rules: []
trust: {otherwise: auto}
blast: {targets: 1000}
budgets: []
"""
ASKS = POLICY.replace("auto", "approve")
HOST = Parameter(
    purpose="the host", shape="host", labels=("instance",), inventory="host"
)


def spec(name: str, **more: object) -> ActionSpec:
    """Return an action on one host."""
    values: dict[str, object] = {
        "name": name,
        "purpose": "Do something.",
        "when_to_use": "When it helps.",
        "when_not_to_use": "When it does not.",
        "parameters": {"host": HOST},
        "risk": Risk.REVERSIBLE,
        "run": Run(backend="robot", job=name, timeout_seconds=60),
        "check": Declared(
            name="health",
            hold_seconds=20,
            within_seconds=60,
            every_seconds=10,
        ),
        "cooldown_seconds": 0,
        **more,
    }
    return ActionSpec.model_validate(values)


def quiet_spec(name: str) -> ActionSpec:
    """Return an action that does nothing."""
    return spec(name, parameters={}, risk=Risk.OBSERVE, run=None, check=None)


CATALOGUE = Catalogue(
    (
        quiet_spec("escalate"),
        quiet_spec("no_action"),
        spec("mend", undo="unmend"),
        spec("unmend"),
        spec("other"),
        spec("look", risk=Risk.OBSERVE, check=None),
        spec(
            "touch",
            run=Run(backend="robot", job="touch", is_idempotent=True),
        ),
        spec(
            "twice",
            run=Run(backend="robot", job="first", timeout_seconds=60),
            otherwise=(
                Run(backend="nobody", job="x"),
                Run(backend="spare", job="second", timeout_seconds=90),
            ),
        ),
        spec("careful", preconditions=("ready",)),
        spec(
            "brief",
            run=Run(
                backend="robot",
                job="brief",
                timeout_seconds=60,
                when_resolved="abort",
            ),
        ),
        spec("nowhere", run=Run(backend="nobody", job="x")),
        spec(
            "collect_diagnostics",
            parameters={
                "host": HOST,
                "topic": Parameter(
                    purpose="what to look at", shape="word", values=TOPICS
                ),
            },
            hints={
                "service": Parameter(
                    purpose="which service",
                    shape="service",
                    labels=("service",),
                    known_software=True,
                )
            },
            risk=Risk.OBSERVE,
            check=None,
        ),
    )
)


class Held:
    """A hold that the test lets go."""

    def __init__(self) -> None:
        """Begin held."""
        self.is_ours = True

    @property
    def hurried(self) -> asyncio.Event:
        """Return what is never set; each run has a loop of its own."""
        return asyncio.Event()

    def is_held(self) -> bool:
        """Tell what the test says."""
        return self.is_ours

    def interruptible(self) -> AbstractContextManager[None]:
        """Call nothing off."""
        return nullcontext()


class Direct:
    """How the advancer reaches the store: at once, on this thread."""

    def __init__(
        self, theatre: "Theatre", stamps: Stamps | None = None
    ) -> None:
        """Take where it is, and who knows whether anybody has written."""
        self._theatre = theatre
        self._stamps = stamps

    async def turn(self, work: Callable[[Connection], T]) -> T:
        """Do some work in a turn."""
        return self._theatre.turn(work)

    async def urge(self, work: Callable[[Connection], T]) -> T:
        """Do some work in a turn."""
        return self._theatre.turn(work)

    async def look(self, work: Callable[[Connection], T]) -> T:
        """Do some work on what there is."""
        return self._theatre.turn(work)

    async def glance(
        self, work: Callable[[Connection], T], last: Seen[T] | None
    ) -> Seen[T]:
        """Do some work on what there is, unless nobody has written."""
        stamp = self._stamps.read() if self._stamps else None
        return look_again(partial(self._theatre.turn, work), stamp, last)

    async def halted(self) -> str:
        """Return what the file of the kill switch says."""
        return self._theatre.halting.look()

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        self._theatre.clock.advance(seconds)


class Theatre(Room):
    """A room in which decisions are acted upon."""

    def __init__(
        self,
        inbox: SqlInbox,
        ledger: Ledger,
        folder: Path,
        policy: str = POLICY,
    ) -> None:
        """Take the two ways to write, a folder, and the policy's text."""
        super().__init__(inbox, ledger)
        self.robot, self.spare = Robot(), Robot()
        self.health, self.ready = Health(self.clock), Health(self.clock, 1.0)
        self.checks: dict[str, Check] = {"health": self.health}
        self.checks["ready"] = self.ready
        self.hold = Held()
        self.things: tuple[Thing, ...] = ()
        self.halting = Halting(folder / "HALT")
        self.moves = Moves(self.clock, ActSettings().limits)
        self.decider = Decider(
            {},
            lambda: Grounder(CATALOGUE, self.inventory, read_knowledge()),
            lambda _case: None,
        )
        rules, settings = make_rules(FoldSettings()), DecideSettings()
        known = (Runbooks(folder), self.clock, lambda: self.inventory)
        self.casework = Casework(rules, settings, *known)
        backends: dict[str, Backend] = {"robot": self.robot}
        backends["spare"] = self.spare
        world = World(
            casework=self.casework,
            decider=self.decider,
            catalogue=CATALOGUE,
            inventory=lambda: self.inventory,
            backends=backends,
            is_here=lambda *_names: False,
        )
        self.proposing = Proposing(self.moves, world)
        self.evidence = Evidence(self.moves, world, self.proposing)
        self.approving = Approving(self.moves, self.proposing)
        self.stopping = Stopping(self.moves)
        hands = Hands(
            settings=ActSettings(),
            guard=Guard(parse_policy(policy)),
            halting=self.halting,
            verifier=Verifier(self.checks, self.clock),
            backends=backends,
            world=world,
            moves=self.moves,
        )
        crew = make_crew(hands, self.proposing, lambda: 7)
        self.advancer = Advancer(crew, Direct(self), self.clock)

    @property
    def inventory(self) -> Inventory:
        """Return what there is."""
        return Inventory(self.things)

    def decide(self, number: int, action: str, **arguments: str) -> Mission:
        """Keep a decision of a brain; return the mission that follows."""
        found = self.turn(lambda c: self.casework.open_file(c, number))
        assert found is not None
        last = [
            row.decision_id
            for row in self.rows(MissionRow)
            if row.incident_id == number
        ]
        record = Record(
            at=self.clock.now(),
            standpoint=found.standpoint,
            case=found.case,
            menu=Menu(()),
            decision=Decision(
                action=action,
                arguments={"host": "web-01", **arguments},
                reason="It helps.",
                confidence=0.9,
                brain="fake",
            ),
        )
        newest = max(last, default=0)
        kept = self.turn(lambda c: keep(c, record, newest, self.moves))
        assert kept
        return self.mission()

    def mission(self) -> Mission:
        """Return the newest mission."""
        number = self.rows(MissionRow)[-1].id
        found = self.turn(lambda c: find_mission(c, number))
        assert found is not None
        return found

    def job(self) -> Job:
        """Return the newest job."""
        number = self.rows(JobRow)[-1].id
        found = self.turn(lambda c: find_job(c, number))
        assert found is not None
        return found

    def asked(self) -> Approval:
        """Return the newest question."""
        number = self.rows(ApprovalRow)[-1].id
        found = self.turn(lambda c: find_approval(c, number))
        assert found is not None
        return found

    def claim(self, holder: str = "here") -> list[Mission]:
        """Take what is due."""
        now = self.clock.now()
        return self.turn(
            lambda c: claim_due(
                c, Loan(holder, now, now + 9 * SECOND), limit=10
            )
        )

    def go(self) -> Mission:
        """Take all that is due as far as it goes; return the newest."""
        for mission in self.claim():
            asyncio.run(self.advancer.advance(mission, self.hold))
        return self.mission()

    def play(self, seconds: float) -> Mission:
        """Let time pass, and do what falls due."""
        until = self.clock.now() + int(seconds * SECOND)
        for _ in range(200):
            self.go()
            now = self.clock.now()
            due = self.turn(partial(next_due, now=now))
            if due is None or due > until:
                break
            self.clock.advance(max(0.0, (due - now) / 1e6))
        rest = until - self.clock.now()
        self.clock.advance(max(0.0, rest / 1e6))
        return self.mission()

    def answer(
        self, wish: Answer, person: str = "ana", host: str = "web-01"
    ) -> Approval:
        """Let a person answer the newest question."""
        return self.answer_to(self.asked().id, wish, person, host)

    def answer_to(
        self,
        number: int,
        wish: Answer,
        person: str = "ana",
        host: str = "web-01",
    ) -> Approval:
        """Let a person answer a question."""
        reply = Reply(
            approval=number,
            person=person,
            answer=wish,
            arguments={"host": host},
        )
        return self.turn(lambda c: self.approving.take(c, reply))

    def propose(self, number: int, action: str, host: str) -> Mission:
        """Let a person propose something."""
        wish = Proposal(
            incident=number,
            action=action,
            arguments={"host": host},
            author="ana",
        )
        return self.turn(lambda c: self.proposing.propose(c, wish))[1]

    def read_alerts(self) -> None:
        """Let the alert's own state be a check as well, as it always is."""
        around = Around({}, self.clock, lambda: self.inventory)
        env = Env("alert_is_over", Config({}, {}), around)
        self.checks["alert_is_over"] = alert_is_over.plugin(env)

    def kinds(self) -> list[str]:
        """Return the kinds of all lines of the log, in order."""
        return [row.kind for row in self.rows(EntryRow)]
