"""What tests about a site need: a catalogue, cases, and settings."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.configfile import Config, load_config
from app.core.errors import ConfigError
from app.core.registry import scan
from app.decide.casing import Told, make_case
from app.decide.grounding import Grounder
from app.decide.knowledge import Knowledge
from app.decide.stock import Env, Surroundings
from app.models.action import (
    ActionSpec,
    Catalogue,
    Check,
    Parameter,
    Risk,
    Run,
)
from app.models.case import Case
from app.models.inventory import Inventory, Thing
from app.models.menu import Menu

NOW = 1_795_227_242_000_000
CATALOGUE = make_catalogue(scan(actions), [])
WEB = {"instance": "web-01:9100", "name": "nginx.service"}
KNOWLEDGE = Knowledge(
    [
        "nginx | web | nginx | nginx | nginx",
        "apache | web | apache,httpd | apache2 | httpd",
        "oddity | tool | oddity | - | oddity",
    ],
    [],
    [],
)


def extended(*specs: ActionSpec) -> Catalogue:
    """Return the product's catalogue with further actions."""
    return Catalogue((*CATALOGUE.specs, *specs))


def case(
    labels: dict[str, str] | None = None,
    name: str = "ServiceDown",
    **more: Any,
) -> Case:
    """Return the case of an alert with these labels."""
    told = Told(
        source=more.pop("source", "alertmanager"),
        name=name,
        status=more.pop("status", "firing"),
        severity=more.pop("severity", "warning"),
        summary=more.pop("summary", ""),
        labels={"alertname": name, **(labels or {})},
        **more,
    )
    return make_case(told, NOW)


def grounder(
    *things: Thing,
    catalogue: Catalogue = CATALOGUE,
    is_kept: bool = False,
) -> Grounder:
    """Return what makes menus, with these things in the inventory."""
    return Grounder(catalogue, Inventory(things, is_kept=is_kept), KNOWLEDGE)


def host(name: str, **more: Any) -> Thing:
    """Return a host of the inventory."""
    return Thing(kind="host", name=name, **more)


def on(name: str, where: str, kind: str = "service", **more: Any) -> Thing:
    """Return what is on a host of the inventory."""
    return Thing(kind=kind, name=name, host=where, **more)


def written(folder: Path, tree: Any) -> Config:
    """Return settings as they are read from a file."""
    file = folder / "settings.yaml"
    file.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree))
    return load_config(file, {})


def values(menu: Menu, action: str, argument: str) -> list[Any]:
    """Return what an argument of an action may be."""
    offer = menu.find(action)
    assert offer is not None, menu.left_out.get(action)
    return [one.value for one in offer.candidates[argument]]


def job(**parameters: Parameter) -> ActionSpec:
    """Return a job of a site's own."""
    return ActionSpec(
        name="requeue",
        purpose="Put jobs back.",
        when_to_use="Jobs failed.",
        when_not_to_use="They fail again.",
        parameters=parameters,
        risk=Risk.REVERSIBLE,
        run=Run(backend="local", job="requeue"),
        check=Check(name="queue_is_short"),
    )


def make_env(folder: Path, name: str, settings: Any) -> Env:
    """Return what a source of the inventory gets, with these settings."""
    config = written(folder, {"inventory": {name: settings}})
    names = {spec.name for spec in CATALOGUE.specs}
    around = Surroundings({"TOKEN": "s3cret"}, folder, names)
    return Env(name, config, around)


def write(path: Path, text: str) -> Path:
    """Return a file with some lines in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"))
    return path


def named(things: Sequence[Thing]) -> dict[str, Thing]:
    """Return things by their names."""
    return {thing.name: thing for thing in things}


def wrong(caught: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    """Return the place, what is wrong and the file's line, for each."""
    return [
        f"{Path(one.where).name} {one.setting}: {one.what}"
        for one in caught.value.problems
    ]
