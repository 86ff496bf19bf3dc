"""Grounding: which values each argument may have, and the proof of it.

Candidates come from labels, from the arguments of a Zabbix item key, from
the inventory, from a closed list, or, for a service, from a well-known
name in the alert's own name; never from free text. A label that is there
and has not the right shape leaves the argument empty: the next best label
is no excuse for a manipulated one.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from functools import partial

from app.core.errors import Unreadable
from app.core.shape import SHAPES
from app.decide.knowledge import Knowledge
from app.models.action import ALWAYS, ActionSpec, Catalogue, Parameter
from app.models.case import Case, Happening
from app.models.choice import Proof
from app.models.inventory import Inventory, Thing
from app.models.menu import Arguments, Candidate, Menu, Offer
from app.models.scraped import origin_of

ITEM_KEY = re.compile(r"^([a-z][a-z0-9_.]*)\[\s*\"?([^,\]\"]*)")
MOST_CANDIDATES = 20


class Missing(Exception):
    """An argument has no candidate; says why."""


class Grounder:
    """Makes the menu of a case, and proves what was chosen from it."""

    def __init__(
        self,
        catalogue: Catalogue,
        inventory: Inventory,
        knowledge: Knowledge,
    ) -> None:
        """Take what may be done, what there is, and what is known."""
        self._catalogue = catalogue
        self._inventory = inventory
        self._knowledge = knowledge

    def menu(self, case: Case, only: Collection[str] | None = None) -> Menu:
        """Return what may be chosen for a case.

        Args:
            case: the case.
            only: what the rules of the site leave of the catalogue, or
                None when they say nothing.
        """
        offers = []
        left_out = {}
        for spec in self._catalogue.specs:
            why_not = self._why_not(spec, case, only)
            if why_not:
                left_out[spec.name] = why_not
                continue
            try:
                offers.append(self._offer(spec, case))
            except Missing as why:
                left_out[spec.name] = str(why)
        return Menu(tuple(offers), left_out, self._catalogue.digest)

    def _why_not(
        self, spec: ActionSpec, case: Case, only: Collection[str] | None
    ) -> str:
        """Return why an action is left out before it is looked at."""
        if spec.name in ALWAYS:
            return ""
        if self._is_order(case.name):
            return "the alert has the name of an action: it asks for it"
        if only is not None and spec.name not in only:
            return "the rules of the menu leave it out"
        return ""

    def _is_order(self, name: str) -> bool:
        """Tell whether an alert is named like an action, however spelled.

        What a monitoring system calls a problem is never what to do.
        """
        spelled = "".join(c for c in name.lower() if c.isalnum())
        return any(
            spelled == spec.name.replace("_", "")
            for spec in self._catalogue.specs
        )

    def _offer(self, spec: ActionSpec, case: Case) -> Offer:
        """Return an action with its candidates, or raise Missing."""
        failed = [
            one
            for one in (*case.history, *case.failed)
            if one.action == spec.name and one.verdict == "not_fixed"
        ]
        found: dict[str, tuple[Candidate, ...]] = {}
        hosts: tuple[Candidate, ...] = ()
        for name in sorted(spec.parameters, key=_hosts_first(spec)):
            parameter = spec.parameters[name]
            try:
                found[name] = tuple(self._candidates(parameter, case, hosts))
            except Missing as why:
                if parameter.required:
                    raise Missing(f"{name}: {why}") from why
                continue
            if parameter.inventory == "host":
                hosts += found[name]
        found = {n: found[n] for n in spec.parameters if n in found}
        offer = Offer(spec, found)
        self._forbid(offer, hosts)
        if spec.changes and any(self._expresses(offer, one) for one in failed):
            raise Missing("it did not help on this target before")
        return offer

    def _expresses(self, offer: Offer, failed: Happening) -> bool:
        """Tell whether what failed could be chosen again.

        By whichever of its names: it is the same host, or what is on it.
        """
        host = self._host_of(offer, failed.arguments)
        for name, value in failed.arguments.items():
            if name not in offer.candidates:
                return False
            kind = offer.parameter(name).inventory
            lead = partial(self._lead, kind, host)
            found = {lead(one.value) for one in offer.candidates[name]}
            if lead(value) not in found:
                return False
        return True

    def _host_of(self, offer: Offer, arguments: Arguments) -> str:
        """Return the first known host of a call by its name, or nothing."""
        for name, value in arguments.items():
            is_there = name in offer.candidates
            if is_there and offer.parameter(name).inventory == "host":
                found = self._inventory.find_host(str(value))
                if found is not None:
                    return found.name
        return ""

    def _lead(self, kind: str, host: str, value: str | int) -> str | int:
        """Return a value by the name that leads, or as it is."""
        found = None
        if kind == "host":
            found = self._inventory.find_host(str(value))
        elif kind in ("service", "container"):
            found = self._inventory.find_on(kind, str(value), host)
        return value if found is None else found.name.casefold()

    def _forbid(self, offer: Offer, hosts: Iterable[Candidate]) -> None:
        """Raise when the inventory does not allow it on its target."""
        if not self._inventory:
            return
        # Any of the hosts could be chosen: none of them may forbid it.
        for host in hosts:
            for thing in self._things(str(host.value), offer):
                allowed = thing.actions
                if allowed is not None and offer.name not in allowed:
                    raise Missing(
                        f"the inventory does not allow it on {thing.name}"
                    )

    def _things(self, host: str, offer: Offer) -> Iterator[Thing]:
        """Yield what of the inventory an offer touches."""
        found = self._inventory.find_host(host)
        if found is None:
            return
        yield found
        for name, some in offer.candidates.items():
            kind = offer.parameter(name).inventory
            if kind not in ("service", "container"):
                continue
            for one in some:
                thing = self._inventory.find_on(
                    kind, str(one.value), found.name
                )
                if thing is not None:
                    yield thing

    def _candidates(
        self,
        parameter: Parameter,
        case: Case,
        hosts: tuple[Candidate, ...],
    ) -> list[Candidate]:
        """Return what an argument may be, the best first, or raise."""
        if parameter.values:
            return [Candidate(value, "values") for value in parameter.values]
        if parameter.is_number and parameter.default is not None:
            return [Candidate(parameter.default, "bounds")]
        found = list(self._from_labels(parameter, case))
        # A scraped target may have a label "service" as well: what is
        # written as a unit is the unit.
        found.sort(key=lambda one: not one.said.endswith(".service"))
        if not found and parameter.known_software:
            found = list(self._from_name(case))
        if not found:
            raise Missing("no label of the alert names it")
        if self._inventory and parameter.inventory:
            found = list(self._listed(parameter, found, hosts))
        return found[:MOST_CANDIDATES]

    def _from_labels(
        self, parameter: Parameter, case: Case
    ) -> Iterator[Candidate]:
        """Yield what the labels say; the first one must have the shape."""
        shape = SHAPES[parameter.shape]
        seen: set[str] = set()
        for source, said in _sayings(parameter, case):
            value = shape.fit(said)
            if value is None:
                if not seen:
                    raise Missing(f"{source} is not {shape.says}")
                continue
            if value not in seen:
                seen.add(value)
                yield Candidate(value, source, "" if said == value else said)

    def _from_name(self, case: Case) -> Iterator[Candidate]:
        """Yield the unit of the one software that the alert's name names."""
        found = self._knowledge.all_named(case.name)
        if len({one.name for one in found}) == 1 and found[0].units:
            yield Candidate(found[0].units[0], "name", found[0].name)

    def _listed(
        self,
        parameter: Parameter,
        found: list[Candidate],
        hosts: tuple[Candidate, ...],
    ) -> Iterator[Candidate]:
        """Yield the candidates that the inventory knows, or raise."""
        kind = parameter.inventory
        if kind == "host":
            known = [
                one
                for one in found
                if self._inventory.find_host(str(one.value)) is not None
            ]
        else:
            listing = list(self._listing(kind, hosts))
            if not listing:
                yield from found
                return
            known = [
                one
                for one in found
                if all(
                    self._inventory.find_on(kind, str(one.value), host)
                    for host in listing
                )
            ]
        if not known:
            raise Missing(f"{found[0].value} is not in the inventory")
        for one in known:
            yield Candidate(one.value, f"{one.source}, inventory", one.said)

    def _listing(
        self, kind: str, hosts: tuple[Candidate, ...]
    ) -> Iterator[str]:
        """Yield the hosts of an alert that say what of a kind they have.

        Any of them may be chosen, so that all of them must have it.
        """
        for one in hosts:
            host = self._inventory.find_host(str(one.value))
            if host is not None and any(
                self._inventory.on_host(kind, host.name)
            ):
                yield host.name

    def hints(
        self, spec: ActionSpec, arguments: Arguments, case: Case
    ) -> Arguments:
        """Return what code tells a job besides, as far as an alert says it.

        Each has the shape and the proof of an argument; what has not is
        left out.
        """
        hosts = tuple(
            Candidate(arguments[name], name)
            for name, parameter in spec.parameters.items()
            if parameter.inventory == "host" and name in arguments
        )
        found: Arguments = {}
        for name, parameter in spec.hints.items():
            with suppress(Missing):
                best = self._candidates(parameter, case, hosts)[0]
                found[name] = best.value
        return found

    def prove(
        self, action: str, arguments: Arguments, menu: Menu
    ) -> tuple[Proof, ...]:
        """Return where each argument came from.

        Raises:
            Unreadable: the action or an argument is not on the menu.
        """
        return tuple(_prove(action, arguments, menu))


