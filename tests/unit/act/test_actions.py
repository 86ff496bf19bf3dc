"""Every file of actions and of brains is a whole plug-in."""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.errors import ConfigError
from app.core.registry import scan
from app.decide import brains
from app.decide.gate.lessons import ACTING, ACTIONS
from app.models.action import ALWAYS, ActionSpec

FOLDERS = (actions, brains)


def modules() -> Iterator[tuple[ModuleType, str]]:
    """Yield the folder and the name of every file of both."""
    for folder in FOLDERS:
        for found in pkgutil.iter_modules(folder.__path__):
            yield folder, found.name


def name_of(folder: ModuleType, file: str) -> str:
    """Return how a test is called."""
    return f"{folder.__name__.rpartition('.')[2]}-{file}"


EVERY = list(modules())
NAMES = [name_of(*one) for one in EVERY]


@pytest.mark.parametrize(("folder", "file"), EVERY, ids=NAMES)
def test_every_file_has_a_plugin(folder: ModuleType, file: str) -> None:
    """One function, made there, that takes its environment."""
    module = import_module(f"{folder.__name__}.{file}")
    assert module.__doc__
    assert module.plugin.__module__ == module.__name__
    assert module.plugin.__doc__
    assert len(inspect.signature(module.plugin).parameters) == 1
    assert scan(folder)[file.replace("_", "-")] is module.plugin


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_else_lies_in_the_folder(folder: ModuleType) -> None:
    """A file that is no plug-in would be taken for one."""
    (path,) = folder.__path__
    found = {
        one.name for one in Path(path).iterdir() if one.name[0] not in "._"
    }
    named = {f"{file}.py" for where, file in EVERY if where is folder}
    assert found - {"__init__.py", "__pycache__"} == named


def specs() -> list[tuple[str, ActionSpec]]:
    """Return every action with the name of its file."""
    return [(name, plugin(None)) for name, plugin in scan(actions).items()]


@pytest.mark.parametrize(("file", "spec"), specs())
def test_an_action_is_named_as_its_file(file: str, spec: ActionSpec) -> None:
    """And is the same each time that it is asked for."""
    assert spec.name == file.replace("-", "_")
    assert scan(actions)[file](None).digest == spec.digest


@pytest.mark.parametrize(("file", "spec"), specs())
def test_an_action_says_when_and_how(file: str, spec: ActionSpec) -> None:
    """In whole sentences; what changes something can be checked."""
    del file
    for text in (spec.purpose, spec.when_to_use, spec.when_not_to_use):
        assert text.endswith(".")
        assert text[0].isupper()
    if spec.changes:
        assert spec.run is not None
        assert spec.check is not None
        assert spec.cooldown_seconds > 0
        # It must be said what it is done to, and labels must say it.
        required = [one for one in spec.parameters.values() if one.required]
        assert any(one.labels for one in required)


@pytest.mark.parametrize(("file", "spec"), specs())
def test_no_argument_comes_from_free_text(file: str, spec: ActionSpec) -> None:
    """No label that may fill one is an annotation's usual name."""
    del file
    free = {"summary", "description", "message", "title", "runbook_url"}
    for parameter in spec.parameters.values():
        assert not free & set(parameter.labels)


def test_the_catalogue_can_be_made_of_them() -> None:
    """With what must always be there."""
    catalogue = make_catalogue(scan(actions), [])
    assert {spec.name for spec in catalogue.specs} >= ALWAYS
    assert len(catalogue.specs) == len(specs())


def test_the_gate_knows_every_action() -> None:
    """What the classifier was taught is what can be done, and no less."""
    catalogue = make_catalogue(scan(actions), [])
    assert {spec.name for spec in catalogue.specs} == set(ACTIONS)
    assert {one.name for one in catalogue.specs if one.changes} == ACTING


def test_a_file_with_another_name_stops_the_start() -> None:
    """It is named in the error."""
    plugins = scan(actions)
    plugins["reboot"] = plugins.pop("escalate")
    with pytest.raises(ConfigError, match="'reboot'"):
        make_catalogue(plugins, [])
