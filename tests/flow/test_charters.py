"""What is changed in the files of policy and brains is told after a start."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.flow.deciding import DecidingService

DENY = """
rules:
  - {name: night, reason: Nothing at night., outcome: deny}
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[DecidingService]:
    """Return a service with a policy file, not started."""
    (tmp_path / "policy.yaml").write_text("{}\n")
    settings = {"policy": {"file": str(tmp_path / "policy.yaml")}}
    made = DecidingService(tmp_path, settings)
    yield made
    made.stop()


def entries(node: DecidingService, kind: str) -> list[dict[str, Any]]:
    """Return the lines of the log of one kind, newest first."""
    found: list[dict[str, Any]] = node.get("/log", kind=kind)["items"]
    return found


def change_settings(node: DecidingService, **decide: Any) -> None:
    """Change the settings of deciding on disk."""
    tree = yaml.safe_load(node.config.read_text())
    tree["decide"].update(decide)
    node.config.write_text(yaml.safe_dump(tree))


def test_a_restart_with_other_files_is_told(node: DecidingService) -> None:
    """The first start says nothing; each change is one line, for all."""
    node.start()
    assert node.get("/log")["items"] == []
    before = node.get("/policy")["version"]
    (node.folder / "policy.yaml").write_text(DENY)
    seen = node.get("/policy/text")
    assert (seen["text"], seen["in_force"]) == (DENY, before)
    assert seen["version"] != before
    node.stop()
    change_settings(node, brain="reflex", confidence=0.7)
    node.start()
    node.wait_for(lambda: entries(node, "decide.changed"))
    (policy,) = entries(node, "policy.changed")
    assert policy["body"]["after"]["version"] == seen["version"]
    assert policy["body"]["before"]["version"] == before
    assert "+- name: night" in policy["body"]["difference"]
    assert str(node.folder) not in str(policy)
    (decide,) = entries(node, "decide.changed")
    difference = decide["body"]["difference"]
    assert "-  brain: fake" in difference
    assert "+  brain: reflex" in difference
    assert "+  confidence: 0.7" in difference
    node.stop()
    node.start()
    assert len(node.get("/log")["items"]) == 2


def test_a_file_that_is_no_policy_is_told_before_a_restart(
    node: DecidingService,
) -> None:
    """The node goes on with what it has, and says what is wrong."""
    node.start()
    (node.folder / "policy.yaml").write_text("rules: 3\n")
    seen = node.get("/policy/text")
    assert (seen["version"], seen["text"]) == ("", "rules: 3\n")
    assert seen["wrong"].startswith("policy.yaml:1: rules: ")
    (node.folder / "policy.yaml").unlink()
    assert node.get("/policy/text")["version"] == seen["in_force"]
