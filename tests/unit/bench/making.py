"""Figures, results and lines for the tests of the book."""

from typing import Any

from bench.book.comparing import Line, compare
from bench.book.figure import Figure, Found
from bench.book.keeping import Kept, Outcome, Result
from bench.book.machine import look
from bench.book.size import Size

PACE = 10.0


def figure(name: str = "door.rate", **more: Any) -> Figure:
    """Return a figure."""
    return Figure(id=name, what="what it is", **more)


def found(now: float, name: str = "door.rate", **more: Any) -> Found:
    """Return what was found of a figure."""
    return Found(id=name, now=now, **more)


def kept(now: float, pace: float = PACE, **more: Any) -> Kept:
    """Return what was found before."""
    return Kept(found(now, **more), pace, "before")


def line(one: Figure, now: float, was: float, pace: float = PACE) -> Line:
    """Return a figure beside what it was."""
    return compare(one, found(now), pace, kept(was))


def outcome(*some: Found, why: str = "") -> Outcome:
    """Return what became of a part."""
    return Outcome(seconds=1.0, machine=look(), pace=PACE, why=why, found=some)


def result(
    at: str, size: Size = Size.USUAL, commit: str = "abc1234", **parts: Outcome
) -> Result:
    """Return a run of some parts."""
    return Result(at=at, commit=commit, size=size, parts=parts)
