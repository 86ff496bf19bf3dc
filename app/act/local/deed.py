"""The deed: one thing that can be done on this machine, with its bounds."""

from typing import Any, Protocol

import msgspec

from app.act.local.hand import Hand
from app.core.clock import Clock
from app.core.errors import ConfigProblem, NotAccepted
from app.core.host import HostSettings
from app.core.look.past import Past
from app.core.shape import SHAPES
from app.models.job import JobState
from app.models.menu import Arguments
from app.ports import Settings


class Done(msgspec.Struct, frozen=True):
    """What came of a deed.

    Attributes:
        reason: what was done, or why not, in one line.
        state: succeeded or failed; that it helped is measured by others.
    """

    reason: str
    state: JobState = JobState.SUCCEEDED


class Deed(Protocol):
    """One thing that can be done here.

    Attributes:
        takes: its arguments, a frozen struct that forbids unknown fields.
    """

    takes: type[msgspec.Struct]

    def do(self, arguments: Any, hand: Hand) -> Done:
        """Do it, in a thread of its own.

        Raises:
            Unwilling: nothing was done, for a reason.
            Stopped: it was told to end, or its time is over.
        """


class DeedEnv(Protocol):
    """What a deed gets when it is made.

    Attributes:
        name: its name, with dashes.
        clock: the time.
        host: what is said about this machine.
        past: how this machine was a while ago.
    """

    name: str
    clock: Clock
    host: HostSettings
    past: Past

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings of this deed, or raise ConfigError."""

    def problem(self, what: str, remedy: str, *path: str) -> ConfigProblem:
        """Return a problem that is dated to the settings of this deed."""


def read_arguments(takes: type[msgspec.Struct], said: Arguments) -> Any:
    """Return arguments as a deed takes them, or raise NotAccepted."""
    try:
        return msgspec.convert(said, takes)
    except msgspec.ValidationError as error:
        raise NotAccepted(f"the arguments are wrong: {error}") from error


def fit(shape: str, text: str) -> str:
    """Return a text that has a shape, or raise NotAccepted.

    Whoever sent the order has looked at it: this is the second lock.
    """
    found = SHAPES[shape].fit(text)
    if found is None:
        raise NotAccepted(f"{text[:80]!r} is no {shape}")
    return found
