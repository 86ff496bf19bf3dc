"""The simulation: nodes on a stage, stepped one point at a time."""

import hashlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random

from app.core.errors import SmokejumperError
from app.models.alert import Severity, Status
from app.models.mission_tables import ApprovalRow
from app.store.ledger import Connection
from app.store.missions import next_due
from tests.fakes import make_alert
from tests.simulation.dealing import Dealer
from tests.simulation.loop import SECOND
from tests.simulation.node import Node
from tests.simulation.points import Point
from tests.simulation.scene import ALIASED, DOMAIN
from tests.simulation.stage import Stage

# A lease is renewed, and the sweep is made, so often by the real chore.
RENEW, SWEEP = 3 * SECOND, 30 * SECOND
MOST_PUMPED = 20_000
DECIDE = 5 * SECOND
NEWS = "SELECT max(id) AS news FROM entry WHERE kind LIKE 'incident.%'"
# Where a crash differs from one at the point before.
EFFECTS = ("turned", "started", "aborted", "heard")


class Violation(AssertionError):
    """A law was broken; says which, and how it came to it."""


class Simulation:
    """One history of several nodes."""

    def __init__(self, dealer: Dealer, nodes: int = 1, skew: int = 0) -> None:
        """Take what comes of what is done, and how many nodes there are.

        Args:
            dealer: what comes of what is done.
            nodes: how many processes there are.
            skew: by how much the clock of each further node is off.
        """
        self.stage = Stage(dealer)
        self.trace: list[str] = []
        self._numbers = count(1)
        self._skew = skew
        self.nodes: list[Node] = []
        for place in range(nodes):
            self.nodes.append(self._make_node(place))
        # What monitoring has told: host and problem, to when it began.
        self.told: dict[tuple[str, str], int] = {}
        self.events = 0
        # How many points were passed, and at which one the process dies.
        self.passed = 0
        self.crash_at = 0
        self.undoes = False
        # What people and the world do when all rests; tells whether it did.
        self.on_rest: Callable[[Simulation], bool] = lambda _: False
        # How often which limit held something back, once it is over.
        self.held: Counter[str] = Counter()
        self._is_alert_in = False

    def _make_node(self, place: int) -> Node:
        """Return a new process in the place of another."""
        name = f"node-{next(self._numbers)}"
        return Node(self.stage, name, place * self._skew)

    # What happens inside.

    @property
    def points(self) -> list[Point]:
        """Return where nodes wait that are not frozen."""
        points = self.stage.points
        points[:] = [one for one in points if not one.future.done()]
        frozen = {one.name for one in self.nodes if one.is_frozen}
        return [one for one in points if one.node not in frozen]

    def release(self, point: Point, fate: str = "") -> None:
        """Let a node go on from a point, and say what goes wrong there."""
        self.say(f"{point.node} {point.what} {point.about} {fate}")
        node = self.node_of(point)
        node.let_go(point, fate)
        if node.gate.is_dead:
            self.kill(node)
        self.check()

    def node_of(self, point: Point) -> Node:
        """Return the node that waits at a point."""
        return next(one for one in self.nodes if one.name == point.node)

    def kill(self, node: Node) -> None:
        """End a process at once, and begin another one in its place."""
        self.say(f"{node.name} dies")
        node.die()
        points = self.stage.points
        points[:] = [one for one in points if one.node != node.name]
        place = self.nodes.index(node)
        self.nodes[place] = self._make_node(place)
        self.stage.changes += 1
        self.check()

    def retire(self, node: Node) -> None:
        """End a process for good."""
        self.kill(node)
        gone = self.nodes.pop()
        gone.die()

    def freeze(self, node: Node) -> None:
        """Stop a process, as SIGSTOP does."""
        self.say(f"{node.name} freezes")
        node.is_frozen = True

    def thaw(self, node: Node) -> None:
        """Let a process go on."""
        self.say(f"{node.name} thaws")
        node.is_frozen = False
        self.stage.changes += 1
        node.loop.settle()
        self.check()

    def fold(self) -> None:
        """Let some keeper fold what came in."""
        self.say("fold")
        self._is_alert_in = self.stage.vault.fold().is_full
        self.stage.changes += 1
        self.stage.audit.turned("keeper", "nobody", self.stage.clock.now())
        self.check()

    def advance(self, span: int) -> None:
        """Let time pass."""
        self.say(f"+{span / SECOND:g} s")
        self.stage.clock.pass_by(span)
        self.stage.changes += 1
        self.stage.receiver.settle()
        for node in self.nodes:
            if not node.is_frozen:
                node.loop.settle()
        self.check()

    def jump(self, span: int) -> None:
        """Let the wall clock jump."""
        self.say(f"the clock jumps by {span / SECOND:g} s")
        self.stage.clock.jump(span)
        self.stage.changes += 1

    # What happens outside.

    def tell(
        self, host: str, problem: str = "Sick", status: Status = Status.FIRING
    ) -> None:
        """Let monitoring say something about a host."""
        key, now = (host, problem), self.stage.clock.now()
        began = self.told.setdefault(key, now)
        is_over = status is Status.RESOLVED
        if is_over:
            del self.told[key]
        self.send(host, problem, status, began)

    def send(
        self, host: str, problem: str, status: Status, began: int
    ) -> None:
        """Let monitoring say anything, in whatever order."""
        self.say(f"{host} {problem} {status} {began}")
        now = self.stage.clock.now()
        is_over = status is Status.RESOLVED
        name = f"{host}{DOMAIN}" if problem == ALIASED else host
        alert = make_alert(
            f"{host}/{problem}",
            occurrence=str(began),
            status=status,
            name=problem,
            labels={"instance": name, "alertname": problem},
            severity=Severity.WARNING,
            starts_at=began,
            ends_at=max(now, began) if is_over else None,
        )
        self.stage.vault.receive(alert)
        self._is_alert_in = True
        self.stage.changes += 1

    def monitor(self) -> None:
        """Let monitoring say what is so."""
        for name, host in self.stage.hosts.all.items():
            is_told = (name, "Sick") in self.told
            if host.is_broken and not is_told:
                self.tell(name)
            elif not host.is_broken and is_told:
                self.tell(name, status=Status.RESOLVED)

    def person(self, what: str, work: Callable[[Connection], object]) -> str:
        """Let a person do something; return why it was refused, or nothing."""
        self.say(what)
        moment = self.nodes[0].clock.now()
        try:
            self.stage.turn(work, "person", now=moment)
        except SmokejumperError as error:
            self.say(f"refused: {error}")
            return str(error) or "refused"
        finally:
            self.check()
        return ""

    @property
    def asked(self) -> list[int]:
        """Return the questions that wait for an answer."""
        rows = self.stage.vault.rows(ApprovalRow)
        return [row.id for row in rows if row.state == "asked"]

    # How it goes on without faults.

    def pump(self) -> None:
        """Let all go on until nothing happens without time."""
        for _ in range(MOST_PUMPED):
            if not self.step_fairly():
                return
        raise self.broken("it never comes to rest")

    def step_once(self, random: Random) -> bool:
        """Let some node look, or fold; tell whether one could."""
        if self.can_fold() and random.random() < 0.5:
            self.fold()
            return True
        node = random.choice(self.nodes)
        if node.is_frozen:
            return False
        if random.random() < 0.5:
            node.round()
        else:
            node.decide()
        self.check()
        return True

    def step_fairly(self) -> bool:
        """Let one thing happen that can; tell whether anything could."""
        points = self.points
        if points:
            self._pass(points[0])
            return True
        if self.can_fold():
            self.fold()
            return True
        for node in self.nodes:
            if not node.is_frozen and node.seen != self.stage.changes:
                node.seen = self.stage.changes
                node.round()
                self._let_decide(node)
                self.check()
                return True
        return False

    def _let_decide(self, node: Node) -> None:
        """Let a node decide when an incident has news, or now and then."""
        missions = self.stage.audit.state.missions.values()
        waits = sum(one.stage == "deciding" for one in missions)
        (row,) = self.stage.audit.all_rows(NEWS)
        often = DECIDE if waits else SWEEP
        mark = (row["news"], waits, self.stage.clock.ticks // often)
        if mark != node.decided_at:
            node.decided_at = mark
            node.decide()

    def _pass(self, point: Point) -> None:
        """Let a node go on from a point, or die there when that is planned.

        Every await is one of these points. To die before something is to
        die after the last thing that had an effect; and to die before a
        turn is committed leaves what was before it. So what comes after an
        effect is counted, unless each turn is to be undone as well.
        """
        if point.what in EFFECTS or (self.undoes and point.what == "turn"):
            self.passed += 1
            if self.passed == self.crash_at:
                if point.what == "turn":
                    self.release(point, "undone")
                else:
                    self.kill(self.node_of(point))
                return
        self.release(point)

    def can_fold(self) -> bool:
        """Tell whether there is something to fold, or to look at again."""
        due = self.stage.vault.next_fold
        return self._is_alert_in or (
            due is not None and due <= self.stage.clock.now()
        )

    def run(self, seconds: float) -> None:
        """Let some time pass, fairly."""
        end = self.stage.clock.ticks + int(seconds * SECOND)
        while True:
            self.pump()
            if self.on_rest(self):
                continue
            left = end - self.stage.clock.ticks
            if left <= 0:
                return
            self.advance(min(left, self.next_span()))

    def drain(self, seconds: float) -> None:
        """Let time pass until no mission is left, or fail."""
        end = self.stage.clock.ticks + int(seconds * SECOND)
        while True:
            self.pump()
            if self.on_rest(self):
                continue
            going = [
                one.id
                for one in self.stage.audit.state.missions.values()
                if not one.is_over
            ]
            if not going and not self.is_undecided():
                return
            if self.stage.clock.ticks >= end:
                raise self.broken(f"missions {going} do not end")
            self.advance(self.next_span())

    def is_undecided(self) -> bool:
        """Tell whether an open incident waits for its first decision."""
        rows = self.stage.audit.all_rows(
            "SELECT 1 FROM incident WHERE state IN ('open', 'waiting') AND"
            " NOT EXISTS (SELECT 1 FROM mission"
            " WHERE incident_id = incident.id)"
        )
        return bool(rows)

    def next_span(self) -> int:
        """Return how long nothing happens by itself, in microseconds."""
        stage = self.stage
        now, ticks = stage.clock.now(), stage.clock.ticks
        due = stage.vault.look(partial(next_due, now=now))
        spans = [SWEEP]
        spans += [due - now] if due is not None else []
        fold = stage.vault.next_fold
        spans += [fold - now] if fold is not None else []
        moment = stage.receiver.next_moment()
        spans += [moment - ticks] if moment is not None else []
        for node in self.nodes:
            timer = node.loop.next_timer()
            if timer is not None:
                spans.append(int(timer * SECOND) + 1 - ticks)
            spans += [RENEW] if node.leases else []
        ahead = [one for one in spans if one > 0]
        return min(ahead) if len(ahead) == len(spans) else SECOND // 2

    # What is told when a law was broken.

    def say(self, text: str) -> None:
        """Write a line of the trace."""
        self.events += 1
        seconds = self.stage.clock.ticks / SECOND
        self.trace.append(f"{self.events:5} {seconds:9.3f} {text.rstrip()}")

    def check(self) -> None:
        """Fail when a law was broken."""
        if self.stage.audit.bugs:
            raise self.broken("; ".join(self.stage.audit.bugs))

    def broken(self, what: str) -> Violation:
        """Return what was broken, with all that led to it."""
        trace = "\n".join(self.trace[-400:])
        return Violation(f"{what}\n{trace}")

    @property
    def digest(self) -> str:
        """Return a hash of all that happened."""
        text = "\n".join(self.trace).encode()
        return hashlib.sha256(text).hexdigest()[:16]

    def close(self) -> None:
        """End all processes, and give all back."""
        for node in self.nodes:
            node.die()
        self.stage.close()
