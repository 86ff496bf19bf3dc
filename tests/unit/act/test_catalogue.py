"""One validator for actions in Python and in YAML, with the same words."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import app.act.actions
from app.act.catalogue import make_catalogue
from app.core.errors import ConfigError
from app.core.registry import scan
from app.core.shape import SHAPES
from app.models.action import ALWAYS, ActionSpec, Catalogue
from app.models.schema import function_schema
from tests.service import HOME
from tests.unit.decide.sites import CATALOGUE, case, grounder

EXAMPLE = HOME / "config" / "actions" / "requeue_failed_jobs.yaml.example"
GOOD: dict[str, Any] = {
    "name": "requeue",
    "purpose": "Put jobs back.",
    "when_to_use": "Jobs failed.",
    "when_not_to_use": "They fail again.",
    "parameters": {
        "host": {
            "purpose": "the machine",
            "shape": "host",
            "labels": ["instance"],
            "inventory": "host",
        },
        "most": {
            "purpose": "how many",
            "minimum": 1,
            "maximum": 9,
            "default": 5,
        },
        "kind": {"purpose": "which", "values": ["old", "new"]},
    },
    "risk": "reversible",
    "run": {"backend": "local", "job": "requeue"},
    "check": {"name": "queue_is_short"},
}
HOST = {"purpose": "the machine"}
WRONG: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "unknown field": ({"colour": "red"}, "colour", "is not a setting"),
    "no run": ({"run": None}, "", "changes something needs 'run'"),
    "no check": ({"check": None}, "", "changes something needs 'check'"),
    "no purpose": ({"purpose": None}, "purpose", "valid string"),
    "long purpose": ({"purpose": "x" * 500}, "purpose", "at most 400"),
    "odd name": ({"name": "Re-queue!"}, "name", "should match pattern"),
    "odd risk": ({"risk": "none"}, "risk", "'observe'"),
    "odd backend": (
        {"run": {"backend": "../x", "job": "j"}},
        "run.backend",
        "should match pattern",
    ),
    "undo of nothing": ({"undo": "unqueue"}, "", "no action 'unqueue'"),
    "no origin": (
        {"parameters": {"host": HOST}},
        "parameters.host",
        "exactly one origin",
    ),
    "two origins": (
        {"parameters": {"host": {**HOST, "labels": ["a"], "values": ["b"]}}},
        "parameters.host",
        "exactly one origin",
    ),
    "a list and a number": (
        {
            "parameters": {
                "host": {
                    **HOST,
                    "values": ["b"],
                    "minimum": 1,
                    "maximum": 2,
                    "default": 1,
                }
            }
        },
        "parameters.host",
        "exactly one origin",
    ),
    "unknown shape": (
        {"parameters": {"host": {**HOST, "labels": ["a"], "shape": "blob"}}},
        "parameters.host.shape",
        "there is no shape 'blob'",
    ),
    "unknown field of a parameter": (
        {"parameters": {"host": {**HOST, "labels": ["a"], "regex": ".*"}}},
        "parameters.host.regex",
        "is not a setting",
    ),
    "half a number": (
        {"parameters": {"host": {**HOST, "minimum": 1}}},
        "parameters.host",
        "belong together",
    ),
    "number without a default": (
        {"parameters": {"host": {**HOST, "minimum": 1, "maximum": 2}}},
        "parameters.host",
        "needs a default",
    ),
    "default out of bounds": (
        {
            "parameters": {
                "host": {**HOST, "minimum": 1, "maximum": 2, "default": 3}
            }
        },
        "parameters.host",
        "needs a default between",
    ),
    "default not in the list": (
        {"parameters": {"host": {**HOST, "values": ["b"], "default": "c"}}},
        "parameters.host",
        "not one of the values",
    ),
    "default of a label": (
        {"parameters": {"host": {**HOST, "labels": ["b"], "default": "c"}}},
        "parameters.host",
        "for values and numbers only",
    ),
    "unknown inventory": (
        {"parameters": {"host": {**HOST, "inventory": "cluster"}}},
        "parameters.host.inventory",
        "'container'",
    ),
    "no budget": ({"budget": {"runs": 0}}, "budget.runs", "greater than"),
}


def in_yaml(folder: Path, *trees: dict[str, Any]) -> Catalogue:
    """Return the catalogue with these actions as files."""
    for number, tree in enumerate(trees):
        (folder / f"own-{number}.yaml").write_text(
            yaml.safe_dump(tree, sort_keys=False)
        )
    return make_catalogue(scan(app.act.actions), [folder])


def in_python(tree: dict[str, Any]) -> Catalogue:
    """Return the catalogue with this action as a plug-in."""
    own = {"requeue": lambda _env: ActionSpec(**tree)}
    return make_catalogue({**scan(app.act.actions), **own}, [])


def complaint(error: ConfigError) -> tuple[str, str]:
    """Return the place and the words of the first thing that is wrong."""
    (one, *_) = error.problems
    is_whole = one.setting in {"own-0", "requeue", "actions"}
    return "" if is_whole else one.setting, one.what


def test_both_kinds_make_the_same_action(tmp_path: Path) -> None:
    """The same declaration has the same digest, wherever it stands."""
    yaml_spec = in_yaml(tmp_path, GOOD).get("requeue")
    python_spec = in_python(GOOD).get("requeue")
    assert yaml_spec == python_spec
    assert yaml_spec.digest == python_spec.digest


@pytest.mark.parametrize("kind", WRONG)
def test_both_kinds_are_refused_in_the_same_words(
    tmp_path: Path, kind: str
) -> None:
    """The same place, the same sentence; the file is named beside."""
    change, place, words = WRONG[kind]
    tree = {**copy.deepcopy(GOOD), **change}
    if kind in {"no run", "no check"}:
        tree.pop(kind.removeprefix("no "))
    with pytest.raises(ConfigError) as of_yaml:
        in_yaml(tmp_path, tree)
    with pytest.raises(ConfigError) as of_python:
        in_python(tree)
    assert complaint(of_yaml.value) == complaint(of_python.value)
    told_place, told = complaint(of_yaml.value)
    assert told_place == place
    assert words in told
    (problem, *_) = of_yaml.value.problems
    assert "own-0.yaml" in problem.where or kind == "undo of nothing"


def test_a_name_stands_once(tmp_path: Path) -> None:
    """Two files, or a file and a plug-in, cannot both be one action."""
    with pytest.raises(ConfigError, match="declared twice: requeue"):
        in_yaml(tmp_path, GOOD, GOOD)
    again = {**GOOD, "name": "restart_service"}
    with pytest.raises(ConfigError, match="declared twice: restart_service"):
        in_yaml(tmp_path, again)


def test_an_undo_may_be_an_action_of_another_file(tmp_path: Path) -> None:
    """All of them are read before any is judged."""
    undo = {**GOOD, "name": "unqueue", "undo": "requeue"}
    assert in_yaml(tmp_path, undo, GOOD).get("unqueue").undo == "requeue"


def test_a_plugin_is_named_as_its_file() -> None:
    """Else nobody would find it."""
    own = {"other": lambda _env: ActionSpec(**GOOD)}
    with pytest.raises(ConfigError, match="named otherwise than its file"):
        make_catalogue({**scan(app.act.actions), **own}, [])


@pytest.mark.parametrize(
    "text", ["{", "- a", "5", "", "a: !!python/name:os.system", "x" * 70_000]
)
def test_a_file_that_is_no_action_is_named(tmp_path: Path, text: str) -> None:
    """It is never passed by in silence, and nothing in it is run."""
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"odd\.yaml"):
        make_catalogue(scan(app.act.actions), [tmp_path])


def test_the_example_is_an_action_and_no_file_by_itself(
    tmp_path: Path,
) -> None:
    """What is shipped to be copied works once it is copied, not before."""
    assert make_catalogue(scan(app.act.actions), [EXAMPLE.parent]) is not None
    (tmp_path / "own.yaml").write_text(EXAMPLE.read_text())
    catalogue = make_catalogue(scan(app.act.actions), [tmp_path])
    labels = {"instance": "work-01:9100", "queue": "shop/mails"}
    menu = grounder(catalogue=catalogue).menu(case(labels))
    offer = menu.find("requeue_failed_jobs")
    assert offer is not None
    assert offer.best() == {
        "host": "work-01", "queue": "shop/mails", "most": 50,
    }  # fmt: skip


def test_the_first_actions_are_there() -> None:
    """What the product comes with, and what every menu holds."""
    names = {spec.name for spec in CATALOGUE.specs}
    assert names >= {
        *ALWAYS, "restart_service", "kill_process", "free_disk_space",
        "free_memory", "restart_container", "restart_pod",
        "collect_diagnostics",
    }  # fmt: skip


@pytest.mark.parametrize("spec", CATALOGUE.specs, ids=lambda s: str(s.name))
def test_every_function_is_a_json_schema(spec: ActionSpec) -> None:
    """It takes the product's own arguments and no others."""
    function = function_schema(spec)
    assert json.loads(json.dumps(function)) == function
    schema = jsonschema_rs.validator_for(function["parameters"])
    assert not schema.is_valid({"anything": "else"})
    labels = {
        "host": "web-01", "service": "nginx", "process": "soffice",
        "path": "/var/log", "container": "shop", "namespace": "shop",
        "pod": "shop-1",
    }  # fmt: skip
    offer = grounder().menu(case(labels, "X")).find(spec.name)
    assert offer is not None
    assert schema.is_valid(offer.best())
    for name in offer.best():
        assert not schema.is_valid({**offer.best(), name: "a; reboot"})
        assert not schema.is_valid({**offer.best(), name: None})


@pytest.mark.parametrize("shape", SHAPES)
@given(said=st.text(max_size=80))
def test_a_schema_takes_what_the_shape_takes(shape: str, said: str) -> None:
    """What fits a shape fits its function: no valid call is refused."""
    spec = ActionSpec.model_validate(
        {
            **GOOD,
            "parameters": {
                "xy": {"purpose": "any", "shape": shape, "labels": ["x"]}
            },
        }
    )
    value = SHAPES[shape].fit(said)
    if value is not None:
        schema = function_schema(spec)["parameters"]
        assert jsonschema_rs.is_valid(schema, {"xy": value})
