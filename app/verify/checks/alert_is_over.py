"""The alert's own state: what its monitoring system says."""

from app.core.configfile import Section
from app.models.gauge import Gauge
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

# One more episode than before the action is more than chance, yet episodes
# begin by themselves: two more are worse.
GAUGE = Gauge(check="alert_is_over", unit="episodes", chance=1.0)


class AlertIsOver:
    """Counts the episodes of the incident that go on."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock."""
        self._clock = env.clock

    async def measure(self, subject: Subject) -> Reading:
        """Return how many go on; nothing when none was ever told over."""
        now = self._clock.now()
        if subject.firing > 0:
            says = f"{subject.firing} still firing"
            return GAUGE.read(now, subject.firing, 0.0, says)
        if subject.ended_at is None:
            return GAUGE.miss(now, "nobody said that the alert is over")
        ago = max(0, now - subject.ended_at) // 1_000_000
        return GAUGE.read(now, 0.0, 0.0, f"the alert is over since {ago} s")

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return GAUGE.judge(before, after)


def plugin(env: CheckEnv) -> Check:
    """Return the check; it takes no settings."""
    env.settings(Section)
    return AlertIsOver(env)