def _hosts_first(spec: ActionSpec) -> Callable[[str], bool]:
    """Return what puts hosts before what is on them."""
    return lambda name: spec.parameters[name].inventory != "host"


def _sayings(parameter: Parameter, case: Case) -> Iterator[tuple[str, str]]:
    """Yield where a value may be found, and what is said there."""
    key = ITEM_KEY.match(case.labels.get("item_key", ""))
    if key and key[2] and key[1].startswith(parameter.item_keys or ("\0",)):
        yield "labels.item_key", key[2]
    own = case.own_labels
    for label in parameter.labels:
        said = own.get(label, "")
        if said.strip():
            yield f"labels.{origin_of(label, case.labels)}", said


def _prove(action: str, arguments: Arguments, menu: Menu) -> Iterable[Proof]:
    """Yield the proof of each argument, or raise Unreadable."""
    offer = menu.find(action)
    if offer is None:
        why = menu.left_out.get(action)
        because = f": {why}" if why else ""
        raise Unreadable(f"{action!r} is not on the menu{because}")
    unknown = sorted(arguments.keys() - offer.candidates.keys())
    if unknown:
        raise Unreadable(f"{action} has no argument {unknown[0]!r}")
    for name, parameter in offer.spec.parameters.items():
        if name not in arguments:
            if parameter.required:
                raise Unreadable(f"{action} needs {name!r}")
            continue
        value = arguments[name]
        if parameter.is_number and parameter.is_within(value):
            yield Proof(name, value, "bounds")
            continue
        found = [
            c
            for c in offer.candidates[name]
            if c.value == value and type(c.value) is type(value)
        ]
        if not found:
            raise Unreadable(f"{name}={value!r} is not one of its candidates")
        yield Proof(name, value, found[0].source, found[0].said)
