"""The target: the host, service, container or pod that a problem is on.

It is read out of an alert's own labels by rules, the first that fits. Two
alerts are on one target only when kind, scope and name are all the same.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

import msgspec

from app.models.brevity import shorten

# What keeps "web-01" of one place apart from "web-01" of another.
PLACES = ("cluster", "datacenter", "region", "environment", "env")
IN_CLUSTER = (*PLACES, "namespace")


class Target(msgspec.Struct, frozen=True):
    """What a problem is on.

    Attributes:
        kind: host, service, pod ... or alert, when no label names a target.
        name: its name, without the port that it was scraped on.
        scope: what the name is unique in, such as cluster=prod.
    """

    kind: str
    name: str
    scope: str = ""

    @property
    def key(self) -> str:
        """Return a text that no other target has."""
        scope = self.scope.replace("%", "%25").replace(":", "%3A")
        return shorten(f"{self.kind}:{scope}:{self.name}")

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.kind} {self.name}"


class TargetRule(msgspec.Struct, frozen=True):
    """Which labels make a target of one kind.

    Attributes:
        kind: the kind of target.
        labels: the label that names it; the first that is there.
        scope: the labels that the name is unique in, those that are there.
    """

    kind: str
    labels: tuple[str, ...]
    scope: tuple[str, ...] = PLACES


WORKLOADS = ("deployment", "statefulset", "daemonset", "cronjob")
HOSTS = (
    "host",
    "hostname",
    "host_name",
    "nodename",
    "node",
    "node_name",
    "InstanceId",
    "instance",
)
SERVICES = (
    "service",
    "service_name",
    "app",
    "application",
    "DBInstanceIdentifier",
    "LoadBalancer",
    "QueueName",
    "FunctionName",
    "job",
)
TARGET_RULES = (
    TargetRule("pod", ("pod", "pod_name"), IN_CLUSTER),
    TargetRule("workload", WORKLOADS, IN_CLUSTER),
    TargetRule("volume", ("persistentvolumeclaim",), IN_CLUSTER),
    TargetRule("host", HOSTS),
    TargetRule("service", SERVICES, (*IN_CLUSTER, "account")),
)


def find_target(
    labels: Mapping[str, str], rules: Sequence[TargetRule]
) -> Target | None:
    """Return the target of the first rule that fits, or None."""
    for rule in rules:
        for label in rule.labels:
            name = labels.get(label, "").strip()
            if name:
                where = _scope(labels, rule.scope)
                return Target(rule.kind, _bare(name), where)
    return None


def _scope(labels: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the labels that a name is unique in, as one text."""
    pairs = ((name, labels.get(name, "")) for name in names)
    return ",".join(f"{name}={_quoted(text)}" for name, text in pairs if text)


def _quoted(text: str) -> str:
    """Return a value in which no comma or equals sign can be read wrongly."""
    return text.replace("%", "%25").replace(",", "%2C").replace("=", "%3D")


def _bare(name: str) -> str:
    """Return a host's name without the port that it was scraped on."""
    host, colon, port = name.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        return name
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1]
    return name if _is_address(name) or not host else host


def _is_address(name: str) -> bool:
    """Tell whether a text with colons is an IPv6 address without a port."""
    if ":" not in name:
        return False
    try:
        return ip_address(name).version == 6
    except ValueError:
        return False
