"""The action: what may be done, declared once.

The functions that a model is offered, the page in the docs and the API are
made from it: nothing about an action is written twice.
"""

import hashlib
import re
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from app.core.shape import SHAPES

NAME = r"^[a-z][a-z0-9_]{1,47}$"
Name = Annotated[str, Field(pattern=NAME)]
Line = Annotated[str, Field(min_length=3, max_length=400)]
# What every menu holds, whatever else is narrowed away.
ESCALATE = "escalate"
NO_ACTION = "no_action"
# So many readings make a verdict at most.
MOST_READINGS = 400
ALWAYS = frozenset({ESCALATE, NO_ACTION})


class Risk(StrEnum):
    """How bad it is when it was the wrong thing to do."""

    OBSERVE = "observe"
    REVERSIBLE = "reversible"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"


class Declared(BaseModel):
    """Base of what is declared: frozen, and nothing unknown in it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True
    )


class Parameter(Declared):
    """One argument of an action, and where it may come from.

    It may come from the labels of the alert that are named here, from the
    inventory, out of a closed list, or be a number between bounds. From
    free text it never comes.

    Attributes:
        purpose: what it is, in one line.
        shape: what it must look like: see app/core/shape.py.
        labels: the alert's labels that may fill it, the best one first.
        item_keys: beginnings of Zabbix item keys whose first argument may
            fill it.
        inventory: the kind of thing of the inventory that may fill it.
        values: the closed list.
        minimum: the least number.
        maximum: the greatest number.
        default: what it is when nobody says, of the list or the bounds.
        known_software: whether the name of a well-known piece of software
            in the alert's own name stands for its unit.
        required: whether the action needs it.
    """

    purpose: Line
    shape: str = "name"
    labels: tuple[str, ...] = ()
    item_keys: tuple[str, ...] = ()
    inventory: Literal["", "host", "service", "container"] = ""
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | None = None
    known_software: bool = False
    required: bool = True

    @model_validator(mode="before")
    @classmethod
    def _host_is_inventory(cls, declared: Any) -> Any:
        """Take a host for one of the inventory: none may pass by it."""
        if not isinstance(declared, dict) or declared.get("values"):
            return declared
        if declared.get("shape") == "host" and declared.get("labels"):
            return {"inventory": "host", **declared}
        return declared

    @field_validator("shape")
    @classmethod
    def _shape_is_known(cls, shape: str) -> str:
        """Refuse a shape that there is not."""
        if shape not in SHAPES:
            known = ", ".join(sorted(SHAPES))
            raise ValueError(f"there is no shape {shape!r}; known: {known}")
        return shape

    @property
    def is_number(self) -> bool:
        """Tell whether it is a number between bounds."""
        return self.minimum is not None

    @property
    def is_listed(self) -> bool:
        """Tell whether the declaration itself says what it can be."""
        return bool(self.values) or self.is_number

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        """Refuse what could come from nowhere, or from two kinds of place."""
        if (self.minimum is None) != (self.maximum is None):
            raise ValueError("minimum and maximum belong together")
        found = bool(self.labels or self.inventory or self.known_software)
        if found + bool(self.values) + self.is_number != 1:
            raise ValueError(
                "needs exactly one origin: labels or inventory, values, or"
                " minimum and maximum"
            )
        if self.is_number and not self.is_within(self.default):
            raise ValueError("needs a default between minimum and maximum")
        if self.default is not None and not self.is_listed:
            raise ValueError("a default is for values and numbers only")
        if self.values and self.default not in (None, *self.values):
            raise ValueError("the default is not one of the values")
        return self

    def is_within(self, number: object) -> bool:
        """Tell whether something is a number between the bounds."""
        if self.minimum is None or self.maximum is None:
            return False
        if not isinstance(number, int) or isinstance(number, bool):
            return False
        return self.minimum <= number <= self.maximum


class Run(Declared):
    """Where an action runs: a backend, and the name of the job there.

    Attributes:
        backend: the backend's name.
        job: the job's name there.
        timeout_seconds: how long it may take, from its start to its end.
        is_idempotent: whether it may be sent again when nobody knows
            whether it ran: only for what does no harm twice.
        when_resolved: what becomes of a running job when the problem goes
            away by itself.
    """

    backend: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]
    job: Annotated[str, Field(min_length=1, max_length=200)]
    timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    is_idempotent: bool = False
    when_resolved: Literal["finish", "abort"] = "finish"


class Check(Declared):
    """How success is measured, and how long it must hold.

    Attributes:
        name: of a check of app/verify/checks/.
        hold_seconds: so long it must be good, without a break.
        within_seconds: so long after the job it may take to become good.
        every_seconds: how often it is measured.
        options: what the check needs to know, such as limit, url, query.
    """

    name: Name
    hold_seconds: Annotated[int, Field(ge=0, le=86_400)] = 120
    within_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    every_seconds: Annotated[int, Field(ge=1, le=3_600)] = 10
    options: dict[Name, str | int | float] = {}

    @model_validator(mode="after")
    def _is_followable(self) -> Self:
        """Refuse what would need more readings than are kept of a job."""
        if self.hold_seconds > MOST_READINGS * self.every_seconds:
            raise ValueError(
                f"hold_seconds may be {MOST_READINGS} times every_seconds at"
                " most: measure less often"
            )
        return self


class Budget(Declared):
    """How often an action may run on one target."""

    runs: Annotated[int, Field(ge=1, le=1_000)] = 2
    window_seconds: Annotated[int, Field(ge=1, le=2_592_000)] = 3_600


class ActionSpec(Declared):
    """One action of the catalogue.

    It runs where ``run`` says; what that does not reach runs where the first
    of ``otherwise`` does that reaches it. Its ``hints`` are what code alone
    tells its job besides, where an alert says it: no brain chooses them,
    and for want of them nothing is refused.
    """

    name: Name
    purpose: Line
    when_to_use: Line
    when_not_to_use: Line
    parameters: dict[Name, Parameter] = {}
    hints: dict[Name, Parameter] = {}
    risk: Risk
    preconditions: tuple[Name, ...] = ()
    run: Run | None = None
    otherwise: Annotated[tuple[Run, ...], Field(max_length=20)] = ()
    check: Check | None = None
    undo: Name | None = None
    cooldown_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 600
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Refuse an action that could not be run, or not be judged."""
        if self.changes and self.run is None:
            raise ValueError("an action that changes something needs 'run'")
        if self.changes and self.check is None:
            raise ValueError("an action that changes something needs 'check'")
        if self.name in ALWAYS and self.parameters:
            raise ValueError(f"{self.name} takes no parameters")
        if self.hints.keys() & self.parameters.keys():
            raise ValueError("a hint has the name of a parameter")
        if any(hint.is_listed for hint in self.hints.values()):
            raise ValueError("a hint comes from labels or the inventory")
        if self.otherwise and self.run is None:
            raise ValueError("'otherwise' needs 'run', which is tried first")
        return self

    @property
    def changes(self) -> bool:
        """Tell whether it changes anything outside."""
        return self.risk is not Risk.OBSERVE

    @property
    def ways(self) -> tuple[Run, ...]:
        """Return where it can run, the first choice first."""
        return () if self.run is None else (self.run, *self.otherwise)

    def find_way(self, backend: str, job: str) -> Run | None:
        """Return how it runs as a job of a backend, or None."""
        for run in self.ways:
            if (run.backend, run.job) == (backend, job):
                return run
        return None

    @property
    def digest(self) -> str:
        """Return a hash of all that is declared, but for its hints.

        It says what can be chosen, and nobody chooses a hint.
        """
        text = self.model_dump_json(exclude={"hints"})
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Catalogue:
    """What may be done here, and nothing else."""

    def __init__(
        self,
        specs: tuple[ActionSpec, ...],
        own: tuple[ActionSpec, ...] = (),
    ) -> None:
        """Take the declared actions.

        Args:
            specs: what may be chosen.
            own: what only code of ours chooses: it is found by its name,
                ruled on and run as all others, and stands on no list.

        Raises:
            ValueError: a name is there twice, one that always must be
                there is not, or an undo names nothing.
        """
        self._specs = {spec.name: spec for spec in specs}
        self.own = {spec.name: spec for spec in own}
        names = [spec.name for spec in (*specs, *own)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"declared twice: {', '.join(twice)}")
        missing = sorted(ALWAYS - self._specs.keys())
        if missing:
            raise ValueError(f"not declared: {', '.join(missing)}")
        for spec in specs:
            if spec.undo is not None and spec.undo not in self._specs:
                raise ValueError(f"{spec.name}: no action {spec.undo!r}")

    @property
    def specs(self) -> tuple[ActionSpec, ...]:
        """Return the actions in the order of their names."""
        return tuple(self._specs[name] for name in sorted(self._specs))

    @cached_property
    def digest(self) -> str:
        """Return a hash of the whole catalogue."""
        text = " ".join(spec.digest for spec in self.specs)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def find(self, name: str) -> ActionSpec | None:
        """Return an action, or None."""
        return self._specs.get(name) or self.own.get(name)

    def get(self, name: str) -> ActionSpec:
        """Return an action that is there."""
        return (self._specs | self.own)[name]

    def changed(self, change: "Change") -> "Catalogue":
        """Return the same with each action as it is changed."""
        specs = tuple(map(change, self.specs))
        return Catalogue(specs, tuple(map(change, self.own.values())))


Change = Callable[[ActionSpec], ActionSpec]


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of an action."""
    return re.fullmatch(NAME, text) is not None
