"""The port of the faults: what a kind of fault is, and one that runs.

A kind is one file in simulator/faults/ with ``plugin(env) -> Fault``. All
of a fault's calls are made on the stage's own thread, one after the other,
so none of them may take long: two seconds at most.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.problem import Refused

if TYPE_CHECKING:
    from simulator.journal import Journal
    from simulator.nursery import Nursery
    from simulator.settings import Settings

Value = int | str


@dataclass(frozen=True)
class Option:
    """One option of a kind: a choice of words, or a number in a range.

    Attributes:
        purpose: what it is for, one line.
        default: what holds when it is left out.
        choices: the words to choose from; empty for a number.
        least: the least number.
        most: the greatest number.
    """

    purpose: str
    default: Value
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0

    def read(self, name: str, given: object) -> Value:
        """Return what was given, or raise Refused with the field."""
        where = f"options.{name}"
        if self.choices:
            if given in self.choices:
                return str(given)
            raise Refused(
                f"{given!r} is none of its values",
                field=where,
                remedy=f"Choose one of: {', '.join(self.choices)}",
            )
        return read_number(given, where, self.least, self.most)


@dataclass(frozen=True)
class Spec:
    """What a kind of fault is.

    Attributes:
        name: the kind, such as ``cpu``.
        purpose: what it does, one line for a person.
        unit: what a level counts.
        least: the lowest level.
        most: the highest level; the caps of the settings are in it.
        default: the level when none is given.
        seconds: how long it lasts when nothing is said.
        expects: the first actions that are right.
        options: what else can be said, by name.
    """

    name: str
    purpose: str
    unit: str
    least: int
    most: int
    default: int
    seconds: int
    expects: tuple[str, ...]
    options: Mapping[str, Option] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "kind": self.name,
            "purpose": self.purpose,
            "unit": self.unit,
            "least": self.least,
            "most": self.most,
            "level": self.default,
            "seconds": self.seconds,
            "expects": list(self.expects),
            "options": {
                name: {
                    "purpose": option.purpose,
                    "default": option.default,
                    "choices": list(option.choices),
                    "least": option.least,
                    "most": option.most,
                }
                for name, option in self.options.items()
            },
        }


@dataclass(frozen=True)
class Order:
    """A fault that somebody wants.

    Attributes:
        kind: which.
        level: how strong; None is the kind's default.
        seconds: how long at most; None is the kind's default.
        options: what else, by name; words may stand for numbers.
        scenario: the scenario that asks, else empty.
        step: the step of that scenario, else empty.
        expects: the right first actions, where a scenario knows better
            than the kind; empty: the kind's own.
    """

    kind: str
    level: int | None = None
    seconds: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    scenario: str = ""
    step: str = ""
    expects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """An order that was checked: what a fault is begun with.

    Attributes:
        level: how strong, within the kind's range.
        seconds: how long at most.
        options: every option of the kind, with a value that it allows.
    """

    level: int
    seconds: int
    options: Mapping[str, Value] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return an option that is a number."""
        return int(self.options[name])

    def word(self, name: str) -> str:
        """Return an option that is a word."""
        return str(self.options[name])


class Running(ABC):
    """A fault that has begun."""

    @abstractmethod
    def is_going(self) -> bool:
        """Tell whether the trouble is there still.

        False means that it went away by somebody else's hand: the stage
        ends a fault by time itself, and never asks again after an end.
        """

    @abstractmethod
    def end(self) -> None:
        """End it and remove what is left of it; twice is once."""


class Fault(ABC):
    """A kind of fault."""

    spec: Spec

    @abstractmethod
    def target(self, plan: Plan) -> dict[str, str]:
        """Return the labels by which an alert may name it."""

    @abstractmethod
    def begin(self, plan: Plan) -> Running:
        """Begin; return once the trouble is under way, or raise Refused.

        What is started or made is in the journal before it is there:
        env.children and env.journal see to that.
        """

    def expects(self, plan: Plan) -> tuple[str, ...]:
        """Return the right first actions for this plan."""
        del plan
        return self.spec.expects

    def prepare(self) -> None:
        """Make what must be there all the time; once, at the start."""
        return

    def put_away(self) -> None:
        """Undo prepare; once, at the end."""
        return


@dataclass(frozen=True)
class FaultEnv:
    """What a kind may use.

    Attributes:
        settings: the simulator's settings.
        children: starts programs that end with the simulator.
        journal: says beforehand what is made, so that it can be undone.
    """

    settings: "Settings"
    children: "Nursery"
    journal: "Journal"


def make_plan(spec: Spec, order: Order, most_seconds: int) -> Plan:
    """Return an order as a plan, or raise Refused with what is wrong."""
    level = spec.default if order.level is None else order.level
    default = min(spec.seconds, most_seconds)
    seconds = default if order.seconds is None else order.seconds
    return Plan(
        level=read_number(level, "level", spec.least, spec.most),
        seconds=read_number(seconds, "seconds", 1, most_seconds),
        options=_read_options(spec, order.options),
    )


def read_number(given: object, where: str, least: int, most: int) -> int:
    """Return a whole number within a range, or raise Refused."""
    number = _whole(given)
    if number is not None and least <= number <= most:
        return number
    what = "is out of range" if number is not None else "is no whole number"
    raise Refused(
        f"{given!r} {what}",
        field=where,
        remedy=f"Give a whole number from {least} to {most}; caps are"
        " settings, under 'most'",
    )


def _whole(given: object) -> int | None:
    """Return a whole number out of what was given, None when it is none."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        number = float(given)
        return int(number) if number == int(number) else None
    except (ValueError, OverflowError):
        return None


def _read_options(spec: Spec, given: Mapping[str, object]) -> dict[str, Value]:
    """Return every option of a kind with its value, or raise Refused."""
    for name in given:
        if name not in spec.options:
            known = ", ".join(spec.options) or "none at all"
            raise Refused(
                f"{spec.name} has no option {name!r}",
                field=f"options.{name}",
                remedy=f"Its options are: {known}",
            )
    return {
        name: option.read(name, given[name])
        if name in given
        else option.default
        for name, option in spec.options.items()
    }
