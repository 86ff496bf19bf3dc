"""The conditions of the rules, in CEL, and what is proved of each of them.

When the policy is read every name is looked up, and every part is tried on
made-up motions: a mistake is found then, and not in the night when the rule
is needed for the first time.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import cel
import msgspec

from app.guard.celtext import (
    atoms,
    bound_names,
    fields,
    mask,
    split,
    strings,
    words_after_dots,
)

# What a condition may speak of. The values are what it is tried on.
SAMPLE: Mapping[str, Any] = {
    "alert": {
        "source": "zabbix",
        "name": "HighLoad",
        "labels": {},
        "severity": "warning",
        "problem": "high load",
    },
    "incident": {
        "state": "open",
        "firing": 1,
        "is_flapping": False,
        "siblings": 0,
    },
    "target": {
        "name": "host:web-1",
        "environment": "production",
        "team": "shop",
        "role": "web",
    },
    "action": {"name": "restart_service", "risk": "disruptive"},
    "decision": {
        "confidence": 0.5,
        "asks": False,
        "why": "chosen",
        "proposer": "brain:cascade",
    },
    "now": {"hour": 3, "minute": 5, "weekday": "mon", "date": "2026-01-05"},
    "maintenance": "",
    "recent": {"fixed": 0, "not_fixed": 0, "unknown": 0},
    "runs": {"hour": 0, "day": 0},
    "targets": 0,
}
EXTRA = {"action": ("arguments",), "now": ("in_calendar",)}
FUNCTIONS = frozenset(
    {
        "contains",
        "double",
        "duration",
        "endsWith",
        "int",
        "matches",
        "size",
        "startsWith",
        "string",
        "timestamp",
    }
)
TYPES = frozenset({"int", "uint", "double", "string", "bool", "list", "map"})
A_TIME = "2026-01-05T03:05:00Z"
MOST_LOOPS = 3
FAILURES = (LookupError, TypeError, RuntimeError, ArithmeticError, ValueError)
# What a value may do to a condition that is right in itself.
BY_VALUE = (ArithmeticError, ValueError)


class Untold(Exception):
    """Nobody can tell whether a condition holds; the text says why."""


class Condition(msgspec.Struct, frozen=True):
    """A condition, ready to be asked.

    Attributes:
        text: as it is written.
        program: what evaluates it.
        names: the variables that it looks at.
    """

    text: str
    program: cel.Program
    names: frozenset[str]

    def holds(self, seen: cel.Context) -> bool:
        """Tell whether it holds, or raise Untold."""
        try:
            found = self.program.execute(seen)
        except FAILURES as error:
            raise Untold(say(error)) from error
        if not isinstance(found, bool):
            raise Untold("it is neither true nor false")
        return found


def show(view: Mapping[str, Any]) -> cel.Context:
    """Return what conditions look at.

    To hand values over costs forty times what a condition does: it is done
    once for all of them.

    Raises:
        Untold: a value is none that the language has.
    """
    try:
        return cel.Context(variables=dict(view))
    except FAILURES as error:
        raise Untold(say(error)) from error


def say(error: Exception) -> str:
    """Return what an evaluation says, in one line."""
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]!r}"
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def read_condition(text: str, calendars: Iterable[str]) -> Condition:
    """Return a condition, or raise ValueError with what is wrong in it.

    Args:
        text: the expression.
        calendars: the names of the policy's calendars.
    """
    program = _compile(text)
    problem = next(_problems(text, program), "")
    if problem:
        raise ValueError(problem)
    for atom in atoms(text):
        _try(atom, tuple(calendars))
    names = frozenset(program.variables()) & SAMPLE.keys()
    return Condition(text, program, names)


def _compile(text: str) -> cel.Program:
    """Return a program, or raise ValueError."""
    if "//" in mask(text):
        raise ValueError("write comments behind # of YAML, not in it")
    try:
        return cel.compile(text)
    except FAILURES as error:
        lines = str(error).splitlines() or [""]
        what = lines[0].rpartition("ERROR: ")[2]
        raise ValueError(f"is no CEL expression: {what[:200]}") from error


def _problems(text: str, program: cel.Program) -> Iterator[str]:
    """Yield what is wrong with the names in a condition."""
    bound = bound_names(text)
    if len(bound) > MOST_LOOPS:
        yield f"has more than {MOST_LOOPS} loops"
    for name in set(bound) & SAMPLE.keys():
        yield f"hides the variable {name!r}"
    for name in set(program.variables()) - SAMPLE.keys() - TYPES - {*bound}:
        yield f"no variable {name!r}; known: {', '.join(SAMPLE)}"
    for name in program.functions():
        if name[0].isalpha() and name not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            yield f"no function {name!r}; known: {known}"
    yield from _field_problems(text)


def _field_problems(text: str) -> Iterator[str]:
    """Yield the fields of variables that there are not."""
    for name, field in fields(text):
        held = SAMPLE.get(name)
        if not isinstance(held, dict):
            continue
        known = (*held, *EXTRA.get(name, ()))
        if field not in known:
            yield f"{name} has no {field!r}; known: {', '.join(known)}"


def _try(atom: str, calendars: tuple[str, ...]) -> None:
    """Raise ValueError when a part cannot be evaluated on anything."""
    try:
        program = _compile(atom)
    except ValueError:
        # A part of something that is only split by its looks.
        return
    problem = ""
    for view in _samples(atom, calendars):
        if _compares_unlike(atom, view):
            problem = f"compares what is never alike: {atom[:80]}"
            continue
        try:
            found = program.execute(view)
        except BY_VALUE:
            return
        except FAILURES as error:
            problem = f"cannot be evaluated: {atom[:80]}: {say(error)}"
            continue
        if isinstance(found, bool):
            return
        problem = f"is neither true nor false: {atom[:80]}"
    raise ValueError(problem)


def _compares_unlike(atom: str, view: dict[str, Any]) -> bool:
    """Tell whether a part compares, say, a text with a number.

    In CEL that is no error, only never true: a rule that is never applied.
    """
    sides = split(atom, "==")
    if len(sides) != 2:
        sides = split(atom, "!=")
    if len(sides) != 2:
        return False
    try:
        left, right = (cel.compile(side).execute(view) for side in sides)
    except FAILURES:
        return False
    return _kind(left) is not _kind(right)


def _kind(value: object) -> type:
    """Return the kind of a value: all numbers are of one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float if is_number else type(value)


def _samples(
    atom: str, calendars: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """Yield made-up motions that have every label and argument named."""
    keys = {*words_after_dots(atom), *strings(atom)}
    for label, argument in (("one", "one"), ("1", 1), (A_TIME, A_TIME)):
        view = dict(SAMPLE)
        view["alert"] = {**view["alert"], "labels": dict.fromkeys(keys, label)}
        arguments = dict.fromkeys(keys, argument)
        view["action"] = {**view["action"], "arguments": arguments}
        off = dict.fromkeys(calendars, False)
        view["now"] = {**view["now"], "in_calendar": off}
        yield view
