"""The hosts: how they are, what actions do to them, and who measures it."""

import msgspec

from app.core.errors import OutgoingFailed
from app.models.gauge import Gauge
from app.models.verdict import Judgement, Reading, Subject
from tests.simulation.loop import NodeClock
from tests.simulation.points import Gate
from tests.simulation.scene import HOSTS, LIMIT, lead

CALM, BROKEN = 10.0, 80.0
GAUGE = Gauge(check="health", unit="%", chance=1.0)
REACHABLE = Gauge(check="reachable", is_floor=True)


class Host(msgspec.Struct):
    """One host.

    Attributes:
        value: what the check reads: above the limit something is wrong.
        is_silent: whether it cannot be measured.
        is_reachable: whether its precondition holds.
    """

    value: float = CALM
    is_silent: bool = False
    is_reachable: bool = True

    @property
    def is_broken(self) -> bool:
        """Tell whether something is wrong with it."""
        return self.value > LIMIT


class Hosts:
    """All hosts."""

    def __init__(self) -> None:
        """Make them all well."""
        self.all = {name: Host() for name in HOSTS}

    def feel(self, name: str, effect: str) -> None:
        """Let an action have its effect on a host."""
        host = self.all[name]
        if effect == "heals":
            host.value = CALM
        elif effect == "harms":
            host.value += 30.0
        elif effect == "spreads":
            host.value += 10.0
            for other in ("web-2", "web-3", "app-2"):
                self.all[other].value = BROKEN
        elif effect == "blinds":
            host.is_silent = True


class Health:
    """A check that reads how a host is."""

    def __init__(self, hosts: Hosts, gate: Gate, clock: NodeClock) -> None:
        """Take the hosts, where it may be held up, and the time."""
        self._hosts = hosts
        self._gate = gate
        self._clock = clock

    async def measure(self, subject: Subject) -> Reading:
        """Return a reading; its answer may be late, or never come."""
        fate = await self._gate.point("check", subject.host)
        if fate == "fails":
            raise OutgoingFailed("the check is not answered")
        host = self._hosts.all[lead(subject.host)]
        at = self._clock.now()
        if host.is_silent:
            return GAUGE.miss(at, "it says nothing")
        return GAUGE.read(at, host.value, LIMIT, f"{host.value:g} %")

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return GAUGE.judge(before, after)


class Reachable:
    """A precondition: whether a host can be reached."""

    def __init__(self, hosts: Hosts, gate: Gate, clock: NodeClock) -> None:
        """Take the hosts, where it may be held up, and the time."""
        self._hosts = hosts
        self._gate = gate
        self._clock = clock

    async def measure(self, subject: Subject) -> Reading:
        """Return a reading."""
        fate = await self._gate.point("check", subject.host)
        if fate == "fails":
            raise OutgoingFailed("the check is not answered")
        host = self._hosts.all[lead(subject.host)]
        can = float(host.is_reachable)
        return REACHABLE.read(self._clock.now(), can, 1.0, f"{can:g}")

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return REACHABLE.judge(before, after)
