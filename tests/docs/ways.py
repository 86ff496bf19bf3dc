"""How a command is tried that cannot be typed as it stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.docs.scene import Scene

Replaced = Mapping[str, str | Callable[[Scene], str]]


@dataclass(frozen=True)
class Changed:
    """It is run, with some of its words replaced.

    Attributes:
        put: what stands there, and what is put there: a text, or what the
            scene says at that moment.
        until: what it says before it is ended; empty: it ends by itself.
        why: the reason for it.
    """

    why: str
    put: Replaced = field(default_factory=dict)
    until: str = ""


@dataclass(frozen=True)
class Weakly:
    """It is not run; its program says that it knows all of its options."""

    why: str


@dataclass(frozen=True)
class Elsewhere:
    """Another test runs it."""

    proof: str


@dataclass(frozen=True)
class Excused:
    """Nobody runs it, for a reason."""

    why: str


Way = Changed | Weakly | Elsewhere | Excused
AS_IT_STANDS = Changed("as it stands")
