"""The brain of plain rules: certain, and no way around the menu."""

import asyncio
import textwrap
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from app.core.errors import BrainFailed, ConfigError
from app.decide.brains import rules
from app.models.action import Catalogue, Parameter
from app.models.case import Case
from app.models.choice import Call, Choice
from app.ports import BrainEnv
from tests.service import HOME
from tests.unit.decide.sites import (
    CATALOGUE,
    WEB,
    case,
    extended,
    grounder,
    host,
    job,
    wrong,
)

RULES = """
rules:
  - name: look first
    matchers: ['alertname="HighLoad"', 'severity!="critical"']
    action: collect_diagnostics
    arguments: {topic: cpu}
    reason: Load tells nothing.
  - name: nginx anew
    matchers: ['alertname="ServiceDown"']
    action: restart_service
    arguments: {service: nginx.service}
    reason: It keeps nothing.
  - name: never reached
    matchers: ['alertname="ServiceDown"']
    action: no_action
    reason: Too late.
"""


class FakeEnv:
    """What the brain gets when it is made."""

    name = "rules"

    def __init__(
        self, folder: Path, catalogue: Catalogue, **settings: Any
    ) -> None:
        self.home = folder
        self.catalogue = catalogue
        self._settings = settings

    def settings(self, model: type[BaseModel]) -> BaseModel:
        """Return the settings."""
        return model.model_validate(self._settings)


def make(
    folder: Path, text: str, catalogue: Catalogue = CATALOGUE
) -> rules.RulesBrain:
    """Return the brain of some rules."""
    (folder / "r.yaml").write_text(textwrap.dedent(text))
    # The fake has only what this brain asks for.
    env = cast("BrainEnv", FakeEnv(folder, catalogue, file="r.yaml"))
    made = rules.plugin(env)
    assert isinstance(made, rules.RulesBrain)
    return made


def decide(brain: rules.RulesBrain, told: Case, **more: Any) -> Choice:
    """Return what it chooses."""
    return asyncio.run(brain.decide(told, grounder(**more).menu(told)))


def test_the_first_rule_that_fits_decides(tmp_path: Path) -> None:
    """With certainty, its name and its reason."""
    choice = decide(make(tmp_path, RULES), case(WEB))
    assert choice.action == "restart_service"
    assert choice.arguments == {"host": "web-01", "service": "nginx"}
    assert choice.confidence == 1.0
    assert not choice.asks
    assert choice.reason == "Rule 'nginx anew': It keeps nothing."
    (call,) = choice.calls
    assert (call.brain, call.raw, call.error) == ("rules", "nginx anew", "")
    assert len(call.model_digest) == 16


def test_literals_win_over_the_best_candidate(tmp_path: Path) -> None:
    """The rest is filled from the menu."""
    told = case({"instance": "web-01"}, "HighLoad")
    choice = decide(make(tmp_path, RULES), told)
    assert choice.arguments == {"host": "web-01", "topic": "cpu"}


def test_no_rule_fits_and_it_says_so(tmp_path: Path) -> None:
    """The next brain is asked; the call is on record."""
    brain = make(tmp_path, RULES)
    for told in (case({}, "Other"), case({}, "HighLoad", severity="critical")):
        with pytest.raises(BrainFailed, match="no rule matches") as caught:
            decide(brain, told)
        assert isinstance(caught.value.call, Call)
        assert caught.value.call.error == "no rule matches"


def test_what_is_not_on_the_menu_is_escalated(tmp_path: Path) -> None:
    """The reason names the rule, the action, and why it is left out."""
    brain = make(tmp_path, RULES)
    hostless = decide(brain, case({}))
    assert (hostless.action, hostless.arguments) == ("escalate", {})
    assert "nginx anew" in hostless.reason
    assert "no label of the alert names it" in hostless.reason
    told = case(WEB)
    held = grounder(host("web-02")).menu(told)
    unknown = asyncio.run(brain.decide(told, held))
    assert unknown.action == "escalate"
    assert "web-01 is not in the inventory" in unknown.reason


def test_a_literal_that_the_alert_does_not_name_is_escalated(
    tmp_path: Path,
) -> None:
    """A rule cannot point at what the alert says nothing of."""
    brain = make(tmp_path, RULES)
    choice = decide(brain, case({**WEB, "name": "php-fpm"}))
    assert choice.action == "escalate"
    assert "the alert names no service 'nginx'" in choice.reason


