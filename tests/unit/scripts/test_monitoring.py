"""What is shipped for monitoring systems: alert rules and a dashboard."""

import json
import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.models.action import Parameter
from tests.programs import need
from tests.service import OPEN, Service

HOME = Path(__file__).parents[3] / "config" / "monitoring"
RULES = HOME / "prometheus" / "smokejumper.rules.yml"
TESTS = HOME / "prometheus" / "smokejumper.rules.test.yml"
BOARD = HOME / "grafana" / "smokejumper.json"
METRIC = re.compile(r"\bsmokejumper_[a-z_]+")
SUFFIXES = ("", "_bucket", "_count", "_sum", "_total")
# What tells of sources that are asked is there when one is set.
POLL = {"url": "http://127.0.0.1:9"}
# Which action an alert of ours is for; a process may be ended for both.
ABOUT = {
    "ProcessRunaway": "kill_process",
    "ProcessMemoryLeak": "kill_process",
    "HostOutOfDiskSpace": "free_disk_space",
    "HostHighMemory": "free_memory",
    "ServiceDown": "restart_service",
    "ContainerMemoryHigh": "restart_container",
    "PodNotReady": "restart_pod",
}
SETTINGS = {"sources": {"alertmanager": {**OPEN, "poll": POLL}}}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the names of all metrics that a running service has."""
    folder = tmp_path_factory.mktemp("metrics")
    environ = {"SMOKEJUMPER_CANARY__ENABLED": "true"}
    with Service(folder, SETTINGS, environ) as service:
        text = httpx.get(f"{service.url}/metrics").raise_for_status().text
    return {
        family.name + suffix
        for family in text_string_to_metric_families(text)
        for suffix in SUFFIXES
        if family.name.startswith("smokejumper_")
    }


def rules() -> list[dict[str, Any]]:
    """Return all alert rules."""
    tree = yaml.safe_load(RULES.read_text())
    return [rule for group in tree["groups"] for rule in group["rules"]]


def board() -> dict[str, Any]:
    """Return the dashboard."""
    tree: dict[str, Any] = json.loads(BOARD.read_text())
    return tree


def panels() -> Iterator[dict[str, Any]]:
    """Yield the panels that show something."""
    for panel in board()["panels"]:
        if panel["type"] != "row":
            yield panel


@pytest.mark.real
def test_the_rules_say_what_their_tests_say() -> None:
    """Promtool runs the unit tests of the rules."""
    promtool = need("promtool", "prometheus")
    ended = subprocess.run(
        [promtool, "test", "rules", TESTS.name],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.real
def test_the_rules_pass_the_linter() -> None:
    """No rule is there twice, none is broken."""
    promtool = need("promtool", "prometheus")
    ended = subprocess.run(
        [promtool, "check", "rules", "--lint-fatal", str(RULES)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_rule_has_a_test() -> None:
    """Each alert is seen firing in the unit tests of the rules."""
    tree = yaml.safe_load(TESTS.read_text())
    fired = {
        case["alertname"]
        for test in tree["tests"]
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert {rule["alert"] for rule in rules()} == fired


@pytest.mark.parametrize(("alert", "action"), ABOUT.items())
def test_an_alert_says_what_its_action_needs(alert: str, action: str) -> None:
    """Each argument comes from a label that the alert has when it fires."""
    tree = yaml.safe_load(TESTS.read_text())
    fired = [
        one["exp_labels"]
        for test in tree["tests"]
        for case in test["alert_rule_test"]
        for one in case.get("exp_alerts", ())
        if case["alertname"] == alert
    ]
    module = import_module(f"app.act.actions.{action}")
    parameters: dict[str, Parameter] = module.plugin(None).parameters
    assert fired
    for labels in fired:
        for name, parameter in parameters.items():
            if parameter.required:
                assert set(parameter.labels) & set(labels), (labels, name)


def test_rules_about_us_name_metrics_that_exist(known: set[str]) -> None:
    """A metric that was renamed leaves no rule behind that never fires."""
    named = {name for one in rules() for name in METRIC.findall(one["expr"])}
    assert len(named) > 10
    assert named - known == set()


def test_the_dashboard_names_metrics_that_exist(known: set[str]) -> None:
    """Every panel shows something that /metrics has."""
    for panel in panels():
        for target in panel["targets"]:
            named = set(METRIC.findall(target["expr"]))
            assert named, panel["title"]
            assert named - known == set(), panel["title"]


def test_the_dashboard_can_be_imported() -> None:
    """It has what Grafana's import asks for, and no id of another one."""
    tree = board()
    assert "id" not in tree
    assert tree["uid"] == "smokejumper"
    assert tree["schemaVersion"] >= 36
    variables = {one["name"]: one for one in tree["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    numbers = [panel["id"] for panel in tree["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in panels():
        assert panel["title"], panel
        assert panel["datasource"]["uid"] == "${datasource}"
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)
        assert all('job=~"$job"' in one["expr"] for one in panel["targets"])


def test_the_panels_do_not_lie_on_each_other() -> None:
    """Each cell of the grid belongs to one panel, within 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in board()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
