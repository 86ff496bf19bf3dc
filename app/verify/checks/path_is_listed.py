"""Whether a path is one that the site lets be cleaned."""

import os
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field

from app.core.configfile import Section
from app.core.machine import look
from app.models.gauge import Gauge, argument
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(check="path_is_listed", is_floor=True)
Listed = Annotated[str, Field(pattern=r"^(/|[A-Z]:)", max_length=255)]
# Names that are compared: nothing is written there.
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 # as above
USUAL = (*TEMPORARY, "/var/log", "/var/cache")


class PathSettings(Section):
    """What may be cleaned: these paths, and what lies below them.

    Attributes:
        paths: these, and all that is below.
        exactly: these alone, such as / when it fills up: who cleans up
            there has rules of its own for what is below.
    """

    paths: tuple[Listed, ...] = USUAL
    exactly: tuple[Listed, ...] = ()


class PathIsListed:
    """Compares the action's path with a list."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and the list."""
        self._clock = env.clock
        self._settings = env.settings(PathSettings)

    async def measure(self, subject: Subject) -> Reading:
        """Return 1 for a path of the list; here, links are followed."""
        path = argument(subject, "path")
        paths = self._settings.paths
        if subject.is_here:
            path = await look(partial(os.path.realpath, path))
            paths = await look(lambda: tuple(map(os.path.realpath, paths)))
        is_listed = path in self._settings.exactly
        is_listed |= any(is_below(path, one) for one in paths)
        says = f"{path} is {'' if is_listed else 'not '}listed"
        return GAUGE.read(self._clock.now(), float(is_listed), 1.0, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; a list is never worse than before."""
        del before
        return GAUGE.judge(None, after)


def is_below(path: str, listed: str) -> bool:
    """Tell whether a path is a listed one, or lies below it."""
    if ".." in PurePosixPath(path).parts:
        return False
    return PurePosixPath(path).is_relative_to(PurePosixPath(listed))


def plugin(env: CheckEnv) -> Check:
    """Return the check."""
    return PathIsListed(env)
