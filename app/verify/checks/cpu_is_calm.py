"""How busy the cores of this machine are."""

from pydantic import Field

from app.core.configfile import Section
from app.core.machine import look, read_cpu
from app.core.options import Options
from app.models.gauge import Gauge, elsewhere
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv
from app.verify.recent import RECENT_SECONDS, recent

# One second of a busy machine differs from the next by as much.
SERIES = "cpu_percent"
GAUGE = Gauge(check="cpu_is_calm", unit="%", chance=15.0)


class CpuOptions(Section):
    """What is calm."""

    limit: float = Field(85.0, gt=0, le=100)


class CpuIsCalm:
    """Watches all cores for a second, or asks whoever watches them."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and what is calm here."""
        self.options = Options(CpuOptions, env.settings(CpuOptions))
        self._clock = env.clock
        self._readings = env.readings

    async def measure(self, subject: Subject) -> Reading:
        """Return how busy they are."""
        limit = self.options.read(subject.options).limit
        if not subject.is_here:
            return GAUGE.miss(self._clock.now(), elsewhere(subject))
        used = recent(self._readings, SERIES, subject, self._clock)
        since = f" (mean of {RECENT_SECONDS:g} s at most, watched)"
        if used is None:
            used, since = await look(read_cpu), ""
        says = f"the cores are busy for {used:.0f} %{since}"
        return GAUGE.read(self._clock.now(), used, limit, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return GAUGE.judge(before, after)


def plugin(env: CheckEnv) -> Check:
    """Return the check."""
    return CpuIsCalm(env)
