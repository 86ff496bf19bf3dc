"""Read settings from one YAML file and SMOKEJUMPER_... variables.

Each value remembers where it came from, so that a mistake is answered with
file and line, or with the variable. This module knows no setting: the
owners of the settings hand in their own pydantic models.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from app.core.errors import ConfigError, ConfigProblem

PREFIX = "SMOKEJUMPER_"
MERGE = "tag:yaml.org,2002:merge"
SEE_EXAMPLE = "See config/smokejumper.yaml for how it is written."
CONFIG_VARIABLE = "SMOKEJUMPER_CONFIG"
REFERENCES = ("env:", "file:")

type_error_texts = {
    "missing": "is missing",
    "extra_forbidden": "is not a setting",
    "model_type": "must hold names and values",
    "dict_type": "must hold names and values",
    "too_short": "is an empty list",
}

Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str, ...]


class Section(BaseModel):
    """Base of every settings class: frozen, no unknown names, no leaks."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        # No wait and no size is endless: whatever takes it would fail later.
        allow_inf_nan=False,
    )


class Config:
    """A tree of raw settings that knows where each one was written."""

    def __init__(
        self, tree: dict[str, Any], origins: dict[Path_, str]
    ) -> None:
        """Take the raw tree and the origin of each path in it."""
        self._tree = tree
        self._origins = origins

    def names(self, *path: str) -> list[str]:
        """Return the names that are set below a path, in file order.

        Raises:
            ConfigError: something else than names stands there.
        """
        found = self._find(path)
        if found is None:
            return []
        if not isinstance(found, dict):
            what = type_error_texts["dict_type"]
            raise ConfigError([self.problem(path, what, SEE_EXAMPLE)])
        return list(found)

    def origin(self, *path: str) -> str:
        """Return where a setting was written: itself, else what is around."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._origins:
                return self._origins[path[:end]]
        # A variable may have made what the file does not have at all.
        below = (o for p, o in self._origins.items() if p[: len(path)] == path)
        return next(below, self._origins[()]) if path else self._origins[()]

    def problem(self, path: Path_, what: str, remedy: str) -> ConfigProblem:
        """Return a problem that is dated to the place of its setting."""
        return ConfigProblem(".".join(path), self.origin(*path), what, remedy)

    def read(self, model: type[Model], *path: str) -> Model:
        """Return the settings below a path, or raise what is wrong there."""
        found = self._find(path)
        try:
            return model.model_validate({} if found is None else found)
        except ValidationError as error:
            problems = [
                self._explain(model, path, details)
                for details in error.errors(include_input=False)
            ]
            raise ConfigError(problems) from error

    def check(
        self, sections: Mapping[str, type[BaseModel]]
    ) -> list[ConfigProblem]:
        """Return all that is wrong in sections, not only in the first."""
        problems: list[ConfigProblem] = []
        for name, model in sections.items():
            try:
                self.read(model, name)
            except ConfigError as error:
                problems += error.problems
        return problems

    def unknown(self, known: tuple[str, ...]) -> list[ConfigProblem]:
        """Return a problem for each top-level name that nobody reads."""
        return [
            self.problem((name,), "is not a setting", suggest(name, known))
            for name in self._tree
            if name not in known
        ]

    def references(self) -> Iterator[str]:
        """Yield every text that says where a secret lies."""
        left: list[Any] = [self._tree]
        while left:
            found = left.pop()
            if isinstance(found, dict):
                left += found.values()
            elif isinstance(found, list):
                left += found
            elif isinstance(found, str) and found.startswith(REFERENCES):
                yield found

    def _find(self, path: Path_) -> Any:
        """Return the raw value at a path, or None."""
        found: Any = self._tree
        for name in path:
            if not isinstance(found, dict):
                return None
            found = found.get(name)
        return found

    def _explain(
        self, model: type[BaseModel], path: Path_, details: Any
    ) -> ConfigProblem:
        """Return a validation error in the words of the settings file."""
        loc = tuple(str(part) for part in details["loc"])
        what = type_error_texts.get(details["type"], str(details["msg"]))
        if details["type"] == "extra_forbidden":
            remedy = suggest(loc[-1], _field_names(model, loc[:-1]))
        elif details["type"] == "missing":
            remedy = f"Add {loc[-1]!r}."
        elif details["type"] == "too_short":
            remedy = "Write what belongs in it, or leave it out."
        else:
            # No variable leads into a list: it is set as a whole.
            named = takewhile(lambda p: isinstance(p, str), details["loc"])
            variable = variable_name((*path, *named))
            remedy = f"Correct it there, or set {variable}."
        return self.problem((*path, *loc), what, remedy)


def suggest(name: str, known: tuple[str, ...]) -> str:
    """Return a remedy that names the closest known name."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known here: {', '.join(sorted(known)) or 'nothing'}."


def variable_name(path: Path_) -> str:
    """Return the environment variable that sets a path."""
    return PREFIX + "__".join(_as_variable(part) for part in path)


def _as_variable(name: str) -> str:
    """Return one name of a path in the spelling of variables."""
    return re.sub(r"[^A-Z0-9_]", "_", name.upper())


def _field_names(model: type[BaseModel], loc: Path_) -> tuple[str, ...]:
    """Return the names that a settings class knows at a place."""
    for part in loc:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type):
            return ()
        if not issubclass(field.annotation, BaseModel):
            return ()
        model = field.annotation
    return tuple(model.model_fields)


