"""Vetting: whether what a person wrote may be the arguments of an action.

A person may name what no alert names; it must have its shape all the same,
and the inventory must know it where one is kept.
"""

from collections.abc import Collection

from app.core.errors import Refused
from app.core.shape import SHAPES
from app.models.action import ActionSpec, Parameter
from app.models.choice import Proof
from app.models.inventory import Inventory, Thing
from app.models.menu import Arguments, Value

HOST = ("host",)
ON_HOSTS = ("service", "container")


def vet(
    spec: ActionSpec, arguments: Arguments, inventory: Inventory
) -> tuple[Proof, ...]:
    """Return where each argument came from: a person.

    Raises:
        Refused: one is unknown, missing, or not what it must be.
    """
    for name in arguments:
        if name not in spec.parameters:
            known = ", ".join(spec.parameters) or "none"
            raise _refuse(
                spec, name, "there is no such argument", f"Known: {known}."
            )
    for name, parameter in spec.parameters.items():
        if name in arguments:
            _fit(spec, name, parameter, arguments[name])
        elif parameter.required:
            raise _refuse(spec, name, "it is needed", parameter.purpose)
    _look_up(spec, arguments, inventory)
    return tuple(Proof(n, v, "person") for n, v in arguments.items())


def _fit(
    spec: ActionSpec, name: str, parameter: Parameter, value: Value
) -> None:
    """Raise Refused when a value is not what an argument may be."""
    if parameter.is_number:
        if not parameter.is_within(value):
            bounds = f"{parameter.minimum} to {parameter.maximum}"
            raise _refuse(
                spec, name, f"{value!r:.80} is not from {bounds}", ""
            )
        return
    if parameter.values:
        if value not in parameter.values:
            known = ", ".join(parameter.values)
            raise _refuse(
                spec, name, f"{value!r:.80} is not listed", f"Known: {known}."
            )
        return
    shape = SHAPES[parameter.shape]
    if not isinstance(value, str) or shape.fit(value) != value:
        raise _refuse(
            spec, name, f"{value!r:.80} is not {shape.says}", parameter.purpose
        )


def _look_up(
    spec: ActionSpec, arguments: Arguments, inventory: Inventory
) -> None:
    """Raise Refused when the inventory does not know, or allow, a thing."""
    if not inventory:
        return
    hosts = []
    for name in _named(spec, arguments, HOST):
        host = inventory.find_host(str(arguments[name]))
        if host is None:
            what = f"{arguments[name]!r:.80} is not in the inventory"
            raise _refuse(spec, name, what, "Name a host that is.")
        _check_allowed(spec, name, host)
        hosts.append(host)
    for name in _named(spec, arguments, ON_HOSTS):
        for host in hosts:
            _look_up_on(spec, name, str(arguments[name]), host, inventory)


def _named(
    spec: ActionSpec, arguments: Arguments, kinds: Collection[str]
) -> list[str]:
    """Return the arguments that name things of some kinds."""
    return [
        name
        for name, parameter in spec.parameters.items()
        if parameter.inventory in kinds and name in arguments
    ]


def _look_up_on(
    spec: ActionSpec, name: str, value: str, host: Thing, inventory: Inventory
) -> None:
    """Raise Refused when a host is known not to have a thing."""
    kind = spec.parameters[name].inventory
    thing = inventory.find_on(kind, value, host.name)
    if thing is not None:
        _check_allowed(spec, name, thing)
    elif any(inventory.on_host(kind, host.name)):
        what = f"{value!r:.80} is not known on {host.name}"
        raise _refuse(spec, name, what, f"Name a {kind} that is.")


def _check_allowed(spec: ActionSpec, name: str, thing: Thing) -> None:
    """Raise Refused when the inventory forbids an action on a thing."""
    if thing.actions is not None and spec.name not in thing.actions:
        raise _refuse(
            spec,
            name,
            f"the inventory does not allow {spec.name} on {thing.name}",
            "Change the inventory first.",
        )


def _refuse(spec: ActionSpec, name: str, what: str, remedy: str) -> Refused:
    """Return what a person is told about an argument."""
    return Refused(
        422,
        "bad_argument",
        f"{spec.name}: {name}: {what}.",
        field=f"arguments.{name}",
        remedy=remedy,
    )
