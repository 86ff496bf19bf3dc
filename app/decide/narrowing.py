"""Narrow the menu: which actions a site wants considered at all, and where.

Rules of the settings, the first that fits wins. They may ask for the labels
of the alert and for what the inventory knows of its host. An alert that
names several hosts may have only what the rules leave to each of them.
"""

from collections.abc import Callable, Iterator
from typing import Annotated

import msgspec
from pydantic import Field, RootModel, model_validator

from app.core.configfile import Config, Section
from app.core.errors import ConfigError, ConfigProblem
from app.core.shape import SHAPES
from app.models.action import Catalogue
from app.models.case import Case
from app.models.inventory import Inventory, Thing
from app.models.matcher import Matcher, fit_all, read_matchers
from app.models.origins import HOST_LABELS
from app.models.sight import seen

SECTION = "menu"
MOST_RULES = 1_000
REMEDY = "docs/catalogue.md says how the menu is narrowed."


class MenuRule(Section):
    """One rule: for which alerts, and what may be considered then."""

    matchers: Annotated[tuple[str, ...], Field(max_length=20)]
    actions: tuple[str, ...]


class MenuSettings(RootModel[tuple[MenuRule, ...]]):
    """The rules, in order."""

    @model_validator(mode="before")
    @classmethod
    def _may_be_missing(cls, value: object) -> object:
        """Take no section for no rules."""
        return () if value == {} else value


class Narrow(msgspec.Struct, frozen=True):
    """One rule, ready to be used."""

    matchers: tuple[Matcher, ...]
    actions: frozenset[str]


class Narrowing:
    """Says which actions the menu of a case may hold."""

    def __init__(
        self,
        rules: tuple[Narrow, ...],
        inventory: Callable[[], Inventory],
    ) -> None:
        """Take the rules, and where to ask for the inventory of now."""
        self._rules = rules
        self._inventory = inventory

    def __call__(self, case: Case) -> frozenset[str] | None:
        """Return the names that are left, None when no rule says anything."""
        if not self._rules:
            return None
        hosts: list[Thing | None] = [*self._hosts(case)]
        left = [self._rule(case, host) for host in hosts or [None]]
        said = [actions for actions in left if actions is not None]
        return frozenset.intersection(*said) if said else None

    def _rule(self, case: Case, host: Thing | None) -> frozenset[str] | None:
        """Return what the first rule that fits leaves."""
        labels = seen(case, host)
        for rule in self._rules:
            if fit_all(rule.matchers, labels):
                return rule.actions
        return None

    def _hosts(self, case: Case) -> Iterator[Thing]:
        """Yield what is known of each host that an alert names."""
        inventory = self._inventory()
        if not inventory:
            return
        done = set()
        own = case.own_labels
        for label in HOST_LABELS:
            name = SHAPES["host"].fit(own.get(label, ""))
            host = inventory.find_host(name) if name else None
            if host is not None and host.name not in done:
                done.add(host.name)
                yield host


def make_narrowing(
    config: Config,
    catalogue: Catalogue,
    inventory: Callable[[], Inventory],
) -> Narrowing:
    """Return the rules of the settings, or raise all that is wrong."""
    written = config.read(MenuSettings, SECTION).root
    problems: list[ConfigProblem] = []
    if len(written) > MOST_RULES:
        what = f"{len(written)} rules are more than {MOST_RULES}"
        problems.append(config.problem((SECTION,), what, REMEDY))
    rules = []
    for index, rule in enumerate(written):
        place = (SECTION, str(index))
        matchers: list[Matcher] = []
        for text in rule.matchers:
            try:
                matchers += read_matchers(text)
            except ValueError as error:
                below = (*place, "matchers")
                problems.append(config.problem(below, str(error), REMEDY))
        problems += _unknown(config, place, rule, catalogue)
        rules.append(Narrow(tuple(matchers), frozenset(rule.actions)))
    if problems:
        raise ConfigError(problems)
    return Narrowing(tuple(rules), inventory)


def _unknown(
    config: Config,
    place: tuple[str, ...],
    rule: MenuRule,
    catalogue: Catalogue,
) -> Iterator[ConfigProblem]:
    """Yield the actions of a rule that the catalogue does not hold."""
    known = ", ".join(spec.name for spec in catalogue.specs)
    for name in rule.actions:
        if catalogue.find(name) is None:
            what = f"there is no action {name[:80]!r}"
            remedy = f"Known here: {known}."
            below = (*place, "actions")
            yield config.problem(below, what, remedy)
