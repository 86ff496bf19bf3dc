"""What nothing unlocks: protected targets, services and processes.

No rule, no approval and no trust is asked about them; only the policy file
says what they are, and some programs are always among them.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from ipaddress import ip_address

from app.core.shape import SHAPES
from app.guard.policyfile import ProtectedPart
from app.models.job import Bounds
from app.models.ruling import Motion

# Ending one of these ends the machine, the way into it, what we are
# ourselves, or the integrity of what is stored.
PROCESSES = (
    "init",
    "systemd",
    "systemd-*",
    "launchd",
    "kthreadd",
    "dbus-daemon",
    "dbus-broker*",
    "sshd",
    "sshd-*",
    "dockerd",
    "containerd*",
    "kubelet",
    "etcd",
    "smokejumper*",
    "postgres",
    "postgres:*",
    "postmaster",
    "mysqld",
    "mariadbd",
    "mongod",
    "oracle*",
    "sqlservr",
    "redis-server",
    "valkey-server",
    "clickhouse-server",
    "cassandra",
)
SERVICES = ("smokejumper*", "sshd", "ssh", "dbus*")
ALL = ("targets", "services", "processes")
KINDS = {
    "host": ("targets",),
    "service": ("services",),
    "container": ("services",),
    "pod": ("services",),
    "program": ("processes",),
    "word": (),
    "namespace": ("services",),
    "path": (),
}


class Protection:
    """Knows what is protected.

    Attributes:
        added: what the policy adds, for those who see more than the guard:
            a job may come upon what no argument names.
    """

    def __init__(self, says: ProtectedPart) -> None:
        """Take what the policy adds to what always is."""
        self.added = Bounds(
            processes=_bare_all(says.processes),
            services=_bare_all(says.services),
        )
        self._patterns = {
            "targets": _bare_all(map(SHAPES["host"].clean, says.targets)),
            "services": (*SERVICES, *self.added.services),
            "processes": (*PROCESSES, *self.added.processes),
        }

    def find(self, motion: Motion) -> str:
        """Return what of a motion is protected, or an empty text."""
        for kind, name in _named(motion):
            for pattern in self._patterns[kind]:
                if fnmatchcase(name, pattern):
                    return f"{name} is protected by {kind} {pattern}"
        return ""


def _named(motion: Motion) -> Iterator[tuple[str, str]]:
    """Yield all that a motion names, with the kinds that it may be of."""
    for target in (motion.target, motion.target.partition(":")[2]):
        for spelling in _spellings(target):
            yield "targets", spelling
    for known in motion.names:
        for spelling in _spellings(known):
            yield "targets", spelling
            yield "services", spelling
    spec = motion.spec
    for name, value in motion.arguments.items():
        parameter = spec.parameters.get(name) if spec is not None else None
        shape = "" if parameter is None else parameter.shape
        # What is of no certain kind is looked for among all of them.
        for kind in KINDS.get(shape, ALL):
            for spelling in _spellings(str(value)):
                yield kind, spelling


def _spellings(value: str) -> set[str]:
    """Return the ways in which a name may be written in a policy."""
    bare = _bare(value)
    return {bare, bare.rpartition("/")[2], bare.partition(".")[0]} - {""}


def _bare(name: str) -> str:
    """Return a name as it is compared: case does not matter.

    An address has one spelling here, however it is written.
    """
    bare = name.strip().casefold().removesuffix(".service")
    try:
        address = ip_address(bare)
    except ValueError:
        return bare
    return str(getattr(address, "ipv4_mapped", None) or address)


def _bare_all(names: Iterable[str]) -> tuple[str, ...]:
    """Return patterns as they are compared."""
    return tuple(_bare(name) for name in names)
