"""Whether an alert, or a call, is about what a fault is on.

Monitoring systems call one thing by several labels: ``instance`` with a
port is a host, ``groupname`` is a process. An alert that names the thing
itself is about the fault. One that names only the host may be. One that
names another thing is not.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum

HOST = "host"
ALIASES: Mapping[str, tuple[str, ...]] = {
    HOST: ("host", "hostname", "instance", "node", "server"),
    "process": ("process", "groupname"),
    "service": ("service", "unit"),
    "mountpoint": ("mountpoint", "filesystem"),
}
# What else an alert can be about; no fault is on any of these.
OTHERS = ("interface", "sensor", "container", "pod")
# Arguments of actions, by the part of a target that they name.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    HOST: ("host",),
    "process": ("process",),
    "service": ("service",),
    "mountpoint": ("path", "mountpoint"),
}


class Naming(IntEnum):
    """How well labels name the target of a fault."""

    NOT = 0
    HOST = 1  # the machine, and nothing on it
    EXACT = 2  # the very thing


def name_of(labels: Mapping[str, str], target: Mapping[str, str]) -> Naming:
    """Return how well labels name a target."""
    hosts = hosts_of(labels)
    if HOST in target and bare(target[HOST]) not in hosts:
        return Naming.NOT
    things = {part for part in ALIASES if part != HOST and part in target}
    named = _things(labels)
    if not named:
        if any(labels.get(other) for other in OTHERS):
            return Naming.NOT
        return Naming.EXACT if not things else Naming.HOST
    same = named.keys() & things
    is_same = all(bare(target[part]) in named[part] for part in same)
    return Naming.EXACT if same and is_same else Naming.NOT


def hosts_of(labels: Mapping[str, str]) -> set[str]:
    """Return the names of machines among labels, without ports."""
    return {
        bare(labels[alias]) for alias in ALIASES[HOST] if labels.get(alias)
    }


def is_on(
    arguments: Mapping[str, str | int],
    target: Mapping[str, str],
    hosts: Iterable[str] = (),
) -> bool:
    """Tell whether no argument of a call names another thing than a target.

    What the target does not name is not compared.

    Args:
        arguments: with what something is done.
        target: what the fault is on.
        hosts: other names of the target's machine.
    """
    for part, names in ARGUMENTS.items():
        given = [str(arguments[name]) for name in names if name in arguments]
        if not given or part not in target:
            continue
        if part == HOST:
            right = {bare(target[part]), *map(bare, hosts)}
            is_right = bare(given[0]) in right
        elif part == "mountpoint":
            is_right = _is_inside(given[0], target[part])
        else:
            is_right = bare(given[0]) == bare(target[part])
        if not is_right:
            return False
    return True


def bare(name: str) -> str:
    """Return a name without its port and the ending of a unit."""
    head, colon, port = name.rpartition(":")
    if colon and port.isdigit():
        name = head
    return name.strip().lower().removesuffix(".service")


def _things(labels: Mapping[str, str]) -> dict[str, set[str]]:
    """Return what labels name, besides the machine."""
    found = {
        part: {bare(labels[alias]) for alias in aliases if labels.get(alias)}
        for part, aliases in ALIASES.items()
        if part != HOST
    }
    return {part: names for part, names in found.items() if names}


def _is_inside(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or below it."""
    folder = folder.rstrip("/")
    return path.rstrip("/") == folder or path.startswith(f"{folder}/")
