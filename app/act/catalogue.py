"""Read the catalogue: the actions of this folder and those of the site.

Both kinds are checked by the same validator, app/models/action.py.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from app.core.configfile import type_error_texts
from app.core.errors import ConfigError, ConfigProblem
from app.core.registry import Factory
from app.core.yamlfile import read_yaml
from app.models.action import ActionSpec, Catalogue

REMEDY = "See docs/catalogue.md for what an action declares."


def make_catalogue(
    plugins: Mapping[str, Factory],
    folders: Iterable[Path],
    own: tuple[ActionSpec, ...] = (),
) -> Catalogue:
    """Return the catalogue, or raise ConfigError with all that is wrong.

    Args:
        plugins: the actions in Python, by the name of their file.
        folders: where the site's own lie, as YAML files.
        own: what only code of ours chooses.
    """
    specs: list[ActionSpec] = []
    problems: list[ConfigProblem] = []
    for name, factory in plugins.items():
        try:
            spec = factory(None)
        except ValidationError as error:
            problems += _explain(name, name, error)
            continue
        specs.append(spec)
        if spec.name != name.replace("-", "_"):
            what = f"is named otherwise than its file {name!r}"
            problems.append(ConfigProblem("actions", spec.name, what, REMEDY))
    for path in sorted(p for f in folders for p in f.glob("*.y*ml")):
        try:
            specs.append(read_yaml(path, REMEDY).read(ActionSpec, REMEDY))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    try:
        return Catalogue(tuple(specs), own)
    except ValueError as error:
        problem = ConfigProblem("actions", "config/actions", str(error), "")
        raise ConfigError([problem]) from error


def _explain(
    name: str, where: str, error: ValidationError
) -> list[ConfigProblem]:
    """Return all that the validator says of one action."""
    return [
        ConfigProblem(
            ".".join(map(str, one["loc"])) or name,
            where,
            type_error_texts.get(one["type"], one["msg"]),
            REMEDY,
        )
        for one in error.errors(include_input=False)
    ]
