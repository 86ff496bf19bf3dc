"""Whether whoever keeps a service of this machine says that it is active.

That is a command of its own, supervisor, or systemd: app/core/daemons.py.
"""

from app.core.configfile import Section
from app.core.daemons import Daemons
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.machine import look
from app.core.shape import SHAPES
from app.core.warden import State
from app.models.gauge import Gauge, argument, elsewhere
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(check="service_is_active", unit="active", is_floor=True)
SECONDS = 5.0
# What a thread may take beyond that, to end what it asked.
EXTRA_SECONDS = 3.0


class ServiceIsActive:
    """Asks who keeps the service."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock, and what is said about this machine."""
        self._clock = env.clock
        self._daemons = Daemons(env.host)

    async def measure(self, subject: Subject) -> Reading:
        """Return 1 while it is active; nothing when nobody keeps it."""
        if not subject.is_here:
            return GAUGE.miss(self._clock.now(), elsewhere(subject))
        name = SHAPES["service"].fit(argument(subject, "service"))
        if name is None:
            raise OutgoingFailed("the service's name is none")
        seconds = SECONDS
        try:
            found = await look(
                lambda: self._daemons.state(name, seconds),
                seconds + EXTRA_SECONDS,
            )
        except NotAccepted as error:
            raise OutgoingFailed(str(error)) from error
        now = self._clock.now()
        if found.state is State.UNKNOWN:
            return GAUGE.miss(now, found.says)
        return GAUGE.read(now, float(found.is_active), 1.0, found.says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; what was active and is not is worse."""
        return GAUGE.judge(before, after)


def plugin(env: CheckEnv) -> Check:
    """Return the check; it takes no settings of its own."""
    env.settings(Section)
    return ServiceIsActive(env)
