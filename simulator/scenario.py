"""A scenario: faults that begin and end at set times, and what is right.

A file of simulator/scenarios/ is one; its name without .yaml is what it is
called. It is read strictly: a word that is not known is an error, with the
file, the field and what to do.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.fault import Order, Spec, make_plan, read_number
from simulator.problem import Refused
from simulator.strict_yaml import FILE, SHAPE, load_strictly

NAME = re.compile(r"[a-z][a-z0-9-]{0,40}", re.ASCII)
ACTION = re.compile(r"[a-z][a-z0-9_]{0,60}", re.ASCII)
TIME = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)(ms|s|m|h)", re.ASCII)
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
FIELDS = {"name", "purpose", "expects", "steps"}
FAULT_FIELDS = {"at", "fault", "level", "for", "options", "expects"}
STOP_FIELDS = {"at", "stop"}
MOST_STEPS = 50
MOST_SECONDS = 3600.0


@dataclass(frozen=True)
class Step:
    """What happens at one moment of a scenario.

    Attributes:
        at: seconds since its beginning.
        order: the fault that begins; None: one ends.
        stop: the kind that ends, else empty.
    """

    at: float
    order: Order | None = None
    stop: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        if self.order is None:
            return {"at": self.at, "stop": self.stop}
        return {
            "at": self.at,
            "fault": self.order.kind,
            "level": self.order.level,
            "seconds": self.order.seconds,
            "options": dict(self.order.options),
            "expects": list(self.order.expects),
        }


@dataclass(frozen=True)
class Scenario:
    """Faults that begin and end at set times.

    Attributes:
        name: what it is called.
        purpose: what it shows, one line for a person.
        expects: the first actions that are right, for it as a whole.
        steps: what happens, in order.
        seconds: how long it takes at most.
    """

    name: str
    purpose: str
    expects: tuple[str, ...]
    steps: tuple[Step, ...] = field(default_factory=tuple)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "name": self.name,
            "purpose": self.purpose,
            "expects": list(self.expects),
            "seconds": self.seconds,
            "steps": [step.as_json() for step in self.steps],
        }


class ScenarioFile:
    """Reads one file."""

    def __init__(
        self, path: Path, specs: Sequence[Spec], most_seconds: int
    ) -> None:
        """Take the file, the kinds there are, and the longest fault."""
        self._path = path
        self._specs = {spec.name: spec for spec in specs}
        self._most_seconds = most_seconds
        self._expects: tuple[str, ...] = ()

    def read(self) -> Scenario:
        """Return the scenario, or raise Refused with what is wrong."""
        name = self._path.stem
        values = self._mapping(load_strictly(self._path), "", FIELDS)
        if values.get("name") != name or not NAME.fullmatch(name):
            raise self._refusal(
                f"{values.get('name')!r} is not the name of the file",
                "name",
                f"Write 'name: {name}': small letters, digits and -",
            )
        purpose = values.get("purpose")
        if not isinstance(purpose, str) or not purpose.strip():
            raise self._refusal(
                "it is empty", "purpose", "Say in one line what it shows"
            )
        self._expects = self._actions(values.get("expects"), "expects")
        steps = self._steps(values.get("steps"))
        return Scenario(
            name=name,
            purpose=" ".join(purpose.split()),
            expects=self._expects,
            steps=steps,
            seconds=self._check(steps),
        )

    def _steps(self, given: Any) -> tuple[Step, ...]:
        """Return the steps in order."""
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_STEPS:
            raise self._refusal(
                "it is no list of steps",
                "steps",
                f"Write 1 to {MOST_STEPS} steps, each with 'at' and 'fault'"
                " or 'stop'",
            )
        return tuple(
            self._step(one, f"steps.{number}")
            for number, one in enumerate(given, start=1)
        )

    def _step(self, given: Any, where: str) -> Step:
        """Return one step."""
        is_stop = isinstance(given, dict) and "stop" in given
        known = STOP_FIELDS if is_stop else FAULT_FIELDS
        values = self._mapping(given, where, known)
        at = self._time(values.get("at"), f"{where}.at")
        word = "stop" if is_stop else "fault"
        spec = self._specs.get(str(values.get(word)))
        if spec is None:
            raise self._refusal(
                f"there is no fault {values.get(word)!r}",
                f"{where}.{word}",
                f"Choose one of: {', '.join(sorted(self._specs))}",
            )
        if is_stop:
            return Step(at, stop=spec.name)
        return Step(at, self._order(values, spec, where))

    def _order(
        self, values: Mapping[str, Any], spec: Spec, where: str
    ) -> Order:
        """Return what a step wants, with every number checked."""
        span = f"{where}.for"
        seconds = self._time(values.get("for"), span)
        options = self._mapping(values.get("options", {}), f"{where}.options")
        expects = values.get("expects")
        order = Order(
            spec.name,
            level=values.get("level"),
            options=options,
            expects=(
                self._expects
                if expects is None
                else self._actions(expects, f"{where}.expects")
            ),
        )
        try:
            plan = make_plan(spec, order, self._most_seconds)
        except Refused as error:
            raise self._refusal(
                error.detail, f"{where}.{error.field}", error.remedy
            ) from error
        try:
            whole = read_number(seconds, span, 1, self._most_seconds)
        except Refused as error:
            raise self._refusal(
                error.detail,
                span,
                "Write whole seconds, as 'for: 60s', up"
                f" to {self._most_seconds}: 'most.seconds' of the settings",
            ) from error
        return Order(
            spec.name,
            level=plan.level,
            seconds=whole,
            options=options,
            expects=order.expects,
        )

    def _check(self, steps: Sequence[Step]) -> float:
        """Return how long all of it takes; it must be able to happen."""
        until: dict[str, float] = {}
        last = end = 0.0
        for number, step in enumerate(steps, start=1):
            where = f"steps.{number}"
            if step.at < last:
                raise self._refusal(
                    f"it is before the step above, at {last:g} s",
                    f"{where}.at",
                    "Write the steps in the order in which they happen",
                )
            last = step.at
            kind = step.order.kind if step.order else step.stop
            runs = until.get(kind, -1.0) >= step.at
            if step.order and runs:
                raise self._refusal(
                    f"{kind} runs still, until {until[kind]:g} s",
                    f"{where}.fault",
                    f"Let it begin later, or write 'stop: {kind}' before it",
                )
            if not step.order and not runs:
                raise self._refusal(
                    f"{kind} does not run then",
                    f"{where}.stop",
                    "Leave the step out, or let the fault last longer",
                )
            until[kind] = -1.0
            if step.order:
                until[kind] = step.at + (step.order.seconds or 0)
            end = max(end, step.at, until[kind])
        if end > MOST_SECONDS:
            raise self._refusal(
                f"it takes {end:g} s",
                "steps",
                f"A scenario takes {MOST_SECONDS:g} s at most",
            )
        return end

    def _time(self, given: Any, where: str) -> float:
        """Return a time in seconds."""
        found = TIME.fullmatch(given) if isinstance(given, str) else None
        if found is None:
            raise self._refusal(
                f"{given!r} is no time",
                where,
                "Write a number and a unit, as 500ms, 5s, 2m or 1h",
            )
        return round(float(found[1]) * UNITS[found[2]], 3)

    def _actions(self, given: Any, where: str) -> tuple[str, ...]:
        """Return the names of actions."""
        names = given if isinstance(given, list) else [given]
        is_right = bool(names) and all(
            isinstance(name, str) and ACTION.fullmatch(name) for name in names
        )
        if not is_right:
            raise self._refusal(
                f"{given!r} is no action",
                where,
                "Write a list, as [restart_service], [no_action] or"
                " [escalate, collect_diagnostics]",
            )
        return tuple(names)

    def _mapping(
        self, given: Any, where: str, known: set[str] | None = None
    ) -> dict[str, Any]:
        """Return a mapping that has no word that is not known."""
        if not isinstance(given, dict):
            raise self._refusal(
                f"{given!r} is no mapping", where or FILE, SHAPE
            )
        for name in given:
            if known is not None and name not in known:
                raise self._refusal(
                    f"{name!r} is no field here",
                    f"{where}.{name}".lstrip("."),
                    f"The fields are: {', '.join(sorted(known))}",
                )
        return given

    def _refusal(self, detail: str, where: str, remedy: str) -> Refused:
        """Return what is wrong with this file."""
        return Refused(
            f"{self._path.name}: {detail}", field=where, remedy=remedy
        )
