"""Whose labels they are: of what has the problem, or of who told of it.

Prometheus adds the labels of whom it asked. Where an exporter tells of
others, ``pod``, ``container`` and ``service`` are the exporter's own; what
the metric itself says under such a name is called ``exported_pod`` then.
Nothing is restarted because it told the truth about something else.
"""

import re
from collections.abc import Mapping

EXPORTED = "exported_"
# Each word is walked through once, from its beginning.
TELLER = re.compile(
    r"(?<![a-z0-9])[a-z0-9]+[-_]?exporter|kube[-_]state[-_]metrics|cadvisor"
)
# Asked about a whole cluster: even its address is that of nothing else.
CENTRAL = "kubestatemetrics"
# Asked about the machine below it: whatever pod it runs in has no problem.
OF_MACHINE = ("nodeexporter", "windowsexporter", "processexporter")
PODS = ("pod", "pod_name")
OF_TELLER = (
    *PODS,
    "container",
    "container_name",
    "service",
    "service_name",
)


def own_labels(labels: Mapping[str, str], name: str) -> Mapping[str, str]:
    """Return the labels that are about the problem, by their usual names.

    Args:
        labels: as the source says them.
        name: of the alert: one that is named after who told it is about
            that one.
    """
    own = dict(labels)
    teller = _find_teller(labels)
    if teller and teller not in _plain(name):
        is_in_pod = teller in OF_MACHINE and not own.keys().isdisjoint(PODS)
        for label in OF_TELLER:
            if is_in_pod or teller in _plain(own.get(label, "")):
                own.pop(label, None)
        if teller == CENTRAL:
            own.pop("instance", None)
    for label in labels:
        if label.startswith(EXPORTED) and labels[label].strip():
            own[label.removeprefix(EXPORTED)] = labels[label]
    return own


def origin_of(label: str, labels: Mapping[str, str]) -> str:
    """Return the name by which the source says what is about the problem."""
    exported = EXPORTED + label
    return exported if labels.get(exported, "").strip() else label


def _find_teller(labels: Mapping[str, str]) -> str:
    """Return what tells of others, in plain letters, or nothing."""
    said = [labels.get("job", "")]
    if "namespace" in labels:
        # A service of a cluster; elsewhere it may be the unit that failed.
        said += [labels.get("service", ""), labels.get("container", "")]
    found = (TELLER.search(text.lower()) for text in said)
    return next((_plain(one[0]) for one in found if one), "")


def _plain(text: str) -> str:
    """Return a text without what only its spelling is."""
    return re.sub(r"[^a-z0-9]", "", text.lower())
