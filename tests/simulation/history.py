"""Histories: everything at random, out of one seed, until it rests."""

from collections.abc import Callable

from app.models.alert import Status
from app.models.approval import Answer
from tests.simulation.dealing import Chance
from tests.simulation.habits import draw_habit
from tests.simulation.holding import count_held
from tests.simulation.hosts import BROKEN, CALM
from tests.simulation.loop import SECOND
from tests.simulation.people import People
from tests.simulation.points import Point
from tests.simulation.reckoning import reckon
from tests.simulation.scene import HOSTS, the_scene
from tests.simulation.sim import Simulation

STEPS = 150
HOUR = 3_600 * SECOND
PATIENCE = 1_200.0
# Hosts on which something can happen.
HANDY = ("web-1", "web-2", "web-3", "app-1")
# What an incident may have besides, and what is decided on then.
OLDER = "Hot"
PEOPLE = ("ana", "bo", "cy")
# How often a habit is given in to at the end, and for how long all is well
# before that, in seconds: what comes again after it is another incident.
ROUNDS = 5
WELL = 65.0
# What can fail at which point, besides to die there.
FAILS = {
    "turn": ("fails", "undone"),
    "turned": ("lost",),
    "look": ("fails",),
    "check": ("fails", "hangs"),
    "watch": ("fails", "hangs"),
    "abort": ("fails",),
    "find": ("fails",),
    "hear": ("fails", "hangs"),
}


