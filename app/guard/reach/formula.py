"""What a rule demands, as a formula of parts that can be tried out.

A part is about one name and some constants, such as ``now.hour < 6``. What
is said in another way is a part, too, of which nothing is known but its
spelling: it may be true, false, or such that nobody can tell.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from enum import Enum

import msgspec

from app.guard.reach.facts import ACTION, RISK, Value

World = Mapping[str, object]
ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
AMONG, HAS, OPAQUE = "among", "has", "opaque"
# What an action is called, and its risk, belong together.
DEED = "action"
DEED_SIDES = {ACTION: 0, RISK: 1}


class Truth(Enum):
    """What a formula says of a world."""

    YES = "yes"
    NO = "no"
    UNTOLD = "untold"  # evaluating it fails
    OPEN = "open"  # the world does not say enough yet


class Part(msgspec.Struct, frozen=True):
    """The smallest part of a formula.

    Attributes:
        text: as people read it.
        field: the name that it is about; of an opaque one its spelling.
        how: among, has, opaque, or one of <, <=, >, >=.
        constants: what it is compared with.
        is_not: whether it says the contrary.
    """

    text: str
    field: str
    how: str
    constants: tuple[Value, ...] = ()
    is_not: bool = False

    @property
    def name(self) -> str:
        """Return what a world must say for it."""
        return DEED if self.field in DEED_SIDES else self.field

    def judge(self, world: World) -> Truth:
        """Return what it says of a world."""
        if self.name not in world:
            return Truth.OPEN
        found = world[self.name]
        if self.field in DEED_SIDES and isinstance(found, tuple):
            found = found[DEED_SIDES[self.field]]
        return self.say_of(found)

    def say_of(self, value: object) -> Truth:
        """Return what it says of a value of its name."""
        if value is None and self.how != HAS:
            return Truth.UNTOLD
        return Truth.NO if self._holds(value) is self.is_not else Truth.YES

    def _holds(self, value: object) -> bool:
        """Tell whether it holds, but for the contrary."""
        if self.how == HAS:
            return value is not None
        if self.how in ORDERS:
            (bound,) = self.constants
            if isinstance(value, int | float):
                return ORDERS[self.how](value, float(bound or 0))
        return value is True if self.how == OPAQUE else value in self.constants


class Fixed(msgspec.Struct, frozen=True):
    """What always says the same: ``true`` and ``false``."""

    holds: bool


class Inverse(msgspec.Struct, frozen=True):
    """The contrary of a formula."""

    of: "Formula"


class Group(msgspec.Struct, frozen=True):
    """Formulas of which all must hold, or one."""

    formulas: tuple["Formula", ...]
    needs_all: bool


Formula = Part | Fixed | Inverse | Group
CONTRARY = {Truth.YES: Truth.NO, Truth.NO: Truth.YES}
# What makes a group as unsure as it is itself.
UNSURE = (Truth.OPEN, Truth.UNTOLD)


def judge(formula: Formula, world: World) -> Truth:
    """Return what a formula says of a world, as CEL would.

    There ``false && x`` is false, and ``true || x`` true, even where
    evaluating ``x`` fails; the order does not matter.
    """
    if isinstance(formula, Part):
        return formula.judge(world)
    if isinstance(formula, Fixed):
        return Truth.YES if formula.holds else Truth.NO
    if isinstance(formula, Inverse):
        inner = judge(formula.of, world)
        return CONTRARY.get(inner, inner)
    decides = Truth.NO if formula.needs_all else Truth.YES
    found = CONTRARY[decides]
    for one in formula.formulas:
        truth = judge(one, world)
        if truth is decides:
            return decides
        if truth in UNSURE and found is not Truth.OPEN:
            found = truth
    return found


def walk(formula: Formula) -> Iterator[Part]:
    """Yield the parts of a formula, from left to right."""
    if isinstance(formula, Part):
        yield formula
    elif isinstance(formula, Inverse):
        yield from walk(formula.of)
    elif isinstance(formula, Group):
        for one in formula.formulas:
            yield from walk(one)


def demands(formula: Formula) -> Iterator[Formula]:
    """Yield the formulas that must all hold."""
    if isinstance(formula, Group) and formula.needs_all:
        for one in formula.formulas:
            yield from demands(one)
    else:
        yield formula
