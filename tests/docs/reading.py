"""Settings and other data of the documents, read by what really reads them."""

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from app.act import actions
from app.act.catalogue import make_catalogue
from app.act.local.starting import make_plan
from app.bootstrap import build
from app.bootstrap.ground import Outside
from app.core.configfile import load_config
from app.core.registry import scan
from app.core.sealing import seal
from app.decide.gate.lessons import parse
from app.decide.inventories.file import FileInventory
from app.decide.runbooks import read_runbook
from app.guard.policy import parse_policy
from app.ingest.sources.datadog import EXAMPLE as DATADOG
from app.models.action import Check
from app.report.templates import read_templates
from scripts.tune_rules import RULES, tuned
from simulator.records import Fact
from simulator.scenarios import Scenarios
from simulator.stage import Stage
from tests.docs.blocks import HOME, Block
from tests.unit.simulator.scene import settings_at

Tree = dict[str, Any]
SETTINGS = HOME / "config" / "smokejumper.yaml"
SECRET = "a-secret-of-this-test-0123456789"
NAMED_SECRET = re.compile(r"\benv:([A-Z_]+)")
METRIC = re.compile(r"\bsmokejumper_[a-z_]+")
# What a block takes for granted, as the text around it says.
CHANNEL = {"kind": "apprise", "url": "json://127.0.0.1"}
FOLDERS = ("config/runbooks", "ansible/project", "ansible/inventory")
# Where the pages have files that are not here.
PLACES = {
    "/etc/ansible/hosts": "ansible/inventory/hosts",
    "/run/secrets/mail_url": "config/mail_url",
}
FILES = {
    "config/mail_url": CHANNEL["url"],
    "ansible/project/restart.yml": "[]",
    "ansible/project/diagnostics.yml": "[]",
    "ansible/inventory/hosts": "[all]\nweb-01\n",
    "config/inventory.yaml": "hosts: {web-01: {}}\n",
}
AROUND: dict[str, Tree] = {
    "docs/backends.md": {
        "backends": {
            "ansible": {
                "private_data_dir": "ansible",
                "jobs": {"diagnostics": {"playbook": "diagnostics.yml"}},
            }
        }
    },
    "docs/messages.md": {
        "channels": dict.fromkeys(("db-chat", "pager", "ops-chat"), CHANNEL)
    },
}


def laid_over(tree: Tree, more: Tree) -> Tree:
    """Return settings with others laid over them."""
    found = dict(tree)
    for name, value in more.items():
        below = found.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            found[name] = laid_over(below, value)
        else:
            found[name] = value
    return found