class History:
    """One history; what happens in it is said by its seed."""

    def __init__(self, seed: int, steps: int = STEPS) -> None:
        """Take the seed, and how many steps there are before it rests."""
        self.chance = Chance(seed)
        random = self.chance.random
        nodes = random.choice((1, 2, 2, 3))
        skew = random.choice((0, 0, SECOND // 2))
        self.sim = Simulation(self.chance, nodes, skew)
        self.sim.stage.receiver.knows_keys = self.chance.maybe(0.8)
        self._people = People(self.sim)
        self._steps = steps
        self._habit = draw_habit(seed, random)
        self.chance.habit = self._habit
        self._may_jump = self.chance.maybe(0.2)
        self.sim.stage.audit.is_time_sane = not (skew or self._may_jump)
        self._deeds: tuple[tuple[float, Callable[[], object]], ...] = (
            (10, self._advance),
            (3, self._sicken),
            (2, self._monitor),
            (1, self._mistell),
            (1.5, self._symptom),
            (6, self._answer),
            (0.4, self._propose),
            (0.5, self._abort),
            (0.15, self._halt),
            (0.6, self._resume),
            (0.5, self._change_host),
            (0.3, self._change_receiver),
            (0.5, self._kill),
            (0.6, self._freeze),
            (1.0, self._thaw),
            (0.04, self._misfire),
            (0.3, self._jump),
            (0.2, self._flap),
        )

    def play(self) -> Simulation:
        """Let it happen, let it come to rest, and reckon."""
        sim = self.sim
        try:
            self._sicken()
            for _ in range(self._steps):
                self._step()
            if self._habit.hosts:
                self._insist()
            self._calm_down()
            sim.on_rest = self._on_rest
            sim.drain(PATIENCE + (2 * HOUR / SECOND) * self._may_jump)
            # What was muted for a while is released, and decided again.
            sim.run(100.0)
            sim.drain(PATIENCE)
            reckon(sim)
            sim.held = count_held(sim)
        finally:
            sim.close()
        return sim

    def _on_rest(self, sim: Simulation) -> bool:
        """Let monitoring say what is so."""
        sim.monitor()
        return sim.can_fold()

    def _step(self) -> None:
        """Let one thing happen."""
        sim, random = self.sim, self.chance.random
        points = sim.points
        if points and self.chance.maybe(0.92):
            self._pass(random.choice(points))
            return
        if self.chance.maybe(0.7) and sim.step_once(random):
            return
        weights = [weight for weight, _ in self._deeds]
        (deed,) = random.choices([do for _, do in self._deeds], weights)
        deed()
        sim.check()

    def _pass(self, point: Point) -> None:
        """Let a node go on, or let something go wrong there."""
        fates = FAILS.get(point.what, ())
        fate = ""
        if fates and self.chance.maybe(self.chance.trouble / 6):
            fate = self.chance.pick(*fates)
        self.sim.release(point, fate)

    def _insist(self) -> None:
        """Let hosts be sick again and again, and let people want it mended.

        Where all is in vain they also stay sick.
        """
        sim, random, habit = self.sim, self.chance.random, self._habit
        self._go_on()
        # What people were given before is not decided on while it lasts.
        for host in sim.stage.hosts.all.values():
            host.value, host.is_silent, host.is_reachable = CALM, False, True
        self._monitor()
        sim.run(WELL)
        self.chance.is_keen = True
        for turn in range(ROUNDS):
            host = sim.stage.hosts.all[habit.hosts[turn % len(habit.hosts)]]
            if self.chance.maybe(0.2):
                self._kill()
            host.value = BROKEN
            self._monitor()
            sim.run(2.0)
            self._people.grant_all(PEOPLE)
            sim.run(40.0 * random.choice((1, 1, 2)))
            if not habit.is_vain:
                host.value = CALM
                self._monitor()
                sim.run(5.0 * random.choice((1, 1, 2)))
        self.chance.is_keen = False

    def _calm_down(self) -> None:
        """End what would keep it from coming to rest."""
        sim = self.sim
        self._go_on()
        while len(sim.nodes) > 1 and self.chance.maybe(0.7):
            sim.retire(sim.nodes[-1])
        self.chance.trouble = 0.0
        sim.say("from here on nothing fails")

    def _go_on(self) -> None:
        """End what lets nothing start at all."""
        for node in self.sim.nodes:
            self.sim.thaw(node)
        self.sim.stage.receiver.is_down = False
        self.sim.stage.halt_by_file("")
        self._people.resume()

    # What may happen.

    def _advance(self) -> None:
        """Let some time pass."""
        near = self.sim.next_span()
        spans = (near, near, SECOND // 2, SECOND, 3 * SECOND, 12 * SECOND)
        rare = (60 * SECOND,) * self.chance.maybe(0.1)
        self.sim.advance(self.chance.random.choice((*spans, *rare)))

    def _host(self) -> str:
        """Return one of the hosts."""
        if self._habit.hosts and self.chance.maybe(0.8):
            return self.chance.pick(*self._habit.hosts)
        return self.chance.pick(*HOSTS, *HANDY, *HANDY, *HANDY)

    def _sicken(self) -> None:
        """Let a host become sick, and monitoring say so."""
        self.sim.stage.hosts.all[self._host()].value = BROKEN
        self._monitor()

    def _monitor(self) -> None:
        """Let monitoring say what is so."""
        self.sim.monitor()

    def _mistell(self) -> None:
        """Let monitoring repeat itself, or say things in a wrong order."""
        sim, random = self.sim, self.chance.random
        host, now = self._host(), sim.stage.clock.now()
        problem = self.chance.pick("Sick", "Slow", "Hot")
        ago = random.choice((0, 1, 20, 100)) * SECOND
        some = [Status.FIRING, Status.RESOLVED]
        random.shuffle(some)
        for status in some[: random.choice((1, 2))]:
            sim.send(host, problem, status, now - ago)

    def _symptom(self) -> None:
        """Let a sick host have an older symptom as well, or let that end."""
        sim = self.sim
        known = [host for host, problem in sim.told if problem == OLDER]
        sick = [host for host, problem in sim.told if problem != OLDER]
        if known and self.chance.maybe(0.6):
            sim.tell(self.chance.pick(*known), OLDER, Status.RESOLVED)
        elif sick:
            host = self.chance.pick(*sick)
            ago = self.chance.random.choice((1, 20)) * SECOND
            sim.told.setdefault((host, OLDER), sim.stage.clock.now() - ago)
            sim.tell(host, OLDER)

    def _answer(self) -> None:
        """Let a person answer something, perhaps something old."""
        known = list(self.sim.stage.audit.state.approvals)
        asked = self.sim.asked
        some = asked if asked and self.chance.maybe(0.8) else known
        if not some:
            return
        answers = (*[Answer.GRANT] * 12, *Answer)
        answer = self.chance.random.choice(answers)
        host = self._host() if answer is Answer.EDIT else ""
        number = self.chance.random.choice(some)
        self._people.answer(number, answer, self.chance.pick(*PEOPLE), host)

    def _propose(self) -> None:
        """Let a person propose something."""
        missions = self.sim.stage.audit.state.missions
        if missions:
            incident = self.chance.random.choice(list(missions.values()))
            names = [one.name for one in the_scene().catalogue.specs]
            action = self.chance.pick(*(self._habit.actions or names))
            self._people.propose(incident.incident_id, action, self._host())

    def _abort(self) -> None:
        """Let a person abort some job."""
        jobs = list(self.sim.stage.audit.state.jobs)
        if jobs:
            self._people.abort(jobs[-1])

    def _halt(self) -> None:
        """Halt everything, in one of the two ways."""
        if self.chance.maybe(0.5):
            self._people.halt()
        else:
            self.sim.say("the file of the kill switch is there")
            self.sim.stage.halt_by_file("the file is there")

    def _resume(self) -> None:
        """Let things start again."""
        self.sim.say("the file of the kill switch is gone")
        self.sim.stage.halt_by_file("")
        self._people.resume()

    def _change_host(self) -> None:
        """Let a host change by itself."""
        name = self._host()
        host = self.sim.stage.hosts.all[name]
        what = self.chance.pick("calm", "silent", "speaks", "gone", "back")
        self.sim.say(f"{name}: {what}")
        if what == "calm":
            host.value = CALM
        elif what in ("silent", "speaks"):
            host.is_silent = what == "silent"
        else:
            host.is_reachable = what == "back"

    def _change_receiver(self) -> None:
        """Let the receiver go down, or come back."""
        receiver = self.sim.stage.receiver
        receiver.is_down = not receiver.is_down
        self.sim.say(f"the receiver is down: {receiver.is_down}")

    def _node(self) -> int:
        """Return one of the nodes."""
        return self.chance.random.randrange(len(self.sim.nodes))

    def _kill(self) -> None:
        """Let a process die wherever it is."""
        self.sim.kill(self.sim.nodes[self._node()])

    def _freeze(self) -> None:
        """Let a process stop for a while."""
        node = self.sim.nodes[self._node()]
        if not node.is_frozen:
            self.sim.freeze(node)

    def _thaw(self) -> None:
        """Let a process go on."""
        node = self.sim.nodes[self._node()]
        if node.is_frozen:
            self.sim.thaw(node)

    def _misfire(self) -> None:
        """Let many hosts be sick of one cause."""
        for host in self.sim.stage.hosts.all.values():
            host.value = BROKEN
        self._monitor()

    def _flap(self) -> None:
        """Let a problem come and go too often."""
        host = self.sim.stage.hosts.all[self._host()]
        for _ in range(3):
            for value in (CALM, BROKEN):
                host.value = value
                self._monitor()
                self.sim.fold()
                self.sim.advance(SECOND)

    def _jump(self) -> None:
        """Let the wall clock jump."""
        if self._may_jump:
            hours = self.chance.random.choice((-1, -1, 1, 1))
            self.sim.jump(hours * HOUR)


def play(seed: int) -> Simulation:
    """Play the history of a seed to its end."""
    return History(seed).play()
