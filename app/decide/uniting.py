"""Make one inventory of what several sources know, the first one leads.

Two sources may call one host otherwise. What one of them forbids must hold
whatever name an alert uses, so things that are surely one are made one:
the allowed actions are those that all of them allow. What is not sure stays
two: then a shared name is ambiguous, and leads to people.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from app.models.inventory import Thing


def unite(loads: Iterable[Sequence[Thing]]) -> tuple[Thing, ...]:
    """Return the things of all sources, the first source first."""
    union = _Union()
    for load in loads:
        union.add(load)
    return union.things


def merge(one: Thing, more: Thing) -> Thing:
    """Return a thing with what another source knows about it."""
    known = _names(one)
    extra = tuple(
        name for name in (more.name, *more.aliases) if _key(name) not in known
    )
    both = [a for a in (one.actions, more.actions) if a is not None]
    return msgspec.structs.replace(
        one,
        aliases=one.aliases + tuple(dict.fromkeys(extra)),
        role=one.role or more.role,
        environment=one.environment or more.environment,
        team=one.team or more.team,
        actions=frozenset.intersection(*both) if both else None,
        source=", ".join(dict.fromkeys((one.source, more.source))),
    )


class _Union:
    """The things so far, and by which names their hosts are known."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._hosts: list[Thing] = []
        self._known: dict[str, set[int]] = {}
        self._short: dict[str, set[int]] = {}
        self._parts: dict[tuple[str, str, str], Thing] = {}

    @property
    def things(self) -> tuple[Thing, ...]:
        """Return the hosts, then what is on them."""
        return (*self._hosts, *self._parts.values())

    def add(self, load: Sequence[Thing]) -> None:
        """Take in what one source knows."""
        hosts = [thing for thing in load if thing.kind == "host"]
        told = Counter(name for host in hosts for name in _names(host))
        short = Counter(_short(host.name) for host in hosts)
        placed: dict[str, int] = {}
        added = []
        for host in hosts:
            at = self._find(host, told, short)
            if at is None:
                at = len(self._hosts)
                self._hosts.append(host)
            else:
                self._hosts[at] = merge(self._hosts[at], host)
            placed.setdefault(_key(host.name), at)
            added.append(at)
        for at in added:
            self._remember(at)
        for thing in load:
            if thing.kind != "host":
                self._add_part(thing, placed)

    def _find(
        self, host: Thing, told: Counter[str], short: Counter[str]
    ) -> int | None:
        """Return which known host this one surely is, or None.

        A name counts that this source gives to one host only; the short
        name while the whole ones tell nothing.
        """
        found: set[int] = set()
        for name in _names(host):
            if told[name] == 1:
                found |= self._known.get(name, set())
        brief = _short(host.name)
        if not found and brief and short[brief] == 1:
            found = {
                at
                for at in self._short.get(brief, ())
                if "." not in host.name or "." not in self._hosts[at].name
            }
        return found.pop() if len(found) == 1 else None

    def _remember(self, at: int) -> None:
        """Let a host be found by all of its names from now on."""
        host = self._hosts[at]
        for name in _names(host):
            self._known.setdefault(name, set()).add(at)
        brief = _short(host.name)
        if brief:
            self._short.setdefault(brief, set()).add(at)

    def _add_part(self, thing: Thing, placed: dict[str, int]) -> None:
        """Take in what is on a host, under the name that the host has now."""
        host = _key(thing.host)
        at = placed.get(host)
        if at is None:
            known = self._known.get(host, set())
            at = next(iter(known)) if len(known) == 1 else None
        if at is not None:
            name = self._hosts[at].name
            thing = msgspec.structs.replace(thing, host=name)
        key = (thing.kind, _key(thing.name), _key(thing.host))
        before = self._parts.get(key)
        self._parts[key] = thing if before is None else merge(before, thing)


def _key(name: str) -> str:
    """Return how a name is compared."""
    return name.strip().casefold()


def _names(thing: Thing) -> set[str]:
    """Return all names of a thing, as they are compared."""
    return {_key(name) for name in (thing.name, *thing.aliases)}


def _short(name: str) -> str:
    """Return the first part of a name, empty when it is of an address."""
    first = _key(name).split(".")[0]
    return "" if first.isdecimal() or ":" in first else first
