"""Reading a policy: what is wrong, where, and what can never matter."""

from pathlib import Path

import pytest

from app.core.configfile import load_config
from app.core.errors import ConfigError
from app.guard.known import Known
from app.guard.policy import (
    Policy,
    check_policy,
    default_policy,
    open_policy,
    parse_policy,
    read_policy,
)
from app.models.action import Risk

KNOWN = Known(
    risks={
        "restart_service": Risk.DISRUPTIVE,
        "free_memory": Risk.REVERSIBLE,
        "read_log": Risk.OBSERVE,
    },
    sources=("zabbix", "alertmanager"),
)
HOME = Path(__file__).parents[3]
RULE = "rules:\n  - name: one\n    reason: It is so.\n    outcome: deny\n"


def problems_of(text: str) -> list[str]:
    """Return what is wrong with a policy."""
    with pytest.raises(ConfigError) as raised:
        parse_policy(text, Path("policy.yaml"))
    return [str(problem) for problem in raised.value.problems]


def idle(text: str) -> list[str]:
    """Return what can never matter in a policy."""
    return [str(one) for one in parse_policy(text).warnings()]


def test_the_shipped_file_is_what_is_built_in() -> None:
    """A home without the file has the same policy."""
    shipped = read_policy(HOME / "config" / "policy.yaml")
    assert shipped.version == default_policy().version
    assert not shipped.warnings()


def test_the_examples_of_the_shipped_file_are_right() -> None:
    """Whoever takes the comment signs away has a policy that works."""
    text = (HOME / "config" / "policy.yaml").read_text(encoding="utf-8")
    examples = text[text.index("  # - name: freeze") :]
    examples = examples[: examples.index("\n\n")].replace("  # ", "  ")
    calendars = text[text.index("#   freeze:") : text.index("calendars: {}")]
    calendars = calendars.replace("# ", "")
    policy = parse_policy(f"calendars:\n{calendars}rules:\n{examples}\n")
    assert len(policy.rules) == 3
    assert len(policy.says.calendars) == 2


def test_the_version_is_of_what_it_means() -> None:
    """Comments and spelling make no other policy; a number does."""
    plain = parse_policy("blast: {targets: 7}\nask: {for: 15m}\n")
    same = parse_policy("# why\nask:\n  for: 900\nblast: {targets: 7}\n")
    other = parse_policy("blast: {targets: 8}\nask: {for: 15m}\n")
    assert plain.version == same.version != other.version
    assert len(plain.version) == 16


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("nonsense: 1\n", 1, "is not a setting"),
        ("zone: Mars/Base\n", 0, "no time zone"),
        ("ask:\n  for: soon\n", 2, "no length of time"),
        ("ask:\n  people: 3\n", 2, "ask.people"),
        ("ask: {people: 2, whom: [ana]}\n", 1, "more people"),
        ("ask: {for: 2h}\n", 1, "waits longer"),
        ("rules: [{name: one, reason: Why.}]\n", 1, "is missing"),
        (RULE + "    people: 2\n", 2, "belong to outcome ask"),
        (RULE + "    risks: [nasty]\n", 5, "risks"),
        (RULE + "    when: nope\n", 5, "no variable 'nope'"),
        (RULE + "    when: alert.nope == 1\n", 5, "no 'nope'"),
        (RULE + "    when: alert.name.foo()\n", 5, "no function 'foo'"),
        (RULE + "    when: alert.name\n", 5, "neither true nor false"),
        (RULE + '    when: "alert.source =="\n', 5, "no CEL expression"),
        (RULE + "    when: now.in_calendar.rest\n", 5, "no 'rest'"),
        (RULE + RULE[7:], 0, "named twice: one"),
        ("trust: {otherwise: blindly}\n", 1, "trust.otherwise"),
        ("calendars: {aa: ['2026-02-30']}\n", 1, "calendars.aa.0"),
        ("calendars: {aa: [2026-02-03..2026-02-01]}\n", 1, "before it"),
        ('calendars: {aa: [{from: "8:75"}]}\n', 1, "no time of day"),
        ("budgets: [{name: bb, runs: 0, window: 1h}]\n", 1, "budgets.0.runs"),
        (
            "budgets: [{name: bb, runs: 1, window: 1h, actions: [x]}]\n",
            1,
            "per: [action]",
        ),
        ("blast: {share: 1.5}\n", 1, "blast.share"),
        ("rules: [\n", 2, "is not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    text: str, line: int, what: str
) -> None:
    """A mistake stops the start, and names file, line and what it is."""
    (problem,) = problems_of(text)
    assert what in problem
    assert problem.startswith(f"policy.yaml:{line}:" if line else "policy")


