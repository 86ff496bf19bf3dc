"""What is written about backends is true."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from app.act import awx_job, rundeck_job
from app.act.backends import ansible, awx, rundeck
from app.act.backends.scripted import Script
from app.act.backends.webhook import EndpointSettings, WebhookSettings
from app.act.local import deeds
from app.act.local.deeds.collect_diagnostics import DiagnosticsSettings
from app.act.local.deeds.free_memory import MemorySettings
from app.act.local.deeds.kill_process import KillSettings
from app.act.local.deeds.restart_container import ContainerSettings
from app.act.local.deeds.restart_service import RestartSettings
from app.act.local.settings import OWN, LocalSettings
from app.act.local.sweep.sweeprules import SweepSettings
from app.act.settings import ActSettings
from app.core.configfile import SEE_EXAMPLE
from app.core.registry import scan
from app.core.yamlfile import read_yaml
from app.models.action import ActionSpec, Run
from tests.unit.act.backends.making import make

HOME = Path(__file__).parents[4]
PAGE = (HOME / "docs" / "backends.md").read_text(encoding="utf-8")
SETTINGS = (HOME / "config" / "smokejumper.yaml").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([\w, ]+) \|([^|]*)\|", re.MULTILINE)


def rows(title: str) -> dict[str, Any]:
    """Return the names and defaults of the table below a title."""
    part = re.split(rf"\n##+ {title}\n", PAGE)[1]
    part = re.split(r"\n##+ ", part)[0]
    return {
        name.strip(): yaml.safe_load(default)
        for names, default in ROW.findall(part)
        for name in names.split(",")
        if default.strip() != "default"
    }


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("Let an action run", Run),
        ("Settings of an endpoint", EndpointSettings),
        ("The scripted backend", Script),
        ("Settings of Rundeck", rundeck.RundeckSettings),
        ("A job of Rundeck", rundeck_job.JobSettings),
        ("Settings of AWX", awx.AwxSettings),
        ("A template of AWX", awx_job.JobSettings),
        ("Settings of Ansible", ansible.AnsibleSettings),
        ("A playbook", ansible.JobSettings),
    ],
)
def test_every_setting_is_told(title: str, model: type[BaseModel]) -> None:
    """The page has each of them with its default, and no others."""
    wanted = {}
    for name, field in model.model_fields.items():
        value = field.get_default(call_default_factory=True)
        value = None if value is PydanticUndefined else value
        wanted[name] = list(value) if isinstance(value, tuple) else value
    assert rows(title) == wanted


def test_the_section_act_shows_its_defaults() -> None:
    """The settings file holds what holds without it: one can only look."""
    tree = yaml.safe_load(SETTINGS)
    assert tree["act"] == ActSettings().model_dump(mode="json")
    usual = LocalSettings().model_dump(mode="json")
    assert tree["backends"] == {"local": usual}


def example_deeds() -> dict[str, Any]:
    """Return the deeds of the settings file without their marks."""
    part = SETTINGS.split("\n    deeds: {}\n")[1].split("\n  # Any")[0]
    lines = [line.replace("    # ", "    ", 1) for line in part.splitlines()]
    found: dict[str, Any] = yaml.safe_load("\n".join(lines))["deeds"]
    return found


def test_the_example_deeds_are_right(tmp_path: Path) -> None:
    """Whoever takes the marks away has all of them with their settings."""
    tree = example_deeds()
    local = {"allow": sorted(tree), "deeds": tree}
    (made,) = make(tmp_path, {"local": local}).values()
    # What is ours has no settings.
    assert sorted(tree) == sorted(scan(deeds).keys() - set(OWN))
    assert all(made.knows(name) for name in tree)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("collect-diagnostics", DiagnosticsSettings),
        ("kill-process", KillSettings),
        ("free-memory", MemorySettings),
        ("free-disk-space", SweepSettings),
        ("restart-service", RestartSettings),
        ("restart-container", ContainerSettings),
    ],
)
def test_the_example_deeds_show_their_defaults(
    name: str, model: type[BaseModel]
) -> None:
    """What is the same as with kill-process is not told again."""
    told = example_deeds()[name]
    if name == "free-memory":
        told = {**example_deeds()["kill-process"], **told}
        told = {k: v for k, v in told.items() if k in model.model_fields}
    # Those of a sweep are an example, and disk.md has the usual ones.
    told = {**told, "rules": []} if "rules" in told else told
    usual: dict[str, Any] = {"rules": []} if "rules" in told else {}
    assert set(told) == set(model.model_fields)
    assert model.model_validate(told) == model.model_validate(usual)


def examples() -> dict[str, Any]:
    """Return the backends of the settings file without their marks."""
    part = SETTINGS.split("\n    # deeds:\n")[1].split("\n\n")[0]
    part = "  # Any" + part.split("\n  # Any")[1]
    lines = [line.replace("  # ", "", 1) for line in part.splitlines()]
    named = [line for line in lines if re.match(r" |[a-z]+:$", line)]
    found: dict[str, Any] = yaml.safe_load("\n".join(named))
    return found


def test_the_example_endpoint_is_right() -> None:
    """Whoever takes the marks away has an endpoint with its defaults."""
    tree = examples()
    found = WebhookSettings.model_validate(tree["webhook"])
    example = found.endpoints["restart"]
    same = EndpointSettings(url=example.url, secret=example.secret)
    assert example == same
    assert set(tree["webhook"]["endpoints"]["restart"]) == set(
        EndpointSettings.model_fields
    )
    for script in tree["scripted"]["jobs"].values():
        Script.model_validate(script)


@pytest.mark.parametrize(
    ("name", "whole", "job"),
    [
        ("rundeck", rundeck.RundeckSettings, rundeck_job.JobSettings),
        ("awx", awx.AwxSettings, awx_job.JobSettings),
        ("ansible", ansible.AnsibleSettings, ansible.JobSettings),
    ],
)
def test_the_example_platforms_are_right(
    name: str, whole: type[BaseModel], job: type[BaseModel]
) -> None:
    """Every setting is in the file, with its default where it has one."""
    tree = examples()[name]
    found = whole.model_validate(tree)
    assert set(tree) == set(whole.model_fields)
    (example,) = tree["jobs"].values()
    assert set(example) == set(job.model_fields)
    bare = {
        field: tree[field]
        for field, told in whole.model_fields.items()
        if told.is_required() or field == "jobs"
    }
    assert whole.model_validate(bare) == found


def test_the_example_action_is_right(tmp_path: Path) -> None:
    """Copied to its place it is an action of the catalogue."""
    text = (
        HOME / "config" / "actions" / "requeue_failed_jobs.yaml.example"
    ).read_text(encoding="utf-8")
    file = tmp_path / "requeue_failed_jobs.yaml"
    file.write_text(text, encoding="utf-8")
    spec = read_yaml(file, SEE_EXAMPLE).read(ActionSpec, SEE_EXAMPLE)
    assert spec.run is not None
    assert spec.run.backend == "webhook"
