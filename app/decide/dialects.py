"""Find calls in what a model wrote, in each dialect that we know.

Nothing is judged here: whether a call is on the menu, app/decide/answers.py
tells.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from app.decide.lenient import Cut, Reader
from app.models.menu import Menu

MOST_TRIES = 64
MOST_UNWRAPS = 6
NAMES = ("name", "function", "action", "tool", "tool_name", "function_name")
ARGUMENTS = (
    "arguments",
    "parameters",
    "args",
    "params",
    "kwargs",
    "input",
    "tool_input",
)
WRAPS = ("call", "tool_call", "function_call", "function", "tool_calls")
_TAGGED = re.compile(
    r"<(tool_call|function_call|tool_code)>(.*?)(?:</\1>|$)", re.DOTALL
)
_MARKED = re.compile(
    r"(?:<\|python_tag\|>|\[TOOL_CALLS\]|<\|tool_call\|?>)(.*?)"
    r"(?:<\||$)",
    re.DOTALL,
)
_FENCED = re.compile(r"```[\w-]*\s(.*?)(?:```|$)", re.DOTALL)


class Said(msgspec.Struct, frozen=True):
    """One call as a model wrote it.

    Attributes:
        name: the name that it gave.
        arguments: what it gave as arguments.
        reason: what it gave as reason.
        repairs: what was mended until here.
    """

    name: Any
    arguments: Any
    reason: Any = ""
    repairs: tuple[str, ...] = ()


def _whole(text: str, menu: Menu) -> Iterator[Said]:
    """Yield the call that the whole text is."""
    if text[:1] in ("{", "[", '"', "'"):
        reader = Reader(text)
        try:
            value = reader.read()
        except ValueError:
            return
        reader.skip()
        if reader.at >= len(text):
            yield from _calls(value, menu, tuple(reader.repairs))


def _spans(
    pattern: re.Pattern[str], group: int, what: str
) -> Callable[[str, Menu], Iterator[Said]]:
    """Return what yields the calls inside marked parts of a text."""

    def find(text: str, menu: Menu) -> Iterator[Said]:
        """Yield the calls inside."""
        for match in pattern.finditer(text):
            inside = match[group].strip()
            found = list(_whole(inside, menu)) or list(_loose(inside, menu))
            for said in found or _written(inside, menu):
                repairs = (what, *said.repairs)
                yield msgspec.structs.replace(said, repairs=repairs)

    return find


_tagged = _spans(_TAGGED, 2, "taken out of tags")
_marked = _spans(_MARKED, 1, "taken out of a tool dialect")
_fenced = _spans(_FENCED, 1, "taken out of a fence")


def _loose(text: str, menu: Menu) -> Iterator[Said]:
    """Yield the calls that stand somewhere in prose."""
    at = 0
    for _ in range(MOST_TRIES):
        match = re.compile(r"[{\[]").search(text, at)
        if match is None:
            return
        reader = Reader(text, match.start())
        try:
            value = reader.read()
        except ValueError:
            at = match.start() + 1
            continue
        at = reader.at
        for said in _calls(value, menu, tuple(reader.repairs)):
            repairs = ("taken out of prose", *said.repairs)
            yield msgspec.structs.replace(said, repairs=repairs)


def _written(text: str, menu: Menu) -> Iterator[Said]:
    """Yield the calls that are written as in a program."""
    for name in menu.names:
        pattern = rf"(?<![\w.-]){re.escape(name)}\("
        for match in list(re.finditer(pattern, text))[:MOST_TRIES]:
            inside = "{" + text[match.end() :].replace(")", "}", 1)
            # The closing sign may stand in a text: read up to each in turn.
            reader = _read_written(inside, text[match.end() :])
            if reader is not None:
                arguments, repairs = reader
                repairs = ("written as in a program", *repairs)
                yield Said(name, arguments, "", repairs)


def _read_written(
    first: str, rest: str
) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Return the arguments of a call in a program, or None."""
    tries = [first]
    places = [i for i, c in enumerate(rest[:2_000]) if c == ")"]
    tries += ["{" + rest[:i] + "}" for i in places[1:8]]
    for text in tries:
        reader = Reader(text)
        try:
            found = reader.read()
        except ValueError:
            continue
        if isinstance(found, dict):
            repairs = (r for r in reader.repairs if "names" not in r)
            return found, tuple(repairs)
    return None


def _bare(text: str, menu: Menu) -> Iterator[Said]:
    """Yield the call of which only the name is there."""
    plain = text.strip("\"'`.:!() \n").casefold()
    if plain in menu.names:
        yield Said(plain, {}, "", ("only a name",))


def _calls(
    value: Any, menu: Menu, repairs: tuple[str, ...], depth: int = 0
) -> Iterator[Said]:
    """Yield the calls in a value, in each dialect that we know."""
    if depth > MOST_UNWRAPS:
        return
    if isinstance(value, str):
        yield from _of_text(value, menu, repairs, depth)
    elif isinstance(value, list):
        for one in value[:MOST_TRIES]:
            yield from _calls(one, menu, repairs, depth + 1)
    elif isinstance(value, Mapping):
        yield from _of_mapping(value, menu, repairs, depth)


def _of_text(
    text: str, menu: Menu, repairs: tuple[str, ...], depth: int
) -> Iterator[Said]:
    """Yield the calls in a text that stands where a call should."""
    if text in menu.names and not isinstance(text, Cut):
        yield Said(text, {}, "", (*repairs, "only a name"))
    elif text.lstrip()[:1] in ("{", "[", '"'):
        reader = Reader(text)
        try:
            inner = reader.read()
        except ValueError:
            return
        mended = (*repairs, "encoded twice", *reader.repairs)
        yield from _calls(inner, menu, mended, depth + 1)


def _of_mapping(
    value: Mapping[str, Any], menu: Menu, repairs: tuple[str, ...], depth: int
) -> Iterator[Said]:
    """Yield the calls in names and values."""
    for wrap in WRAPS:
        if isinstance(value.get(wrap), Mapping | list):
            inner = repairs
            if wrap != "call":
                inner = (*repairs, "another dialect")
            yield from _calls(value[wrap], menu, inner, depth + 1)
            return
    reason = value.get("reason", "")
    for key in NAMES:
        if isinstance(value.get(key), str):
            rest = {k: v for k, v in value.items() if k not in (key, "type")}
            yield _of_fields(value[key], rest, key, repairs)
            return
    names = [name for name in value if name in menu.names]
    if len(names) == 1:
        note = (*repairs, "another dialect")
        yield Said(names[0], value[names[0]], reason, note)


def _of_fields(
    name: str, rest: dict[str, Any], key: str, repairs: tuple[str, ...]
) -> Said:
    """Return a call whose name stands in a field of its own."""
    reason = rest.pop("reason", "")
    for field in ARGUMENTS:
        if field in rest:
            is_ours = key == "name" and field == "arguments"
            note = () if is_ours else ("another dialect",)
            return Said(name, rest[field], reason, (*repairs, *note))
    note = ("arguments beside the name",) if rest else ()
    return Said(name, rest, reason, (*repairs, *note))


# The first that finds something has the word.
FINDERS = (_whole, _tagged, _marked, _fenced, _loose, _written, _bare)