def test_every_wrong_rule_is_named() -> None:
    """All mistakes are said at once."""
    text = RULE + "    when: nope\n" + RULE[7:].replace("one", "two")
    found = problems_of(text + "    when: alert.source + 1 == 2\n")
    assert len(found) == 2
    assert "'one'" in found[0]
    assert "'two'" in found[1]


def test_a_policy_is_no_longer_than_it_may_be() -> None:
    """A file beyond all reason is refused before it is parsed."""
    assert "longer" in problems_of("#" * 300_000)[0]


WIDE = """
rules:
  - {name: wide, reason: All of it., outcome: deny%s}
  - {name: narrow, reason: Some of it., outcome: ask%s}
"""


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("", ""),
        ("", ", teams: [shop]"),
        (", risks: [disruptive, observe]", ", risks: [observe]"),
        ("", ", when: targets > 3"),
        (", when: targets > 3", ", when: targets > 4"),
        (", when: 'targets>3'", ", when: '(targets > 3) && now.hour < 6'"),
        (
            ", when: 'now.hour < 6 && targets > 3'",
            ", when: 'targets > 3 && incident.firing > 1 && now.hour < 6'",
        ),
        (", teams: [a, b], when: 'true'", ", teams: [a]"),
        (", teams: [a]", ", when: 'false'"),
    ],
)
def test_a_rule_that_never_matches_is_named(wide: str, narrow: str) -> None:
    """What an earlier rule always takes is a mistake, with its line."""
    (problem,) = idle(WIDE % (wide, narrow))
    assert "'narrow' can never matter" in problem
    assert "policy.yaml:4: rules.1" in problem


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (", teams: [shop]", ""),
        (", teams: [shop]", ", teams: [shop, mail]"),
        (", teams: [shop]", ", sources: [zabbix]"),
        (", when: targets > 3", ""),
        (", when: targets > 4", ", when: targets > 3"),
        (
            ", when: 'targets > 3 && now.hour < 6'",
            ", when: 'targets > 3 || now.hour < 6'",
        ),
        (
            ", when: \"alert.name == 'a  b'\"",
            ", when: \"alert.name == 'a b'\"",
        ),
    ],
)
def test_a_rule_that_may_match_is_left_alone(wide: str, narrow: str) -> None:
    """Only what is certain is called a mistake."""
    assert idle(WIDE % (wide, narrow)) == []


def test_a_line_of_the_ladder_that_is_never_used_is_named() -> None:
    """A wider line before a narrower one is a mistake as well."""
    text = """
trust:
  ladder:
    - {environment: staging, mode: approve}
    - {risk: observe, mode: auto}
    - {risk: observe, environment: staging, mode: auto}
"""
    (problem,) = idle(text)
    assert "line 3 of the ladder can never matter: line 1" in problem


def test_an_action_that_there_is_not_is_named() -> None:
    """A name with a slip would be a rule that is never applied."""
    policy = parse_policy(RULE + "    actions: [restrat_service]\n")
    (problem,) = policy.warnings(KNOWN)
    assert "restrat_service" in str(problem)
    assert "Did you mean 'restart_service'?" in str(problem)
    assert str(problem).startswith("policy.yaml:5")


class Home:
    """A home with settings, and perhaps a policy."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        """Take where it is, and what its settings say."""
        self.folder = folder
        file = folder / "smokejumper.yaml"
        file.write_text(settings, encoding="utf-8")
        self.config = load_config(file, {})

    def write(self, text: str) -> None:
        """Write the policy down."""
        path = self.folder / "config" / "policy.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def open(self) -> Policy:
        """Return the policy."""
        return open_policy(self.config, self.folder)


def test_a_home_without_a_policy_has_the_built_in_one(tmp_path: Path) -> None:
    """Whoever deletes the file is as careful as before."""
    home = Home(tmp_path)
    assert home.open().version == default_policy().version
    assert list(check_policy(home.config, tmp_path)) == []
    home.write("blast: {targets: 1}\n")
    assert home.open().says.blast.targets == 1


def test_a_policy_that_is_named_must_be_there(tmp_path: Path) -> None:
    """A slip in the file's name is no reason to fall back in silence."""
    home = Home(tmp_path, "policy: {file: config/polizy.yaml}\n")
    (problem,) = check_policy(home.config, tmp_path)
    assert "cannot be read" in str(problem)


def test_the_check_names_all_that_is_wrong(tmp_path: Path) -> None:
    """Errors and what can never matter are both found by the check."""
    home = Home(tmp_path)
    home.write(RULE + "    when: nope\n")
    (problem,) = check_policy(home.config, tmp_path)
    assert "no variable" in str(problem)
    home.write(WIDE % ("", ""))
    (problem,) = check_policy(home.config, tmp_path)
    assert "can never matter" in str(problem)
