"""Search for a motion that a rule decides, and none before it.

All that a formula can tell apart is tried, so that "there is none" is
certain. Where that would take too long nothing is said.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from app.guard.known import Known
from app.guard.reach.facts import ACTION, OTHER, Value, find_fact
from app.guard.reach.formula import (
    DEED,
    OPAQUE,
    Formula,
    Part,
    Truth,
    World,
    demands,
    judge,
    walk,
)
from app.models.action import Risk

# So many looks at a name all searches of a policy may take, and one of them.
# Most need as many as there are rules before.
MOST_LOOKS = 300_000
MOST_LOOKS_AT_ONCE = 15_000
# So many names may be known at once: each makes the search deeper.
MOST_NAMES = 150


class Case(msgspec.Struct, frozen=True):
    """A rule, or a line of the ladder, as the search sees it.

    Attributes:
        formula: what it demands.
        names: what a world must say for it.
        demands: what must all hold.
        restricts: whether a person is asked where it cannot be told.
    """

    formula: Formula
    names: tuple[str, ...]
    demands: frozenset[Formula]
    restricts: bool

    def plainly_takes(self, later: "Case") -> bool:
        """Tell whether a later case demands all that this one does."""
        is_as_careful = self.restricts or not later.restricts
        return is_as_careful and self.demands <= later.demands


def make_case(formula: Formula, *, restricts: bool = False) -> Case:
    """Return a formula as the search sees it."""
    names = dict.fromkeys(part.name for part in walk(formula))
    return Case(formula, tuple(names), frozenset(demands(formula)), restricts)


Values = Mapping[str, Sequence[object]]


def gather_values(formulas: Iterable[Formula], known: Known) -> Values:
    """Return the values that are tried for each name of some formulas.

    Each stands for all that the formulas cannot tell from it.
    """
    parts = [part for formula in formulas for part in walk(formula)]
    constants: dict[str, set[Value]] = {}
    for part in parts:
        constants.setdefault(part.field, set()).update(part.constants)
    found: dict[str, Sequence[object]] = {
        DEED: tuple(_deeds(constants.get(ACTION, ()), known))
    }
    for part in parts:
        if part.name != DEED and part.name not in found:
            found[part.name] = values_of(part, constants[part.field])
    return found


def values_of(part: Part, constants: Collection[Value]) -> tuple[Value, ...]:
    """Return all values of a part's name that constants tell apart."""
    fact = find_fact(part.field)
    if fact is not None:
        return fact.values(constants)
    return (False, True, None)


def _deeds(
    named: Collection[Value], known: Known
) -> Iterator[tuple[str, str]]:
    """Yield the actions with their risks.

    There may be more of them tomorrow: those that nobody names may be of
    any risk.
    """
    for risk in Risk:
        yield OTHER, risk.value
    for name in sorted(str(one) for one in named):
        risks = [known.risks[name]] if name in known.risks else list(Risk)
        for risk in risks:
            yield name, risk.value


class TooLong(Exception):
    """A search takes too long."""


class Search:
    """Searches for worlds, within the time that one policy may take."""

    def __init__(self, values: Values) -> None:
        """Take the values that are tried."""
        self._values = values
        self._left = MOST_LOOKS
        self._until = 0

    def find_cover(
        self, case: Case, before: Sequence[Case]
    ) -> tuple[int, ...] | None:
        """Return the places of cases that leave nothing to one.

        Returns:
            An empty tuple when it never decides by itself, and None when it
            may decide, or when it would take too long to know.
        """
        if self._decides(case, ()) is False:
            return ()
        for at, one in enumerate(before):
            if one.plainly_takes(case):
                return (at,)
        verdict = self._decides(case, before)
        if verdict:
            return None
        for at, one in enumerate(before):
            is_near = set(one.names) <= set(case.names)
            if is_near and self._decides(case, (one,)) is False:
                return (at,)
        return None if verdict is None else self._thin_out(case, before)

    def _thin_out(self, case: Case, before: Sequence[Case]) -> tuple[int, ...]:
        """Return the places of cases of which none can be left out."""
        kept = list(range(len(before)))
        for at in reversed(range(len(before))):
            fewer = [one for one in kept if one != at]
            some = [before[one] for one in fewer]
            if self._decides(case, some) is False:
                kept = fewer
        return tuple(kept)

    def _decides(self, case: Case, before: Sequence[Case]) -> bool | None:
        """Tell whether there is a world that a case decides, none before.

        Returns:
            None when it would take too long to know.
        """
        self._until = max(0, self._left - MOST_LOOKS_AT_ONCE)
        try:
            return self._blame((case, *before), {}, 0) is None
        except TooLong:
            return None

    def _blame(
        self, cases: Sequence[Case], world: dict[str, object], at: int
    ) -> set[str] | None:
        """Return None when a world can be had that passes all cases.

        Otherwise, the names of the world that are the reason: where one is
        not among them, no other value of it would help.
        """
        while at < len(cases):
            case = cases[at]
            self._left -= 1 + len(case.names)
            if self._left <= self._until or len(world) > MOST_NAMES:
                raise TooLong
            truth = judge(case.formula, world)
            if truth is Truth.OPEN:
                return self._branch(cases, world, at)
            if not _passes(cases, world, at, truth):
                own = cases[0].names if truth is Truth.UNTOLD else ()
                return {*case.names, *own} & world.keys()
            at += 1
        return None

    def _branch(
        self, cases: Sequence[Case], world: dict[str, object], at: int
    ) -> set[str] | None:
        """Try each value of a name that a case asks for."""
        name = next(one for one in cases[at].names if one not in world)
        reasons: set[str] = set()
        for value in self._values[name]:
            world[name] = value
            found = self._blame(cases, world, at)
            del world[name]
            if found is None or name not in found:
                return found
            reasons |= found
        return reasons - {name}


def _passes(
    cases: Sequence[Case], world: World, at: int, truth: Truth
) -> bool:
    """Tell whether the first case may still decide in a world."""
    if at == 0:
        is_asked = truth is Truth.UNTOLD and cases[0].restricts
        return truth is Truth.YES or is_asked
    if truth is Truth.UNTOLD and cases[at].restricts:
        # A person is asked already: the first case adds nothing to that
        # unless it matches.
        return judge(cases[0].formula, world) is Truth.YES
    return truth is not Truth.YES


def name_conflict(
    formula: Sequence[Formula], values: Values
) -> tuple[str, ...]:
    """Return two parts of a rule that never hold both, or nothing."""
    parts = [one for one in formula if isinstance(one, Part)]
    known = [one for one in parts if one.how != OPAQUE]
    for at, one in enumerate(known):
        for other in known[at + 1 :]:
            if not _agree(one, other, values):
                return one.text, other.text
    return ()


def _agree(one: Part, other: Part, values: Values) -> bool:
    """Tell whether two parts can both hold."""
    if one.name != other.name:
        return True
    worlds = ({one.name: value} for value in values[one.name])
    return any(
        one.judge(world) is other.judge(world) is Truth.YES for world in worlds
    )
