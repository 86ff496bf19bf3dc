"""Whether a program of this machine takes so much that it may be ended."""

from functools import partial

from pydantic import Field

from app.core.configfile import Section
from app.core.machine import SAMPLE_SECONDS, look, weigh_program
from app.core.options import Options
from app.models.gauge import Gauge, argument, elsewhere
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(
    check="process_is_runaway",
    unit="of the limit",
    is_floor=True,
    chance=0.5,
)


class RunawayOptions(Section):
    """From when on a program runs away: all its processes together.

    Attributes:
        limit: of CPU, in percent of one core.
        memory_limit: in percent; it counts only while they grow.
    """

    limit: float = Field(80.0, gt=0, le=100_000)
    memory_limit: float = Field(25.0, gt=0, le=100)


class ProcessIsRunaway:
    """Watches the processes of the action's program for a second."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and what runs away here."""
        self.options = Options(RunawayOptions, env.settings(RunawayOptions))
        self._clock = env.clock

    async def measure(self, subject: Subject) -> Reading:
        """Return which part of a limit it takes: 1 and more runs away."""
        options = self.options.read(subject.options)
        if not subject.is_here:
            return GAUGE.miss(self._clock.now(), elsewhere(subject))
        program = argument(subject, "process")
        found = await look(partial(weigh_program, program))
        # Who holds much and does not grow is well: a heap, a cache.
        grows = found.growth > 0
        held = found.memory / options.memory_limit if grows else 0.0
        share = max(found.cpu / options.limit, held)
        says = f"{program}: {found} in a sample of {SAMPLE_SECONDS:g} s"
        return GAUGE.read(self._clock.now(), share, 1.0, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return GAUGE.judge(before, after)


def plugin(env: CheckEnv) -> Check:
    """Return the check."""
    return ProcessIsRunaway(env)
