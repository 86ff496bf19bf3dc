"""The brain for those who want certainty: plain matchers in a YAML file.

The first rule that fits an alert wins. It names an action and may say
literal arguments, of those that the menu holds; it can reach nothing that
a model could not reach. No rule fits: it has nothing to say.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Annotated

import msgspec
from pydantic import Field

from app.core.configfile import Section
from app.core.errors import BrainFailed, ConfigError, ConfigProblem
from app.core.shape import SHAPES
from app.core.yamlfile import YamlFile, read_yaml
from app.models.action import ESCALATE, ActionSpec, Catalogue, Parameter
from app.models.case import Case
from app.models.choice import NO_RULE, Call, Choice, Option
from app.models.matcher import Matcher, fit_all, read_matchers
from app.models.menu import Arguments, Menu, Offer, Value
from app.models.sight import seen
from app.ports import Brain, BrainEnv

DEFAULT = Path("config/rules.yaml")
REMEDY = "config/rules.example.yaml shows how rules are written."
MOST_RULES = 1_000
Line = Annotated[str, Field(min_length=1, max_length=200)]


class RulesSettings(Section):
    """Where the rules lie; without a path: config/rules.yaml, if it is."""

    file: Path | None = None


class WrittenRule(Section):
    """One rule as it stands in the file."""

    name: Line
    matchers: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
    action: str
    arguments: dict[str, int | str] = Field(default_factory=dict)
    reason: Line


class Written(Section):
    """The whole file."""

    rules: Annotated[tuple[WrittenRule, ...], Field(max_length=MOST_RULES)]


class Rule(msgspec.Struct, frozen=True):
    """One rule, ready to be used."""

    name: str
    matchers: tuple[Matcher, ...]
    action: str
    arguments: Arguments
    reason: str


class Unfilled(Exception):
    """A rule's argument is not one that the menu holds."""


class RulesBrain:
    """Chooses what the first rule that fits says."""

    def __init__(self, name: str, rules: tuple[Rule, ...]) -> None:
        """Take the rules, in order."""
        self._name = name
        self._rules = rules
        text = msgspec.json.encode(rules, order="deterministic")
        self._digest = hashlib.sha256(text).hexdigest()[:16]

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return what a rule says, or raise BrainFailed when none fits."""
        began = perf_counter()
        labels = seen(case)
        rule = next(
            (one for one in self._rules if fit_all(one.matchers, labels)), None
        )
        took = {"match": 1000 * (perf_counter() - began)}
        call = Call(
            brain=self._name,
            model="rules",
            model_digest=self._digest,
            milliseconds=took,
            raw=rule.name if rule is not None else "",
            error="" if rule is not None else NO_RULE,
        )
        if rule is None:
            raise BrainFailed(NO_RULE, call=call)
        return _choose(rule, menu, call)


def _choose(rule: Rule, menu: Menu, call: Call) -> Choice:
    """Return the choice of a rule; what is not on the menu is escalated."""
    says = f"Rule {rule.name!r}"
    offer = menu.find(rule.action)
    if offer is None:
        why = menu.left_out.get(rule.action, "the catalogue has it not")
        reason = f"{says} wants {rule.action}, not on the menu: {why}."
        return _result(ESCALATE, {}, reason, call)
    try:
        arguments = _fill(rule, offer)
    except Unfilled as error:
        reason = f"{says} wants {rule.action}, but {error}."
        return _result(ESCALATE, {}, reason, call)
    return _result(rule.action, arguments, f"{says}: {rule.reason}", call)


def _result(
    action: str, arguments: Arguments, reason: str, call: Call
) -> Choice:
    """Return a choice that is certain."""
    return Choice(
        action=action,
        arguments=arguments,
        reason=reason,
        confidence=1.0,
        options=(Option(action, arguments, 1.0),),
        calls=(call,),
    )


def _fill(rule: Rule, offer: Offer) -> Arguments:
    """Return the arguments, the rule's own over the best of the menu."""
    arguments = offer.best()
    for name, value in rule.arguments.items():
        parameter = offer.parameter(name)
        if parameter.is_number and parameter.is_within(value):
            arguments[name] = value
            continue
        held = [one.value for one in offer.candidates.get(name, ())]
        if value not in held:
            raise Unfilled(f"the alert names no {name} {value!r}")
        arguments[name] = value
    return arguments