def load_config(file: Path, environ: Mapping[str, str]) -> Config:
    """Return the settings of a file with the variables laid over them."""
    tree, origins = _read_file(file)
    problems = []
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        problems += _overlay(tree, origins, variable, text)
    config = Config(tree, origins)
    problems += [
        config.problem(path, "is a name that is no text", "Put it in quotes.")
        for path in _find_odd_names(tree)
    ]
    if problems:
        raise ConfigError(problems)
    return config


def _find_odd_names(tree: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield the paths of names that YAML reads as a number or the like."""
    if not isinstance(tree, dict):
        return
    for name, value in tree.items():
        below = (*path, str(name))
        if not isinstance(name, str):
            yield below
        yield from _find_odd_names(value, below)


def _read_file(file: Path) -> tuple[dict[str, Any], dict[Path_, str]]:
    """Return the tree of a YAML file and the line of each name."""
    remedy = "Point --config or SMOKEJUMPER_CONFIG at a readable file."
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = ConfigProblem("config", str(file), _os_text(error), remedy)
        raise ConfigError([problem]) from error
    origins: dict[Path_, str] = {(): str(file)}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        tree = yaml.safe_load(text)
        twice = _note_lines(node, (), str(file), origins)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # The error's own text quotes the file, which may hold secrets.
        problem = ConfigProblem(
            "config",
            f"{file}:{_line_of(error, text)}",
            "is not YAML",
            "Check the indentation and the quotes of this line.",
        )
        raise ConfigError([problem]) from error
    if twice:
        raise ConfigError(twice)
    if tree is None:
        return {}, origins
    if not isinstance(tree, dict):
        what = "must hold names and values"
        problem = ConfigProblem("config", str(file), what, "See the example.")
        raise ConfigError([problem])
    return tree, origins


def _line_of(error: Exception, text: str) -> int:
    """Return the line that an error of YAML is about, the first if none."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    position = getattr(error, "position", 0)
    return text.count("\n", 0, position) + 1


def _os_text(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file could not be read."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return "is not UTF-8 text"


def _note_lines(
    node: yaml.Node | None,
    path: Path_,
    file: str,
    origins: dict[Path_, str],
) -> list[ConfigProblem]:
    """Write down the line of every name and list item below a node.

    Return a problem for each name that stands twice: YAML would take the
    last and drop the others, a whole section maybe, in silence.
    """
    twice = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            where = f"{file}:{key.start_mark.line + 1}"
            # What is merged in may stand there twice: all of it counts.
            if below in origins and key.tag != MERGE:
                what = f"stands there twice, first in {origins[below]}"
                problem = ConfigProblem(
                    ".".join(below), where, what, "Make one of the two."
                )
                twice.append(problem)
                continue
            origins[below] = where
            twice += _note_lines(value, below, file, origins)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            below = (*path, str(index))
            origins[below] = f"{file}:{value.start_mark.line + 1}"
            twice += _note_lines(value, below, file, origins)
    return twice


def _overlay(
    tree: dict[str, Any],
    origins: dict[Path_, str],
    variable: str,
    text: str,
) -> list[ConfigProblem]:
    """Set one value from a variable; return what is wrong with it."""
    words = variable.removeprefix(PREFIX).split("__")
    where = f"variable {variable}"
    level: Any = tree
    path: Path_ = ()
    for depth, word in enumerate(words):
        if not isinstance(level, dict) or not word:
            what = "does not lead to a setting"
            remedy = "Write two underscores between the names of a path."
            return [ConfigProblem(".".join(path), where, what, remedy)]
        name = _match_name(word, level)
        path = (*path, name)
        if depth == len(words) - 1:
            level[name] = _value(text)
        else:
            if level.get(name) is None:
                level[name] = {}
            level = level[name]
    for known in [k for k in origins if k[: len(path)] == path]:
        del origins[known]
    origins[path] = where
    return []


def _match_name(word: str, level: dict[str, Any]) -> str:
    """Return the name in the tree that a variable's word stands for."""
    for name in level:
        if _as_variable(str(name)) == word.upper():
            return str(name)
    return word.lower()


def _value(text: str) -> Any:
    """Return a variable's value: lists and maps as YAML, the rest as text."""
    if text[:1] in ("[", "{"):
        try:
            return yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            return text
    return text


def reveal(secret: SecretStr, environ: Mapping[str, str]) -> str:
    """Return the text of a secret: literal, ``env:NAME`` or ``file:PATH``.

    Raises:
        ValueError: the reference leads nowhere; the text never says a value.
    """
    text = secret.get_secret_value()
    if text.startswith("env:"):
        name = text.removeprefix("env:")
        if not environ.get(name):
            raise ValueError(f"the variable {name} is not set or empty")
        if not environ[name].isascii():
            _refuse_bytes(name, environ[name])
        return environ[name]
    if text.startswith("file:"):
        return _secret_file(Path(text.removeprefix("file:")))
    if not text:
        raise ValueError("the secret is empty")
    return text


def check_header(text: str) -> None:
    """Return when a header can carry a text without a change.

    Raises:
        ValueError: it can not, so that nobody could ever show it.
    """
    if text != text.strip() or not text.isprintable():
        raise ValueError("begins or ends with a blank, or cannot be sent")


def _refuse_bytes(name: str, text: str) -> None:
    """Raise ValueError when a variable holds bytes that are no text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the variable {name} is not UTF-8 text") from error


def _secret_file(file: Path) -> str:
    """Return a secret that a file holds, without its last line end."""
    try:
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} {_os_text(error)}") from error
    if not text:
        raise ValueError(f"{file} is empty")
    return text
