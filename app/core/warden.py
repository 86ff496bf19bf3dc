"""The warden: who keeps a daemon running, and what he says of it."""

import re
from enum import StrEnum
from typing import Protocol

import msgspec

from app.core.errand import Errand
from app.core.errors import NotAccepted

# Nothing in it is an option, a pattern, a path, or a letter that only looks
# like another one.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,126}", re.ASCII)
SUFFIX = ".service"
# In a longer span people may have started something by hand.
SHORT_SECONDS = 60.0


class State(StrEnum):
    """How a daemon is."""

    ACTIVE = "active"
    INACTIVE = "inactive"  # it does not run, and nobody minds
    FAILED = "failed"
    STARTING = "starting"  # or ending: its warden is at it
    UNKNOWN = "unknown"


class Limit(msgspec.Struct, frozen=True):
    """How often a daemon may be started, before it is given up.

    Attributes:
        starts: how many starts may lie within the span, as far as known.
        burst: how many may.
        seconds: how long the span is.
    """

    starts: int
    burst: int
    seconds: float

    def has_room(self, more: int = 0) -> bool:
        """Tell whether one more start is let for sure.

        Over a long span others may have started it, of whom nobody says
        anything: then there must be room for one of theirs, too.

        Args:
            more: how many starts are known besides.
        """
        known = self.starts + more
        needed = 2 if known and self.seconds > SHORT_SECONDS else 1
        return self.burst - known >= needed


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What its warden says of a daemon.

    Attributes:
        name: what its warden calls it; aliases are not.
        warden: systemd, supervisor, or command.
        state: how it is.
        says: the same in one line for people.
        pid: its main process; 0 when there is none, or nobody says it.
        restarts: how often its warden started it again by himself.
        seconds: how long it has been so, None when nobody says it.
        run: tells one run of it from the next; empty when nobody says it.
        refusal: why it must not be restarted now, or empty.
        names: all that it is called, aliases as well.
        takes_along: what is restarted with it; what is no service has its
            suffix.
        limit: how often it may be started, None when nothing counts.
        ending_seconds: how long its end may take before its warden makes it;
            0 when nobody says it.
    """

    name: str
    warden: str
    state: State
    says: str
    pid: int = 0
    restarts: int = 0
    seconds: float | None = None
    run: str = ""
    refusal: str = ""
    names: tuple[str, ...] = ()
    takes_along: tuple[str, ...] = ()
    limit: Limit | None = None
    ending_seconds: float = 0.0

    @property
    def is_active(self) -> bool:
        """Tell whether it runs."""
        return self.state is State.ACTIVE


class Warden(Protocol):
    """Keeps some daemons of this machine; asked from threads."""

    def look(self, name: str, seconds: float) -> Standing | None:
        """Return how a daemon is, None when he does not keep it.

        Raises:
            OutgoingFailed: he does not answer.
        """

    def restart(self, standing: Standing, errand: Errand) -> None:
        """Restart what may be restarted; that it comes up is seen later.

        Raises:
            NotAccepted: he did certainly not begin.
            OutgoingFailed: nobody knows whether he did.
        """

    def tail(
        self, standing: Standing, lines: int, seconds: float
    ) -> tuple[str, ...]:
        """Return the last lines that a daemon wrote, or raise as look."""


def fit_name(text: str) -> str:
    """Return a daemon's name without suffix, or raise NotAccepted."""
    name = text.strip()
    while name.endswith(SUFFIX):
        name = name.removesuffix(SUFFIX)
    if NAME.fullmatch(name) is None or ".." in name:
        raise NotAccepted("the service's name is none")
    return name


def last_lines(text: str, lines: int, chars: int = 500) -> tuple[str, ...]:
    """Return the last lines of a text, each cut, without control signs."""
    found = [one.rstrip() for one in text.splitlines() if one.strip()]
    return tuple(
        "".join(c if c.isprintable() else " " for c in one[:chars])
        for one in found[-lines:]
    )


def whole_lines(text: str, most: int) -> str:
    """Return the last bytes of a log, from its first whole line on.

    Where it was cut it may begin with the half of a secret.

    Args:
        text: what was read.
        most: how many bytes were read at most.
    """
    # A letter may have been cut, too.
    is_cut = len(text.encode(errors="replace")) >= most - 3
    return text.partition("\n")[2] if is_cut else text
