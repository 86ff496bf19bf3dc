"""How much of a file system, or a folder with a size, is used here."""

from functools import partial

from pydantic import Field

from app.core.configfile import Section
from app.core.folders import read_share
from app.core.machine import look
from app.core.options import Options
from app.models.gauge import Gauge, argument, elsewhere
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(check="disk_has_room", unit="%", chance=2.0)


class DiskOptions(Section):
    """How much may be used, and of which path."""

    limit: float = Field(85.0, gt=0, le=100)
    path: str = Field("", max_length=255)


class DiskHasRoom:
    """Looks at what the action's path is on, or in."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and how much may be used here."""
        self.options = Options(DiskOptions, env.settings(DiskOptions))
        self._clock = env.clock
        self._folders = env.host.folders

    async def measure(self, subject: Subject) -> Reading:
        """Return how much is used."""
        options = self.options.read(subject.options)
        if not subject.is_here:
            return GAUGE.miss(self._clock.now(), elsewhere(subject))
        path = options.path or argument(subject, "path")
        used = await look(partial(read_share, path, self._folders))
        says = f"{used:.0f} % of {path} is used"
        return GAUGE.read(self._clock.now(), used, options.limit, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return GAUGE.judge(before, after)


def plugin(env: CheckEnv) -> Check:
    """Return the check."""
    return DiskHasRoom(env)