class Reading:
    """Reads blocks in a folder of its own."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._patch = patch

    def settings(self, block: Block) -> None:
        """Start a product with it, laid over the settings that there are."""
        text = block.text
        for theirs, ours in PLACES.items():
            text = text.replace(theirs, f"{self.folder}/{ours}")
        self._know_secrets(text)
        base = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
        tree = laid_over(base, AROUND.get(block.page, {}))
        self._build(laid_over(tree, yaml.safe_load(text)), {})

    def _settings_with(self, block: Block, text: str) -> None:
        """Read something else as settings, in place of the block's text."""
        self.settings(replace(block, text=text))

    def source_grafana(self, block: Block) -> None:
        """Read it as a part of the settings of Grafana's source."""
        part = yaml.safe_load(block.text)
        text = yaml.safe_dump({"sources": {"grafana": part}})
        self._settings_with(block, text)

    def variables(self, block: Block) -> None:
        """Start a product with these variables."""
        self._know_secrets(block.text)
        self._patch.setenv("DATABASE_URL", f"sqlite:///{self.folder}/a.db")
        found = dict(
            line.split("=", 1) for line in block.text.split("\n") if line
        )
        plain = {name: text.strip("'") for name, text in found.items()}
        base = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
        self._build(base, plain)

    def _know_secrets(self, text: str) -> None:
        """Let the environment have the secrets that are named."""
        for name in NAMED_SECRET.findall(text):
            is_address = f"url: env:{name}" in text
            value = CHANNEL["url"] if is_address else SECRET
            self._patch.setenv(name, value)

    def _build(self, tree: Tree, environ: Mapping[str, str]) -> None:
        """Make all parts of the product; each reads its own settings."""
        for name in FOLDERS:
            (self.folder / name).mkdir(exist_ok=True, parents=True)
        for name, text in FILES.items():
            (self.folder / name).write_text(text)
        file = self.folder / "config" / "smokejumper.yaml"
        file.write_text(yaml.safe_dump(tree))
        build(load_config(file, environ), Outside(home=self.folder))

    def hands(self, block: Block) -> None:
        """Read it as the settings of the hands in a process of their own."""
        file = self.folder / "hands.yaml"
        file.write_text(block.text)
        make_plan(file, "root")

    def policy(self, block: Block) -> None:
        """Read it as a policy, with its conditions."""
        text = block.text
        if "now.in_calendar.freeze" in text:
            # The page has told of that calendar above.
            text += "calendars: {freeze: [2026-12-18..2027-01-03]}\n"
        parse_policy(text)

    def inventory(self, block: Block) -> None:
        """Read it as the file of the inventory."""
        file = self.folder / "inventory.yaml"
        file.write_text(block.text)
        specs = make_catalogue(scan(actions), []).specs
        known = [spec.name for spec in specs]
        assert FileInventory(file, known).read()

    def runbook(self, block: Block) -> None:
        """Read it as a runbook."""
        file = self.folder / "disks.md"
        file.write_text(block.text)
        assert read_runbook(file).matchers

    def template(self, block: Block) -> None:
        """Read it as a template of letters, and write one with it."""
        (self.folder / "escalated.txt").write_text(block.text)
        assert read_templates(self.folder, []).find("any", "escalated")

    def scenario(self, block: Block) -> None:
        """Read it as a scenario of the simulator."""
        tree = yaml.safe_load(block.text)
        (self.folder / f"{tree['name']}.yaml").write_text(block.text)
        most = {"memory_mb": 1024, "disk_mb": 64}
        stage = Stage(settings_at(self.folder / "sim", most=most))
        assert Scenarios(stage.specs(), 900, self.folder).find(tree["name"])

    def tuning(self, block: Block) -> None:
        """Tune our alert rules with it."""
        rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
        assert tuned(rules, yaml.safe_load(block.text))["groups"]

    def lesson(self, block: Block) -> None:
        """Read it as a lesson of the embedded brain."""
        (lesson,) = parse([block.text.strip()], block.where)
        assert lesson

    def check(self, block: Block) -> None:
        """Read it as the check of an action."""
        Check.model_validate(yaml.safe_load(block.text)["check"])

    def truth(self, block: Block) -> None:
        """Read it as a fault that the simulator tells of."""
        Fact.model_validate_json(block.text)

    def order(self, block: Block) -> None:
        """Read it as JSON with the fields of an order."""
        told = msgspec.json.decode(block.text.encode())
        assert {"action", "arguments", "key", "target"} <= set(told)

    def log_lines(self, block: Block) -> None:
        """Read each line as one of our own log."""
        for line in block.text.splitlines():
            assert {"event", "level"} <= set(msgspec.json.decode(line))

    def datadog(self, block: Block) -> None:
        """Read it as the payload that the source for Datadog reads."""
        told = msgspec.json.decode(block.text.encode())
        assert set(told) == set(msgspec.json.decode(DATADOG))

    def signature(self, block: Block) -> None:
        """Run it: it knows what we signed, and nothing else."""
        names: Tree = {}
        exec(block.text, names)
        body = b'{"job": "restart"}'
        now = int(time.time() * 1_000_000)
        headers = seal(SECRET, now, body)
        secret = SECRET.encode()
        assert names["is_ours"](secret, "POST", "/", headers, body)
        assert not names["is_ours"](secret, "POST", "/", headers, body + b" ")
        headers = seal(SECRET, now, b"GET /a?b=c")
        assert names["is_ours"](secret, "GET", "/a?b=c", headers, b"")

    def metrics(self, block: Block) -> None:
        """Look that its metrics are some of ours."""
        product = build(load_config(SETTINGS, {}))
        known = {family.name for family in product.registry.collect()}
        named = METRIC.findall(block.text)
        assert named
        assert set(named) <= known

    def alertmanager(self, block: Block) -> None:
        """Look that it is YAML with a receiver that posts to a source."""
        tree = yaml.safe_load(block.text)
        (one,) = (r for r in tree["receivers"] if r["name"] == "smokejumper")
        (hook,) = one["webhook_configs"]
        assert hook["url"].endswith("/webhooks/alertmanager")

    def prometheus(self, block: Block) -> None:
        """Look that it is YAML with one of Prometheus's own sections."""
        assert set(yaml.safe_load(block.text)) <= {
            "alerting",
            "scrape_configs",
        }
