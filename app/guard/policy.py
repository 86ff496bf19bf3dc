"""The policy: what the file says, ready to be asked, or all that is wrong.

Its version is made of what it means: another comment, or another order of
names, is the same policy.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from app.core.configfile import Config, Section
from app.core.errors import ConfigError, ConfigProblem
from app.core.yamlfile import YamlFile, parse_yaml, read_text
from app.guard.calendars import WEEKDAYS, is_in, to_local
from app.guard.celtext import spellings, strings
from app.guard.conditions import read_condition
from app.guard.known import Known
from app.guard.policyfile import PolicyFile
from app.guard.reach.mistakes import find_mistakes
from app.guard.rule import Rule
from app.models.timetable import find_zone

REMEDY = "See docs/policy.md for how a policy is written."
MOST_BYTES = 262_144
SECTION = "policy"
NOTHING = Known()
Place = tuple[str, ...]


class PolicySettings(Section):
    """Where the policy is, and the file that stops everything."""

    file: str = "config/policy.yaml"
    halt_file: str = "var/HALT"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy, ready to be asked.

    Attributes:
        says: what the file says.
        rules: its rules with their conditions.
        zone: the time zone of its calendars and hours.
        names: what the conditions look at.
        version: a digest of all that it means.
        source: the file that it was read from, for its lines.
        words: the texts in its conditions, by how they are compared.
    """

    says: PolicyFile
    rules: tuple[Rule, ...]
    zone: ZoneInfo
    names: frozenset[str]
    version: str
    source: YamlFile
    words: Mapping[str, frozenset[str]]

    def spelled(self, word: str) -> str:
        """Return a word as the conditions write it, if all write it so."""
        known = self.words.get(word.casefold(), frozenset())
        return next(iter(known)) if len(known) == 1 else word

    def clock(self, moment: int) -> dict[str, Any]:
        """Return what a condition may know about the time."""
        local = to_local(moment, self.zone)
        return {
            "hour": local.hour,
            "minute": local.minute,
            "weekday": WEEKDAYS[local.weekday()],
            "date": local.date().isoformat(),
            "in_calendar": {
                name: is_in(windows, local)
                for name, windows in self.says.calendars.items()
            },
        }

    def warnings(self, known: Known = NOTHING) -> Sequence[ConfigProblem]:
        """Return what is no error of form, and a mistake most likely.

        Args:
            known: what there is to name.
        """
        return [
            self.source.problem(one.place, one.what, one.remedy)
            for one in find_mistakes(self.says, self.rules, known)
        ]


def read_policy(path: Path) -> Policy:
    """Return the policy of a file, or raise ConfigError."""
    return parse_policy(read_text(path, REMEDY, MOST_BYTES), path)


def parse_policy(text: str, path: Path = Path("policy.yaml")) -> Policy:
    """Return the policy of a text, or raise ConfigError.

    Args:
        text: what a policy file says.
        path: what to call it.
    """
    if len(text) > MOST_BYTES:
        what = f"is longer than {MOST_BYTES} characters"
        raise ConfigError([ConfigProblem("policy", str(path), what, REMEDY)])
    source = parse_yaml(text, path, REMEDY)
    says = source.read(PolicyFile, REMEDY)
    problems = list(_late_questions(says, source))
    rules = []
    for index, part in enumerate(says.rules):
        try:
            condition = read_condition(part.when, says.calendars)
        except ValueError as error:
            place = ("rules", str(index), "when")
            what = f"rule {part.name!r} {error}"
            problems.append(source.problem(place, what, REMEDY))
            continue
        rules.append(Rule(part, condition))
    if problems:
        raise ConfigError(problems)
    return Policy(
        says=says,
        rules=tuple(rules),
        zone=find_zone(says.zone),
        names=frozenset[str]().union(*(r.condition.names for r in rules)),
        version=_digest(says),
        source=source,
        words=spellings(
            word for one in rules for word in strings(one.condition.text)
        ),
    )


def default_policy() -> Policy:
    """Return the policy of a home without a policy file."""
    return parse_policy("", Path("(built in)"))


def open_policy(config: Config, home: Path) -> Policy:
    """Return the policy that the settings name, or raise ConfigError.

    A home without the file that is the default has the built-in policy; a
    file that the settings name must be there.
    """
    settings = config.read(PolicySettings, SECTION)
    path = home / settings.file
    is_default = settings.file == PolicySettings().file
    if is_default and not path.exists():
        return default_policy()
    return read_policy(path)


def check_policy(
    config: Config, home: Path, known: Known = NOTHING
) -> Sequence[ConfigProblem]:
    """Return all that is wrong with the policy, its warnings as well.

    Args:
        config: the settings.
        home: where relative paths begin.
        known: what there is to name.
    """
    try:
        return open_policy(config, home).warnings(known)
    except ConfigError as error:
        return error.problems


def _digest(says: PolicyFile) -> str:
    """Return a hash of what a policy means."""
    tree = says.model_dump(mode="json")
    raw = msgspec.json.encode(tree, order="deterministic")
    return hashlib.sha256(raw).hexdigest()[:16]


def _late_questions(
    says: PolicyFile, source: YamlFile
) -> Iterator[ConfigProblem]:
    """Yield the questions whose answer could come too late to be used."""
    most = says.evidence.granted
    places: list[tuple[Place, int]] = [(("ask", "for"), says.ask.for_)]
    places += [
        (("rules", str(index), "for"), rule.for_)
        for index, rule in enumerate(says.rules)
        if rule.for_ is not None
    ]
    for place, seconds in places:
        if seconds > most:
            what = "waits longer than what it rests on may be old"
            remedy = "Make it shorter, or evidence.granted longer."
            yield source.problem(place, what, remedy)
