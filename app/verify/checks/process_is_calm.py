"""Whether a program of this machine takes little; one that is gone does."""

from functools import partial

from pydantic import Field

from app.core.configfile import Section
from app.core.machine import look, weigh_program
from app.core.options import Options
from app.models.gauge import Gauge, argument, elsewhere
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

CPU = Gauge(check="process_is_calm", unit="% of one core", chance=25.0)
MEMORY = Gauge(check="process_is_calm", unit="% of memory", chance=3.0)


class ProcessOptions(Section):
    """What all processes of one program may take together."""

    limit: float = Field(80.0, gt=0, le=100_000)
    memory_limit: float = Field(25.0, gt=0, le=100)


class ProcessIsCalm:
    """Watches the processes of the action's program for a second."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and what is calm here."""
        self.options = Options(ProcessOptions, env.settings(ProcessOptions))
        self._clock = env.clock

    async def measure(self, subject: Subject) -> Reading:
        """Return what it takes: of its time or memory what is worse."""
        options = self.options.read(subject.options)
        if not subject.is_here:
            return CPU.miss(self._clock.now(), elsewhere(subject))
        program = argument(subject, "process")
        found = await look(partial(weigh_program, program))
        says = f"{program}: {found}"
        now = self._clock.now()
        by_cpu = found.cpu / options.limit
        if found.memory / options.memory_limit > max(1.0, by_cpu):
            return MEMORY.read(now, found.memory, options.memory_limit, says)
        return CPU.read(now, found.cpu, options.limit, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return (MEMORY if after.unit == MEMORY.unit else CPU).judge(
            before, after
        )


def plugin(env: CheckEnv) -> Check:
    """Return the check."""
    return ProcessIsCalm(env)
