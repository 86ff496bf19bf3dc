"""What kinds of things a case is about, as far as they are known.

The same words mean another thing on another object: a full file system of
logs is cleaned, one of a database is not.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

from app.decide.knowledge import (
    Knowledge,
    is_disposable,
    split_words,
    words_in,
)
from app.models.case import Case
from app.models.menu import Menu, Offer

HOMEMADE = "homemade"
# A name's tail that a deployment makes: -6f8c9d7b5-k2lmn, or -0 of a set.
REPLICA = re.compile(
    r"(-(?=[a-z]*\d)[a-z0-9]{4,10}-[a-z0-9]{3,5}"
    r"|-(?=[a-z]*\d)[a-z0-9]{3,5}|-[bcdfghjklmnpqrstvwxz]{5})$"
)
ORDINAL = re.compile(r"-\d{1,3}$")
ROLE_LABELS = (
    "role",
    "group",
    "hostgroups",
    "team",
    "tier",
    "app",
    "application",
    "target",
)
# Of a namespace: only what is in it can hold state, these hold nothing else.
VITAL_SPACES = frozenset({"database", "storage", "orchestration", "backup"})
ARGUMENTS = ("service", "process", "container", "pod", "namespace")


class Object(msgspec.Struct, frozen=True):
    """One thing that a case is about.

    Attributes:
        place: what it is in the case: service, path, host, role ...
        kind: which kind of thing: web, database, logs, homemade ...
        is_vital: whether it holds state, or much hangs on it.
    """

    place: str
    kind: str
    is_vital: bool


def find_objects(
    case: Case, menu: Menu, knowledge: Knowledge
) -> tuple[Object, ...]:
    """Return what a case is about, each thing once."""
    found = [
        *_arguments(menu, knowledge),
        *_hosts(case, menu, knowledge),
        *_named(case, knowledge),
    ]
    return tuple(dict.fromkeys(found))


def _arguments(menu: Menu, knowledge: Knowledge) -> Iterator[Object]:
    """Yield what the candidates of the arguments are."""
    seen = set()
    for offer in menu.offers:
        for name, candidates in offer.candidates.items():
            value = str(candidates[0].value)
            if (name, value) in seen:
                continue
            seen.add((name, value))
            if name == "path":
                kind = knowledge.place(value)
                yield Object("path", kind, not is_disposable(kind))
            elif name in ARGUMENTS:
                yield _thing(name, value, knowledge)


def _thing(place: str, name: str, knowledge: Knowledge) -> Object:
    """Return what a service, process, container or pod is."""
    bare = name.rpartition("/")[2]
    if place == "pod":
        bare = ORDINAL.sub("", REPLICA.sub("", bare))
    software = knowledge.program(bare)
    if software is not None:
        return Object(place, software.kind, not is_disposable(software.kind))
    roles = knowledge.roles_in(bare)
    if roles:
        # kafka-ui is a page, web-db is a database: the last word says it.
        kind, is_vital = roles[-1]
        if place == "namespace":
            is_vital = kind in VITAL_SPACES
        return Object(place, kind, is_vital)
    named = knowledge.all_named(bare)
    if named:
        kind = named[0].kind
        return Object(place, kind, not is_disposable(kind))
    return Object(place, HOMEMADE, is_vital=False)


def _hosts(case: Case, menu: Menu, knowledge: Knowledge) -> Iterator[Object]:
    """Yield what the host and its role are."""
    hosts = {
        str(offer.candidates["host"][0].value)
        for offer in menu.offers
        if "host" in offer.candidates
    }
    for host in sorted(hosts):
        roles = knowledge.roles_in(host.split(".")[0])
        # ceph-mon is a storage host: one vital word is enough.
        for kind, is_vital in [r for r in roles if r[1]][:1] or roles[-1:]:
            yield Object("host", kind, is_vital)
    own = case.own_labels
    for label in ROLE_LABELS:
        for kind, is_vital in knowledge.roles_in(own.get(label, "")):
            yield Object("role", kind, is_vital)


def _named(case: Case, knowledge: Knowledge) -> Iterator[Object]:
    """Yield the software that the alert's name and job are about."""
    for software in knowledge.all_named(case.name):
        yield Object("name", software.kind, not is_disposable(software.kind))
    for software in knowledge.all_named(case.labels.get("job", "")):
        if software.kind not in ("exporter", "agent"):
            yield Object(
                "job", software.kind, not is_disposable(software.kind)
            )


# They are restarted wherever they run, and these places hold no state.
HARMLESS = frozenset({"agent", "exporter", "shipper"})
CLEAN = frozenset(
    words_in("logs temporary cache packages cores spool-temporary")
)
# What tells of a problem, or runs what has it, is not what has it.
TELLERS = frozenset(
    ("monitoring-core", "init", "container-runtime", "orchestration", "batch")
)
ROOTS = frozenset({"root", "system-drive"})
# What each action changes, by the place of it in a case.
CHANGED = {
    "restart_service": ("service",),
    "kill_process": ("process",),
    "free_disk_space": ("path",),
    "restart_container": ("container",),
    "restart_pod": ("pod", "namespace"),
}


def is_vital_for(action: str, offer: Offer, objects: Iterable[Object]) -> bool:
    """Tell whether an action would touch what holds state.

    What it changes must hold none, and neither may its host, unless what
    it changes is harmless wherever it is.
    """
    changed = [one for one in objects if one.place in CHANGED.get(action, ())]
    if any(one.is_vital for one in changed):
        return True
    if not changed:
        changed = [
            one
            for one in objects
            if one.place == "name" and one.kind not in TELLERS
        ]
        if any(one.is_vital for one in changed):
            return True
    kinds = {one.kind for one in changed}
    if kinds and kinds <= HARMLESS | CLEAN:
        return False
    around = ("host", "role") if "host" in offer.candidates else ("role",)
    return any(one.is_vital for one in objects if one.place in around)


def is_guess(action: str, objects: Iterable[Object]) -> bool:
    """Tell whether nobody knows that the place to clean holds no state.

    The root of a host is cleaned where the host is known to be a web
    server, a runner ...; of an unknown host somebody must say so.
    """
    known = list(objects)
    roots = [o for o in known if o.place == "path" and o.kind in ROOTS]
    around = [o for o in known if o.place in ("host", "role")]
    return action == "free_disk_space" and bool(roots) and not around


def has_replica_name(pod: str) -> bool:
    """Tell whether a pod's name is one that a deployment makes."""
    return REPLICA.search(pod) is not None


def words_of(text: str) -> list[str]:
    """Return the words of a text, numbers as one word."""
    return [
        "0" if word[0].isdigit() else word
        for word in re.findall(r"[^\W_]+", split_words(text))
    ]
