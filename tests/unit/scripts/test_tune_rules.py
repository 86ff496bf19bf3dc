"""The rules with limits of one's own."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.setting_up import Status, Stopped
from scripts.tune_rules import LIMIT, RULES, main, tuned
from tests.programs import need

SHIPPED = yaml.safe_load(RULES.read_text())


def rules_of(tree: Any) -> list[Any]:
    """Return all rules of all groups."""
    return [rule for group in tree["groups"] for rule in group["rules"]]


def rule_of(tree: Any, name: str) -> Any:
    """Return the rule of a name."""
    return next(one for one in rules_of(tree) if one["alert"] == name)


def test_nothing_said_changes_nothing() -> None:
    """An empty tuning gives the rules as they are."""
    assert tuned(SHIPPED, {}) == SHIPPED


def test_what_is_said_is_changed_and_nothing_else() -> None:
    """Limit, window, time, severity, and how often it is looked."""
    knobs = {"limit": 33.5, "window": "5s", "for": "3s", "severity": "info"}
    tuning = {"interval": "1s", "rules": {"ProcessMemoryLeak": knobs}}
    found = tuned(SHIPPED, tuning)
    rule = rule_of(found, "ProcessMemoryLeak")
    assert rule["expr"].endswith("> 33.5")
    assert rule["expr"].count("[5s]") == 2
    assert "[1h]" not in rule["expr"]
    assert rule["for"] == "3s"
    assert rule["labels"]["severity"] == "info"
    assert {group["interval"] for group in found["groups"]} == {"1s"}
    others = [one["alert"] for one in rules_of(SHIPPED) if one != rule]
    for name in set(others) - {"ProcessMemoryLeak"}:
        assert rule_of(found, name) == rule_of(SHIPPED, name)


def test_rules_are_turned_off() -> None:
    """A group without any rule is left out."""
    names = {one["alert"] for one in SHIPPED["groups"][0]["rules"]}
    found = tuned(SHIPPED, {"rules": {one: {"off": True} for one in names}})
    assert found["groups"] == SHIPPED["groups"][1:]


def test_off_needs_no_quotes() -> None:
    """As the page writes it: a bare off is false to YAML, as a name, too."""
    (name, *_) = (one["alert"] for one in rules_of(SHIPPED))
    tuning = yaml.safe_load(f"rules: {{{name}: {{off: true}}}}")
    left = rules_of(tuned(SHIPPED, tuning))
    assert [one["alert"] for one in left] == [
        one["alert"] for one in rules_of(SHIPPED) if one["alert"] != name
    ]


@pytest.mark.parametrize("rule", rules_of(SHIPPED), ids=lambda it: it["alert"])
def test_every_rule_has_a_limit_that_can_be_tuned(rule: Any) -> None:
    """The comparison stands last."""
    assert LIMIT.search(rule["expr"])


@pytest.mark.parametrize(
    "tuning",
    [
        {"rules": {"Nobody": {"limit": 1}}},
        {"intervals": "1s"},
        {"interval": 5},
        {"rules": {"HostHighMemory": {"limits": 1}}},
        {"rules": {"HostHighMemory": {"limit": "1 or vector(1)"}}},
        {"rules": {"HostHighMemory": {"limit": True}}},
        {"rules": {"HostHighMemory": {"for": "soon"}}},
        {"rules": {"HostHighMemory": {"window": "5m"}}},
    ],
)
def test_what_is_not_there_is_refused(tuning: dict[str, Any]) -> None:
    """A slip of the pen does not leave a rule as it was."""
    with pytest.raises(Stopped, match="the tuning is wrong") as stop:
        tuned(SHIPPED, tuning)
    assert stop.value.status is Status.WRONG_USE


@pytest.mark.real
def test_prometheus_takes_what_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tuned file passes promtool, comments in expressions and all."""
    promtool = need("promtool", "prometheus")
    tuning = tmp_path / "tuning.yaml"
    tuning.write_text("rules: {HostHighCpuLoad: {limit: 5, window: 30s}}\n")
    assert main([str(tuning)]) is Status.DONE
    made = tmp_path / "made.yml"
    made.write_text(capsys.readouterr().out)
    subprocess.run(
        [promtool, "check", "rules", str(made)],
        check=True,
        capture_output=True,
        timeout=60,
    )
