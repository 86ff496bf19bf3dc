"""The settings ``backends.local``, and what they make."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from app.act.local import deeds
from app.act.local.executor import Executor
from app.act.local.journal import Journal
from app.act.local.making import make_deeds
from app.core.configfile import Section
from app.core.daemons import Daemons
from app.core.here import Here
from app.core.look.past import Past
from app.core.registry import scan
from app.models.action import Risk
from app.ports import BackendEnv

# What ends processes: always, or where this setting of the deed has some.
ENDS: Mapping[str, str] = {"kill-process": "", "free-memory": "end"}
# What only looks is allowed from the first day; everything else is asked for.
USUAL = ("collect-diagnostics",)
# What the canary asks for is always allowed: it does nothing.
OWN = ("answer-canary",)
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,47}$")]


class LocalSettings(Section):
    """What may be done on this machine, and by whom.

    Attributes:
        enabled: whether anything is.
        allow: the deeds that are.
        socket: where the process listens that does it; empty: we do it.
        group: whose members may write to that socket; empty: its own.
        folder: where it is written what was started.
        concurrency: so much is done at once.
        deeds: the settings of each deed, by its name.
    """

    enabled: bool = True
    allow: tuple[Name, ...] = USUAL
    socket: str = Field("", max_length=100)
    group: str = Field("", max_length=32)
    folder: str = "var/local"
    concurrency: int = Field(4, ge=1, le=64)
    deeds: dict[Name, object] = Field(default_factory=dict, max_length=100)

    @property
    def known(self) -> tuple[str, ...]:
        """Return all that is allowed, with what always is."""
        return tuple(dict.fromkeys((*self.allow, *OWN)))

    def risk_of(self, job: str) -> Risk:
        """Return how bad a deed may be: to end a process is destructive."""
        setting = ENDS.get(job)
        if setting is None:
            return Risk.OBSERVE
        deed = self.deeds.get(job)
        ends = not setting or (
            isinstance(deed, Mapping) and bool(deed.get(setting))
        )
        return Risk.DESTRUCTIVE if ends else Risk.OBSERVE


def make_executor(
    env: BackendEnv, settings: LocalSettings
) -> tuple[Executor, Past]:
    """Return who does the deeds, and what it remembers of the machine.

    Raises:
        ConfigError: with all that is wrong in the settings of the deeds.
    """
    past = Past(env.clock)
    named = {"allow": settings.known, "deeds": tuple(settings.deeds)}
    made = make_deeds(env, scan(deeds), named, past)
    resume = Daemons(env.host).resume
    journal = Journal(env.home / settings.folder, resume)
    here = Here(env.host, env.clock)
    most = settings.concurrency
    return Executor(made, journal, most, here.is_here), past
