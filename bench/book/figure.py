"""Figures: what is measured, what is aimed at, and what was found."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

FILE = Path(__file__).with_name("figures.toml")
# What is noisy says so itself.
NOISE = 0.25
# In these a machine that is slower by itself has more.
CPU_UNITS = ("ms CPU", "us CPU", "s CPU", "% core")
TESTS = {
    "<=": lambda value, bound: value <= bound,
    ">=": lambda value, bound: value >= bound,
}


class Aim(msgspec.Struct, frozen=True):
    """What a figure should be: no more, or no less, than a bound."""

    sign: str
    bound: float

    @classmethod
    def read(cls, words: str) -> Self:
        """Return an aim that is written as ``<= 50``."""
        sign, _, bound = words.partition(" ")
        if sign not in TESTS:
            raise ValueError(f"an aim begins with <= or >=: {words!r}")
        return cls(sign, float(bound))

    def is_met(self, value: float) -> bool:
        """Tell whether a value is as it should be."""
        return bool(TESTS[self.sign](value, self.bound))


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the book.

    Attributes:
        id: its name: that of its part, a dot, and one of its own.
        what: what is measured, in words.
        unit: of what; those of CPU_UNITS follow the machine's pace.
        aim: what it should be, as Aim reads it; empty: nothing is asked.
        better: which way is better.
        noise: it is worse only when it is worse by more than this share.
        reference: what stands beside it; empty: nothing does.
        by: what is aimed at and compared: the value, or the ratio.
        large: whether it takes so long that only a large run finds it.
    """

    id: str
    what: str
    unit: str = ""
    aim: str = ""
    better: Literal["less", "more"] = "less"
    noise: float = NOISE
    reference: str = ""
    by: Literal["value", "ratio"] = "value"
    large: bool = False

    @property
    def goal(self) -> Aim | None:
        """Return what it should be, or None."""
        return Aim.read(self.aim) if self.aim else None

    @property
    def follows_pace(self) -> bool:
        """Tell whether a slower machine alone makes it worse."""
        return self.by == "value" and self.unit in CPU_UNITS


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured together, by one run.

    Attributes:
        name: its name, and that of its file in bench/book/parts.
        about: what it is about, in words.
        page: which page its table is on.
        minutes: about how long it takes.
        figures: what it finds, in the order of the table.
    """

    name: str
    about: str
    minutes: float
    figures: tuple[Figure, ...]
    page: str = "docs/performance.md"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one figure.

    Attributes:
        id: whose it is.
        now: the value.
        reference: that of what stands beside it, or None.
        ratio: of both, as pairs of slices give it, or None.
        low: the least of what is compared, where it was taken often.
        high: the most of it.
    """

    id: str
    now: float
    reference: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None

    def compared(self, figure: Figure) -> float | None:
        """Return what of it is compared and aimed at."""
        return self.ratio if figure.by == "ratio" else self.now


def beside(name: str, now: float, reference: float) -> Found:
    """Return a figure with its reference, neither taken in pairs."""
    ratio = now / reference if reference else None
    return Found(id=name, now=now, reference=reference, ratio=ratio)


def read_parts(file: Path = FILE) -> dict[str, Part]:
    """Return the book: its parts by name."""
    tree = tomllib.loads(file.read_text())
    return {name: _read_part(name, section) for name, section in tree.items()}


def by_id(parts: Iterable[Part]) -> dict[str, Figure]:
    """Return the figures of some parts."""
    return {one.id: one for part in parts for one in part.figures}


def _read_part(name: str, section: Mapping[str, Any]) -> Part:
    """Return one part; each of its figures is a line."""
    figures = tuple(
        msgspec.convert({"id": f"{name}.{key}", **line}, Figure, strict=True)
        for key, line in section["figures"].items()
    )
    more = {key: value for key, value in section.items() if key != "figures"}
    return Part(name=name, figures=figures, **more)
