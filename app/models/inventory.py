"""The inventory: which things there are, and what may be done to them."""

from collections.abc import Iterator, Mapping

import msgspec


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One host, service or container that is known here.

    Attributes:
        kind: host, service or container.
        name: its name.
        host: the host that it is on; empty for a host.
        aliases: other names and addresses of it.
        role: what it is for, such as web or database; empty when unknown.
        environment: production, staging ...; empty when unknown.
        team: whose it is; empty when unknown.
        actions: what may be done to it; None for all that the menu allows.
        source: where it is known from.
    """

    kind: str
    name: str
    host: str = ""
    aliases: tuple[str, ...] = ()
    role: str = ""
    environment: str = ""
    team: str = ""
    actions: frozenset[str] | None = None
    source: str = ""


def _key(name: str) -> str:
    """Return how a name is compared: case does not matter."""
    return name.strip().casefold()


class Inventory:
    """All things that are known here; empty when nobody keeps one."""

    def __init__(
        self, things: tuple[Thing, ...] = (), *, is_kept: bool = False
    ) -> None:
        """Take the things.

        Args:
            things: what there is.
            is_kept: whether somebody keeps one, though nothing may be known
                of it yet: then nothing is a target, not everything.
        """
        self._things = things
        self._is_kept = is_kept
        self._named: dict[tuple[str, str], list[Thing]] = {}
        self._short: dict[str, list[tuple[str, Thing]]] = {}
        self._on: dict[tuple[str, str], list[Thing]] = {}
        for thing in things:
            on = (thing.kind, _key(thing.host))
            self._on.setdefault(on, []).append(thing)
            for name in {_key(n) for n in (thing.name, *thing.aliases)}:
                self._named.setdefault((thing.kind, name), []).append(thing)
                if thing.kind == "host":
                    short = name.split(".")[0]
                    self._short.setdefault(short, []).append((name, thing))

    @property
    def things(self) -> tuple[Thing, ...]:
        """Return all things."""
        return self._things

    def __bool__(self) -> bool:
        """Tell whether anybody keeps one."""
        return self._is_kept or bool(self._things)

    def find_host(self, name: str) -> Thing | None:
        """Return a host by any of its names, or by its short name.

        The short name counts only while one host alone has it.
        """
        found = self._named.get(("host", _key(name)), [])
        if not found:
            short = _key(name).split(".")[0]
            found = [
                thing
                for known, thing in self._short.get(short, ())
                if ("." not in known or "." not in name)
                and not short.isdecimal()
            ]
        distinct = {id(thing): thing for thing in found}
        return next(iter(distinct.values())) if len(distinct) == 1 else None

    def names_of(self, host: Thing) -> tuple[str, ...]:
        """Return the name of a host, and all else that leads to it alone.

        Sources come and go, and another name may lead tomorrow: the short
        ones are among them.
        """
        whole = (host.name, *host.aliases)
        names = (*whole, *(name.partition(".")[0] for name in whole))
        others = (one for one in names if self.find_host(one) is host)
        return tuple(dict.fromkeys(map(_key, (host.name, *others))))

    def find_on(self, kind: str, name: str, host: str) -> Thing | None:
        """Return a service or container of a host, or None."""
        for thing in self._named.get((kind, _key(name)), ()):
            if _key(thing.host) == _key(host):
                return thing
        return None

    def on_host(self, kind: str, host: str) -> Iterator[Thing]:
        """Yield the services or containers of a host."""
        return iter(self._on.get((kind, _key(host)), ()))

    def counts(self) -> Mapping[str, int]:
        """Return how many there are of each kind."""
        counts: dict[str, int] = {}
        for thing in self._things:
            counts[thing.kind] = counts.get(thing.kind, 0) + 1
        return counts
