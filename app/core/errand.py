"""The errand: what whoever restarts a daemon has with him.

What he must remember outlives him: else a daemon that was ended and not
started again would stay so when he dies between the two.
"""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

Wait = Callable[[float], None]


class Notes(Protocol):
    """What is remembered of restarts, on disk."""

    def owe(self, keeper: str, name: str) -> None:
        """Write down that a daemon is about to be ended, to be started.

        Raises:
            NotAccepted: it cannot be written down: it is not ended.
        """

    def pay(self) -> None:
        """Take off what was written: it was started again."""

    def add(self, name: str) -> None:
        """Write down that a daemon is restarted now, or raise as owe."""

    def count(self, name: str, seconds: float) -> int:
        """Return how often it was restarted so, in the last seconds."""


class NoNotes:
    """Remembers nothing."""

    def owe(self, keeper: str, name: str) -> None:
        """Forget it."""

    def pay(self) -> None:
        """Do nothing: nothing was written."""

    def add(self, name: str) -> None:
        """Forget it."""

    def count(self, name: str, seconds: float) -> int:
        """Return nothing: nobody knows."""
        del name, seconds
        return 0


class Errand(msgspec.Struct, frozen=True):
    """What a warden gets when he shall restart something.

    Attributes:
        notes: where he writes down what he must not forget.
        wait: waits so many seconds; what it raises ends the waiting.
    """

    notes: Notes = NoNotes()
    wait: Wait = time.sleep
