"""Reads a YAML file of scenarios: small, safe, and no name twice."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from simulator.problem import Refused, Unknown

FILE = "file"
SHAPE = "Write it as the scenarios that are there; docs/simulator.md"
MOST_BYTES = 64 * 1024


class _Strict(yaml.SafeLoader):
    """A reader that takes no name twice."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002  PyYAML's signature
    ) -> dict[Hashable, Any]:
        """Return a mapping, or raise when it has a name twice."""
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"{name!r} is there twice",
                    problem_mark=node.start_mark,
                )
        return super().construct_mapping(node, deep)


class NotStrict(Exception):
    """A text is no YAML, or names a thing twice.

    Attributes:
        at: where, as ", line 3"; empty when nobody knows.
        says: what is wrong.
    """

    def __init__(self, at: str, says: str) -> None:
        """Take where, and what."""
        super().__init__(f"this is no YAML{at}: {says}")
        self.at = at
        self.says = says


def load_strictly(path: Path) -> Any:
    """Return what a YAML file says."""
    try:
        text = path.read_bytes()[: MOST_BYTES + 1]
    except OSError as error:
        raise Unknown(
            f"{path.name} cannot be read: {error.strerror}",
            field=FILE,
            remedy="Look at which scenarios there are",
        ) from error
    if len(text) > MOST_BYTES:
        raise Refused(
            f"{path.name} is longer than 64 KiB",
            field=FILE,
            remedy=SHAPE,
        )
    try:
        return read_strictly(text)
    except NotStrict as error:
        raise Refused(
            f"{path.name}{error.at}: {error.says}", field=FILE, remedy=SHAPE
        ) from error


def read_strictly(text: bytes) -> Any:
    """Return what a text says, or raise NotStrict."""
    try:
        return yaml.load(text, _Strict)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        lines = re.findall(r"line (\d+)", str(error))
        at = f", line {lines[-1]}" if lines else ""
        says = getattr(error, "problem", "") or "it is no YAML"
        raise NotStrict(at, says) from error
