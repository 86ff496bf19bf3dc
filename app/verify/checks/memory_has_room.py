"""How much memory of this machine is used; what is reclaimable is free."""

from pydantic import Field

from app.core.configfile import Section
from app.core.machine import look, read_memory
from app.core.options import Options
from app.models.gauge import Gauge, elsewhere
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv
from app.verify.recent import RECENT_SECONDS, recent

SERIES = "memory_percent"
GAUGE = Gauge(check="memory_has_room", unit="%", chance=3.0)


class MemoryOptions(Section):
    """How much may be used."""

    limit: float = Field(90.0, gt=0, le=100)


class MemoryHasRoom:
    """Reads how much is used."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and how much may be used here."""
        self.options = Options(MemoryOptions, env.settings(MemoryOptions))
        self._clock = env.clock
        self._readings = env.readings

    async def measure(self, subject: Subject) -> Reading:
        """Return how much is used."""
        limit = self.options.read(subject.options).limit
        if not subject.is_here:
            return GAUGE.miss(self._clock.now(), elsewhere(subject))
        used = recent(self._readings, SERIES, subject, self._clock)
        since = f" (mean of {RECENT_SECONDS:g} s at most, watched)"
        if used is None:
            used, since = await look(read_memory), ""
        says = f"{used:.0f} % of the memory is used{since}"
        return GAUGE.read(self._clock.now(), used, limit, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return GAUGE.judge(before, after)


def plugin(env: CheckEnv) -> Check:
    """Return the check."""
    return MemoryHasRoom(env)