def _read(path: Path, catalogue: Catalogue) -> tuple[Rule, ...]:
    """Return the rules of a file, or raise all that is wrong in it."""
    file = read_yaml(path, REMEDY)
    written = file.read(Written, REMEDY)
    problems: list[ConfigProblem] = []
    rules = []
    for index, one in enumerate(written.rules):
        place = ("rules", str(index))
        try:
            rules.append(_understand(file, place, one, catalogue))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return tuple(rules)


def _understand(
    file: YamlFile,
    place: tuple[str, ...],
    one: WrittenRule,
    catalogue: Catalogue,
) -> Rule:
    """Return one rule, or raise all that is wrong with it."""
    matchers: list[Matcher] = []
    problems: list[ConfigProblem] = []
    for text in one.matchers:
        try:
            matchers += read_matchers(text)
        except ValueError as error:
            below = (*place, "matchers")
            problems.append(file.problem(below, str(error), REMEDY))
    if not matchers and not problems:
        what = "fits every alert"
        remedy = "Write at least one matcher."
        problems.append(file.problem((*place, "matchers"), what, remedy))
    spec = catalogue.find(one.action)
    arguments: Arguments = {}
    if spec is None:
        known = ", ".join(spec.name for spec in catalogue.specs)
        what = f"there is no action {one.action[:80]!r}"
        below = (*place, "action")
        problems.append(file.problem(below, what, f"Known here: {known}."))
    else:
        below = (*place, "arguments")
        arguments = _spell(spec, one.arguments)
        for name, what in _misfits(spec, one.arguments):
            problems.append(file.problem((*below, name), what, REMEDY))
    if problems:
        raise ConfigError(problems)
    return Rule(one.name, tuple(matchers), one.action, arguments, one.reason)


def _spell(spec: ActionSpec, arguments: Arguments) -> Arguments:
    """Return the arguments in our spelling, where they have one."""
    spelled = dict(arguments)
    for name, value in arguments.items():
        parameter = spec.parameters.get(name)
        if parameter is None or parameter.is_listed:
            continue
        spelled[name] = SHAPES[parameter.shape].fit(str(value)) or value
    return spelled


def _misfits(
    spec: ActionSpec, arguments: Arguments
) -> Iterator[tuple[str, str]]:
    """Yield each argument that can never be right, and why."""
    for name, value in arguments.items():
        parameter = spec.parameters.get(name)
        if parameter is None:
            known = ", ".join(spec.parameters) or "none"
            yield name, f"{spec.name} has no such argument; known: {known}"
        elif what := _misfit(parameter, value):
            yield name, f"{value!r} is {what}"


def _misfit(parameter: Parameter, value: Value) -> str:
    """Return why a value can never be right, empty when it may be."""
    if parameter.values:
        listed = ", ".join(parameter.values)
        return "" if value in parameter.values else f"not one of: {listed}"
    if parameter.is_number:
        bounds = f"{parameter.minimum} to {parameter.maximum}"
        return "" if parameter.is_within(value) else f"not within {bounds}"
    shape = SHAPES[parameter.shape]
    return f"not {shape.says}" if shape.fit(str(value)) is None else ""


def plugin(env: BrainEnv) -> Brain | None:
    """Return the brain of the rules, or None when there are none."""
    settings = env.settings(RulesSettings)
    path = env.home / (settings.file or DEFAULT)
    if settings.file is None and not path.exists():
        return None
    return RulesBrain(env.name, _read(path, env.catalogue))
