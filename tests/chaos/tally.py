"""What a proof by force came to, written down for whoever soaks.

With CHAOS_RESULTS in the environment each proof adds a line of JSON to that
file: how much was done, and what of it was lost, doubled or unexplained.
scripts/soak.sh reads these lines; it never reads what is printed.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import msgspec

RESULTS = "CHAOS_RESULTS"
LOST, DOUBLED, UNEXPLAINED = "lost", "doubled", "unexplained"
# How what is there more than once is told by whoever finds it.
TWICE = ("twice", "two ids", "two jobs", "two missions", " times", "again")


class Tally(msgspec.Struct, frozen=True):
    """What came of one proof.

    Attributes:
        what: what was done, such as: kill -9 of ingest.
        amount: how often it was done.
        lost: how many things were acknowledged and are gone.
        doubled: how many things are there, or were done, more than once.
        unexplained: all else that must not be.
        at: when it was over, in seconds since 1970.
    """

    what: str
    amount: int
    lost: int = 0
    doubled: int = 0
    unexplained: int = 0
    at: float = 0.0

    @classmethod
    def of(cls, what: str, amount: int, faults: Iterable[str]) -> Self:
        """Return what came of a proof that found these faults."""
        found = {LOST: 0, DOUBLED: 0, UNEXPLAINED: 0}
        for fault in faults:
            found[kind_of(fault)] += 1
        return cls(what, amount, **found, at=time.time())


def kind_of(fault: str) -> str:
    """Return which of the three kinds a fault is."""
    if fault.startswith(LOST):
        return LOST
    if any(word in fault for word in TWICE):
        return DOUBLED
    return UNEXPLAINED


def write(tally: Tally) -> None:
    """Add a line to the results, if somebody wants them."""
    file = os.environ.get(RESULTS)
    if file:
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(msgspec.to_builtins(tally)) + "\n")


def settle(what: str, amount: int, faults: Sequence[str]) -> None:
    """Write down what came of a proof, and fail when it is anything."""
    write(Tally.of(what, amount, faults))
    assert list(faults) == []
