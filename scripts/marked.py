"""Put items into the lists of somebody's YAML file, between two marks.

Comments, order and layout of the file stay as they are: it is read only to
find the place, and lines are put there. ``take_out`` gives back the file as
it was, byte for byte. What cannot be done in this way is refused, not tried:
the result is read again and must hold exactly what was there and what is new.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from scripts.setting_up import Status, Stopped

BEGIN = "# >>> smokejumper"
END = "# <<< smokejumper"
STEP = "  "


class Items(NamedTuple):
    """What is put into one list: where, and at which of its ends."""

    path: tuple[str, ...]
    items: Sequence[Mapping[str, Any] | str]
    first: bool = False


def take_out(text: str, name: str) -> str:
    """Return the text without what is between our marks."""
    # From the end: a block that ends the file may stand behind another one.
    while (mark := text.rfind(BEGIN)) >= 0:
        start = text.rfind("\n", 0, mark) + 1
        end = text.find(END, mark)
        if end < 0:
            raise Stopped(
                Status.WRONG_USE,
                f"{name}: after {BEGIN!r} there is no {END!r} any more.",
                "Take our lines out by hand.",
            )
        after = text.find("\n", end)
        if after >= 0:
            text = text[:start] + text[after + 1 :]
        else:
            # Where no newline ended the file, ours came with one before it.
            text = text[:start].removesuffix("\n").removesuffix("\r")
    return text


def put_in(text: str, additions: Sequence[Items], name: str) -> str:
    """Return the text with new items in its lists.

    Args:
        text: The file, with nothing of ours in it.
        additions: What goes where; each list is told once at each end.
        name: Of the file, for what is said when it cannot be done.

    Raises:
        Stopped: The file is no YAML, or written in a way that is left alone.
    """
    expected = read(text, name)
    for addition in additions:
        text = _put(text, addition, name)
        expected = _added(expected, addition.path, addition)
    if read(text, name) != expected:
        raise Stopped(
            Status.WRONG_USE,
            f"{name} is written in a way that this script leaves alone.",
            "Add the lines by hand: docs/monitoring.md has them.",
        )
    return text


def read(text: str, name: str) -> dict[str, Any]:
    """Return what a YAML file says."""
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Stopped(
            Status.WRONG_USE, f"{name} is no YAML: {error}"
        ) from error
    if not isinstance(tree, dict):
        raise Stopped(Status.WRONG_USE, f"{name} holds no settings.")
    return tree


def _added(tree: Any, path: Sequence[str], addition: Items) -> Any:
    """Return the settings with what is put into the text, all else shared."""
    if path:
        inner = (tree or {}).get(path[0])
        return {**(tree or {}), path[0]: _added(inner, path[1:], addition)}
    there, new = tree or [], list(addition.items)
    return new + there if addition.first else there + new


def _put(text: str, addition: Items, name: str) -> str:
    """Return the text with one more block in it."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    path = list(addition.path)
    key_end = 0
    while path:
        _be_in_lines(node, yaml.MappingNode, name)
        pair = _pair(node, path[0])
        if pair is None:
            # The keys that are missing are part of the block.
            column = node.start_mark.column
            lines = _lines(path, addition.items, " " * column)
            return _insert(text, _end(text, node), lines, " " * column)
        key, value = pair
        key_end = key.end_mark.index
        path.pop(0)
        if value.tag.endswith(":null") and not value.value:
            indent = " " * key.start_mark.column + STEP
            lines = _lines(path, addition.items, indent)
            return _insert(text, _next(text, key_end), lines, indent)
        node = value
    _be_in_lines(node, yaml.SequenceNode, name)
    indent = " " * node.start_mark.column
    # Right below the key: what is said above the first item stays there.
    at = _next(text, key_end) if addition.first else _end(text, node)
    return _insert(text, at, _lines([], addition.items, indent), indent)


def _be_in_lines(node: Any, kind: type, name: str) -> None:
    """Refuse what is not written over lines, or is something else."""
    if isinstance(node, kind) and not getattr(node, "flow_style", False):
        return
    line = node.start_mark.line + 1
    raise Stopped(
        Status.WRONG_USE,
        f"{name}, line {line}: this must be written over lines, without"
        " brackets or braces.",
        "Write it so, or leave out an empty one; then run this again.",
    )


def _pair(node: yaml.MappingNode, name: str) -> tuple[Any, Any] | None:
    """Return a key of a mapping with its value."""
    for key, value in node.value:
        if key.value == name:
            return key, value
    return None


def _lines(
    path: Sequence[str], items: Sequence[Any], indent: str
) -> list[str]:
    """Return the lines of some items, below the keys of a path."""
    lines = []
    for key in path:
        lines.append(f"{indent}{key}:")
        indent += STEP
    text = yaml.safe_dump(
        list(items), sort_keys=False, width=1000, allow_unicode=True
    )
    return lines + [indent + line for line in text.splitlines()]


def _insert(text: str, at: int, lines: Sequence[str], indent: str) -> str:
    """Return the text with a marked block at a place."""
    newline = "\r\n" if "\r\n" in text else "\n"
    marked = [
        f"{indent}{BEGIN}: scripts/setup_*.py wrote this; --undo removes it",
        *lines,
        f"{indent}{END}",
    ]
    block = newline.join(marked)
    before, after = text[:at], text[at:]
    if before and not before.endswith("\n"):
        return before + newline + block + after
    return before + block + newline + after


def _next(text: str, index: int) -> int:
    """Return where the line after a place begins."""
    at = text.find("\n", index)
    return len(text) if at < 0 else at + 1


def _end(text: str, node: Any) -> int:
    """Return where the line after the last word of a node begins."""
    return _next(text, _last(text, node))


def _last(text: str, node: Any) -> int:
    """Return where the last word of a node ends; 0 if it has none."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        leaf = node.value[-1]
        parts = leaf if isinstance(leaf, tuple) else (leaf,)
        return max(_last(text, part) for part in parts)
    start, end = node.start_mark.index, node.end_mark.index
    # A text of several lines counts the empty ones after it as its own.
    return 0 if start == end else len(text[:end].rstrip())
