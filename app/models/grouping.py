"""Groups of hosts that hold groups, with variables, as Ansible has them."""

import re
import string
from collections.abc import Collection, Iterator, Mapping
from itertools import product

MOST_HOSTS = 50_000
MOST_GROUPS = 5_000
ALL = "all"
VALUE_CHARS = 512
RANGE = re.compile(r"\[([^\[\]:]*):([^\[\]:]+)(?::(\d{1,6}))?\]")


class GroupsWrong(ValueError):
    """Groups or names of hosts that cannot be."""


class Groups:
    """Hosts in groups; a variable of an inner group wins over an outer."""

    def __init__(self, wanted: Collection[str]) -> None:
        """Take the names of the variables that anybody asks for."""
        self._wanted = frozenset(wanted)
        self._hosts: dict[str, dict[str, str]] = {}
        self._groups: dict[str, dict[str, str]] = {ALL: {}}
        self._parents: dict[str, set[str]] = {}
        self._inside: dict[str, set[str]] = {}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the names of all hosts, in the order they were told."""
        return tuple(self._hosts)

    def add(self, group: str) -> None:
        """Know a group."""
        self._groups.setdefault(group, {})
        if len(self._groups) > MOST_GROUPS:
            raise GroupsWrong(f"more than {MOST_GROUPS} groups")

    def tell(self, group: str, told: Mapping[str, object]) -> None:
        """Take variables of a group."""
        self.add(group)
        self._groups[group] |= self._plain(told)

    def put(self, group: str, host: str, told: Mapping[str, object]) -> None:
        """Put a host into a group, with variables of its own."""
        self.add(group)
        self._hosts.setdefault(host, {}).update(self._plain(told))
        self._inside.setdefault(host, set()).add(group)
        if len(self._hosts) > MOST_HOSTS:
            raise GroupsWrong(f"more than {MOST_HOSTS} hosts")

    def nest(self, group: str, child: str) -> None:
        """Put a group into another."""
        self.add(group)
        self.add(child)
        self._parents.setdefault(child, set()).add(group)

    def around(self, host: str) -> tuple[str, ...]:
        """Return all groups that a host is in, the outermost first."""
        depths: dict[str, int] = {ALL: 0}
        waiting = list(self._inside.get(host, ()))
        found = set(waiting)
        while waiting:
            for parent in self._parents.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        for group in sorted(found):
            self._depth(group, depths, ())
        known = sorted(found | {ALL}, key=lambda name: (depths[name], name))
        return tuple(known)

    def told(self, host: str) -> Mapping[str, str]:
        """Return the variables of a host, those of its groups included."""
        told: dict[str, str] = {}
        for group in self.around(host):
            told |= self._groups[group]
        return told | self._hosts[host]

    def _depth(
        self, group: str, depths: dict[str, int], path: tuple[str, ...]
    ) -> int:
        """Return how deep a group lies; the longest way counts."""
        if group in path:
            raise GroupsWrong(f"the group {group[:80]!r} holds itself")
        if group not in depths:
            if len(path) > 100:
                raise GroupsWrong("groups are nested too deep")
            below = (*path, group)
            parents = self._parents.get(group, {ALL})
            depths[group] = 1 + max(
                self._depth(parent, depths, below) for parent in parents
            )
        return depths[group]

    def _plain(self, told: Mapping[str, object]) -> dict[str, str]:
        """Return the variables that are wanted, as texts."""
        return {
            name: str(value)[:VALUE_CHARS]
            for name, value in told.items()
            if name in self._wanted and isinstance(value, str | int | float)
        }


def spread(pattern: str) -> Iterator[str]:
    """Yield the hosts that a pattern such as web[01:20] stands for.

    Raises:
        GroupsWrong: a range is none, or there are too many.
    """
    parts = RANGE.split(pattern)
    choices: list[list[str]] = []
    count = 1
    for at in range(0, len(parts), 4):
        choices.append([parts[at]])
        if at + 1 < len(parts):
            start, end, step = parts[at + 1 : at + 4]
            choices.append(_range(start, end, int(step or 1)))
            count *= len(choices[-1])
    if count > MOST_HOSTS:
        raise GroupsWrong(f"{pattern[:80]!r} means more than {MOST_HOSTS}")
    yield from ("".join(chosen) for chosen in product(*choices))


def _range(start: str, end: str, step: int) -> list[str]:
    """Return what lies between two numbers or letters, both included."""
    letters = string.ascii_letters
    start = start or "0"
    if len(start) == len(end) == 1 and start in letters and end in letters:
        found = list(letters[letters.index(start) : letters.index(end) + 1])
    else:
        found = _numbers(start, end)
    if step < 1 or not found:
        raise GroupsWrong(f"[{start[:20]}:{end[:20]}] is no range")
    return found[::step]


def _numbers(start: str, end: str) -> list[str]:
    """Return the numbers of a range, with the zeros that the first has."""
    is_number = start.isdecimal() and end.isdecimal()
    if not is_number or max(len(start), len(end)) > 9:
        return []
    first, last = int(start), int(end)
    if last - first >= MOST_HOSTS:
        raise GroupsWrong(f"a range of more than {MOST_HOSTS} hosts")
    width = len(start) if start[0] == "0" else 0
    return [f"{number:0{width}d}" for number in range(first, last + 1)]