def test_numbers_may_be_any_within_their_bounds(tmp_path: Path) -> None:
    """The bounds of the declaration hold."""
    most = Parameter(purpose="how many", minimum=1, maximum=9, default=5)
    catalogue = extended(job(most=most))
    text = """
    rules:
      - {name: n, matchers: ['alertname="X"'], action: requeue,
         arguments: {most: 7}, reason: Few.}
    """
    brain = make(tmp_path, text, catalogue)
    choice = decide(brain, case({}, "X"), catalogue=catalogue)
    assert choice.arguments == {"most": 7}
    with pytest.raises(ConfigError, match="70 is not within 1 to 9"):
        make(tmp_path, text.replace("7}", "70}"), catalogue)


@given(
    labels=st.dictionaries(
        st.sampled_from(["instance", "host", "name", "service"]),
        st.text(max_size=20),
    ),
    name=st.sampled_from(["ServiceDown", "HighLoad"]),
)
def test_whatever_comes_the_choice_is_on_the_menu(
    labels: dict[str, str],
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """It can be proved, whatever the labels say."""
    told = case(labels, name)
    brain = make(tmp_path_factory.mktemp("rules"), RULES)
    made = grounder()
    menu = made.menu(told)
    choice = asyncio.run(brain.decide(told, menu))
    made.prove(choice.action, choice.arguments, menu)


RULE = "- {name: n, matchers: ['a=b'], action: %s, reason: r%s}"


@pytest.mark.parametrize(
    ("rule", "place", "what"),
    [
        (RULE % ("reboot", ""), "rules.0.action", "there is no action"),
        (RULE % ("free_memory", ", arguments: {hots: a}"),
         "rules.0.arguments.hots", "free_memory has no such argument"),
        (RULE % ("collect_diagnostics", ", arguments: {topic: x}"),
         "rules.0.arguments.topic", "'x' is not one of: cpu"),
        (RULE % ("free_memory", ", arguments: {host: 'a;b'}"),
         "rules.0.arguments.host", "'a;b' is not the name or address of one"),
        (RULE % ("escalate", ", argument: {}"),
         "rules.0.argument", "is not a setting"),
        ("- {name: n, matchers: [], action: escalate, reason: r}",
         "rules.0.matchers", "is an empty list"),
        ("- {name: n, matchers: ['{}'], action: escalate, reason: r}",
         "rules.0.matchers", "fits every alert"),
        ("- {name: n, matchers: ['a=~\"(\"'], action: escalate, reason: r}",
         "rules.0.matchers", "is no regular expression"),
        ("- {name: n, matchers: ['a=b'], action: escalate}",
         "rules.0.reason", "is missing"),
        ("- {name: n, name: m}", "r", "'name' stands there twice"),
    ],
)  # fmt: skip
def test_wrong_rules_stop_the_start(
    tmp_path: Path, rule: str, place: str, what: str
) -> None:
    """With file, line and place."""
    with pytest.raises(ConfigError) as caught:
        make(tmp_path, f"rules:\n  {rule}\n")
    assert wrong(caught)[0].startswith(f"r.yaml:2 {place}: ")
    assert what in wrong(caught)[0]


def test_without_a_file_there_is_no_such_brain(tmp_path: Path) -> None:
    """The default file is optional, one that is named is not."""
    env: Any = FakeEnv(tmp_path, CATALOGUE)
    assert rules.plugin(env) is None
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "rules.yaml").write_text("rules: []\n")
    assert rules.plugin(env) is not None
    missing: Any = FakeEnv(tmp_path, CATALOGUE, file="missing.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        rules.plugin(missing)


def test_the_example_is_one(tmp_path: Path) -> None:
    """What is shipped to be copied can be read, and decides."""
    text = (HOME / "config" / "rules.example.yaml").read_text()
    choice = decide(make(tmp_path, text), case({}, "Watchdog"))
    assert choice.action == "no_action"


def test_the_digest_tells_rules_apart(tmp_path: Path) -> None:
    """A decision can be traced to the rules that made it."""

    def digest(text: str) -> str:
        """Return the digest of some rules."""
        return decide(make(tmp_path, text), case(WEB)).calls[0].model_digest

    assert digest(RULES) == digest(RULES + "\n# a comment\n")
    assert digest(RULES) != digest(RULES.replace("Too late", "Later"))
