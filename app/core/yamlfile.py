"""Read a YAML file that people write, and say what is wrong by its line.

Nothing in it can be run, a name that stands twice is an error, and what is
too long or too deep is refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml
from pydantic import BaseModel, ValidationError

from app.core.configfile import type_error_texts
from app.core.errors import ConfigError, ConfigProblem

MOST_BYTES = 4_194_304
MOST_NODES = 500_000
PLAIN = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
MERGE = "tag:yaml.org,2002:merge"
Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str, ...]


class YamlFile(msgspec.Struct, frozen=True):
    """What a file says, and in which line it says it.

    Attributes:
        path: the file.
        tree: what it says.
        lines: the line of each place in the tree.
    """

    path: Path
    tree: Any
    lines: Mapping[Place, int]

    def where(self, place: Place) -> str:
        """Return the file and the line of a place, or of what is around."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.lines:
                return f"{self.path}:{self.lines[place[:end]]}"
        return str(self.path)

    def problem(self, place: Place, what: str, remedy: str) -> ConfigProblem:
        """Return a problem that is dated to a place."""
        name = ".".join(place) or self.path.stem
        return ConfigProblem(name, self.where(place), what, remedy)

    def read(self, model: type[Model], remedy: str) -> Model:
        """Return the file as a model, or raise all that is wrong in it."""
        tree = {} if self.tree is None else self.tree
        try:
            return model.model_validate(tree)
        except ValidationError as error:
            problems = [
                self.problem(
                    tuple(str(part) for part in one["loc"]),
                    type_error_texts.get(one["type"], one["msg"]),
                    remedy,
                )
                for one in error.errors(include_input=False)
            ]
            raise ConfigError(problems) from error


def stop(path: Path, what: str, remedy: str, line: int = 0) -> ConfigError:
    """Return the error about a whole file, or one of its lines."""
    where = f"{path}:{line}" if line else str(path)
    return ConfigError([ConfigProblem(path.stem, where, what, remedy)])


def read_text(path: Path, remedy: str, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file, or raise ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise stop(path, what, remedy) from error
    except UnicodeDecodeError as error:
        raise stop(path, "is not UTF-8 text", remedy) from error
    if len(raw) > most_bytes:
        raise stop(path, f"is longer than {most_bytes} bytes", remedy)
    return text


def read_yaml(
    path: Path, remedy: str, *, is_lenient: bool = False
) -> YamlFile:
    """Return a YAML file, or raise ConfigError.

    Args:
        path: the file.
        remedy: what to do about whatever is wrong.
        is_lenient: whether a value of an unknown tag is only text.
    """
    text = read_text(path, remedy)
    return parse_yaml(text, path, remedy, is_lenient=is_lenient)


def parse_yaml(
    text: str, path: Path, remedy: str, *, is_lenient: bool = False
) -> YamlFile:
    """Return the text of a YAML file read, or raise ConfigError.

    Args:
        text: what it says.
        path: what to call it.
        remedy: what to do about whatever is wrong.
        is_lenient: whether a value of an unknown tag is only text.
    """
    builder = _Builder(path, remedy, is_lenient=is_lenient)
    try:
        loader = yaml.SafeLoader(text)
        tree = builder.build_all(loader)
    except yaml.MarkedYAMLError as error:
        # Its own text quotes the file, which may hold secrets.
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        raise stop(path, "is not YAML", remedy, line) from error
    except (yaml.YAMLError, ValueError) as error:
        raise stop(path, "is not YAML", remedy) from error
    except RecursionError as error:
        raise stop(path, "is too deep", remedy) from error
    return YamlFile(path, tree, builder.lines)


class _Builder:
    """Makes a tree of the nodes of a file, and remembers their lines."""

    def __init__(self, path: Path, remedy: str, *, is_lenient: bool) -> None:
        """Take the file's name, and how strict to be."""
        self.lines: dict[Place, int] = {}
        self._path = path
        self._remedy = remedy
        self._is_lenient = is_lenient
        self._count = 0

    def build_all(self, loader: yaml.SafeLoader) -> Any:
        """Return the only document of a file."""
        node = loader.get_single_node()
        return None if node is None else self._build(loader, node, ())

    def _build(
        self, loader: yaml.SafeLoader, node: yaml.Node, place: Place
    ) -> Any:
        """Return what a node says."""
        self._count += 1
        line = node.start_mark.line + 1
        if self._count > MOST_NODES:
            raise stop(self._path, "says too much", self._remedy, line)
        self.lines.setdefault(place, line)
        is_plain = isinstance(node, yaml.ScalarNode) or node.tag in PLAIN
        if not is_plain and not self._is_lenient:
            what = f"has the unknown tag {node.tag[:80]!r}"
            raise stop(self._path, what, self._remedy, line)
        if isinstance(node, yaml.MappingNode):
            return self._build_mapping(loader, node, place)
        if isinstance(node, yaml.SequenceNode):
            return [
                self._build(loader, one, (*place, str(index)))
                for index, one in enumerate(node.value)
            ]
        if self._is_lenient and node.tag not in loader.yaml_constructors:
            return node.value
        return loader.construct_object(node)

    def _build_mapping(
        self, loader: yaml.SafeLoader, node: yaml.MappingNode, place: Place
    ) -> dict[str, Any]:
        """Return the names and values of a node, or raise ConfigError."""
        own = [key for key, _ in node.value if key.tag != MERGE]
        seen = set()
        for key in own:
            if key.value in seen:
                what = f"{str(key.value)[:80]!r} stands there twice"
                line = key.start_mark.line + 1
                raise stop(self._path, what, self._remedy, line)
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        loader.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                what = "holds a name that is no text"
                raise stop(self._path, what, self._remedy, line)
            below = (*place, key.value)
            self.lines[below] = key.start_mark.line + 1
            found[key.value] = self._build(loader, value, below)
        return found
