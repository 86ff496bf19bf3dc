"""Whether a host's name is the machine that we run on.

Only what tells machines apart counts: not localhost, not the addresses of
bridges for containers, which every machine has.
"""

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from threading import Thread

import psutil

from app.core.clock import Clock
from app.core.host import HostSettings
from app.core.naming import host_names

AGE_SECONDS = 60.0
NAME_SECONDS = 2.0
# Interfaces whose addresses other machines have as well.
INNER = (
    "docker", "br-", "virbr", "veth", "cni", "flannel", "cali", "lxc",
    "lxd", "podman", "kube", "nodelocal", "vboxnet", "vmnet", "incusbr",
    "weave",
)  # fmt: skip


class Here:
    """Knows the names of this machine; its addresses may change."""

    def __init__(
        self,
        settings: HostSettings,
        clock: Clock,
        find: Callable[[], Iterable[str]] | None = None,
    ) -> None:
        """Take what it is called beside, and who finds its own names."""
        self._said = settings.names
        self._clock = clock
        self._find = find or Finder()
        self._until = float("-inf")
        self._names: frozenset[str] = frozenset()

    def is_here(self, *names: str) -> bool:
        """Tell whether the names of one host are ours.

        A name without a domain is ours when our own begins with it; a name
        with a domain is ours only as a whole. Where there are some of
        those, one must be: web-01 is here and in staging, too.
        """
        own = self.names()
        said = [name.casefold() for name in host_names(names)]
        whole = [name for name in said if "." in name and not is_address(name)]
        return any(name in own for name in whole or said)

    def names(self) -> frozenset[str]:
        """Return what this machine is called."""
        now = self._clock.monotonic()
        if now >= self._until:
            known = host_names([*self._said, *self._find()])
            own = {name.casefold() for name in known}
            own |= {n.partition(".")[0] for n in own if not is_address(n)}
            self._names = frozenset(own)
            self._until = now + AGE_SECONDS
        return self._names


def is_address(name: str) -> bool:
    """Tell whether a name is an address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Finder:
    """Finds the names and addresses of this machine."""

    def __init__(
        self,
        name: Callable[[], str] = socket.gethostname,
        full: Callable[[], str] = socket.getfqdn,
        addresses: Callable[[], Mapping[str, Sequence[object]]] = (
            psutil.net_if_addrs
        ),
    ) -> None:
        """Take who says the name, the full name and the addresses."""
        self._name = name
        self._full = full
        self._addresses = addresses
        self._found: list[str] | None = None

    def __call__(self) -> list[str]:
        """Return them; the full name is looked up once, and not for long."""
        if self._found is None:
            self._found = []
            # It asks the network, which may be away.
            asking = Thread(target=self._ask, args=(self._found,), daemon=True)
            asking.start()
            asking.join(NAME_SECONDS)
        return [self._name(), *self._found, *self._own_addresses()]

    def _ask(self, found: list[str]) -> None:
        """Look up the full name."""
        found.append(self._full())

    def _own_addresses(self) -> Iterable[str]:
        """Return the addresses that no other machine has.

        A hardened unit may not ask for them: then only names are ours.
        """
        try:
            known = self._addresses()
        except OSError:
            return
        for interface, some in known.items():
            if not interface.startswith(INNER):
                said = (str(getattr(one, "address", "")) for one in some)
                yield from (text for text in said if is_address(text))
