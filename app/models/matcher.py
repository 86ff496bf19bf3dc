"""Matchers: which alerts a mute or a rule is about.

The syntax of Alertmanager: = and != compare, =~ and !~ match a whole value
with a regular expression, several stand in braces with commas between. A
label that is not there is empty. Expressions are those of RE2, as there:
the time that one takes grows with the text and with nothing else, so that
no expression of a stranger can hold up the keeper.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
import re2  # type: ignore[import-untyped]  # it comes without types

QUOTED = r'"(?:[^"\\]|\\.)*"'
ITEM = re.compile(
    rf"\s*({QUOTED}|[^\s{{}}!=~,\"\\'`]+)\s*(=~|!~|!=|=)\s*"
    rf'({QUOTED}|[^,{{}}"]*?)\s*(?=,|$)',
    re.DOTALL,
)
PLAIN_NAME = re.compile(r"[^\s{}!=~,\"\\'`]+")
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}
LONGEST = 1_000
MOST = 20
# So much memory may one expression take; a larger one is refused.
MEMORY = 1 << 20


class Matcher(msgspec.Struct, frozen=True):
    """One condition on one label."""

    name: str
    operator: str
    value: str

    def __str__(self) -> str:
        """Return it as Alertmanager writes it."""
        plain = PLAIN_NAME.fullmatch(self.name)
        name = self.name if plain else _quote(self.name)
        return f"{name}{self.operator}{_quote(self.value)}"

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels meet the condition."""
        return self.fits_value(labels.get(self.name, ""))

    def fits_value(self, value: str) -> bool:
        """Tell whether the value of its label meets the condition."""
        if self.operator in ("=", "!="):
            return (value == self.value) is (self.operator == "=")
        found = _compile(self.value).fullmatch(value) is not None
        return found is (self.operator == "=~")


def read_matcher(text: str) -> Matcher:
    """Return a condition out of its text.

    Raises:
        ValueError: it is none, or its expression is not one.
    """
    found = read_matchers(text)
    if len(found) != 1:
        raise ValueError(f"{text[:80]!r} must be one matcher")
    return found[0]


@lru_cache(maxsize=1_024)
def read_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the conditions of a list, with or without braces.

    Raises:
        ValueError: it is none, or one of its expressions is not one.
    """
    found = tuple(_read(text))
    if len(found) > MOST:
        raise ValueError(f"{len(found)} matchers are more than {MOST}")
    for matcher in found:
        if matcher.operator in ("=~", "!~"):
            _check_expression(matcher.value)
    return found


def write_matchers(matchers: Iterable[Matcher]) -> str:
    """Return conditions as one text, which can be read again."""
    return "{" + ",".join(map(str, matchers)) + "}"


def fit_all(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether labels meet every condition."""
    return all(matcher.fits(labels) for matcher in matchers)


def named(
    matchers: Iterable[Matcher], label: str, values: Iterable[str]
) -> bool:
    """Tell whether conditions leave one of some values of a label only."""
    some = set(values)
    return any(
        one.name == label and one.operator == "=" and one.value in some
        for one in matchers
    )


def _read(text: str) -> Iterator[Matcher]:
    """Yield the conditions of a text, their expressions unchecked."""
    inner = text.strip()
    if inner[:1] == "{" and inner[-1:] == "}":
        inner = inner[1:-1].strip()
    if len(text) > LONGEST * MOST or not _is_text(text):
        raise _wrong(text)
    at = 0
    while at < len(inner):
        item = ITEM.match(inner, at)
        if item is None or item.end() - at > LONGEST:
            raise _wrong(inner[at:])
        name, operator, value = item.groups()
        yield Matcher(_unquote(name), operator, _unquote(value))
        at = item.end() + 1


def _is_text(text: str) -> bool:
    """Tell whether any alert can hold a text, and any database keep it."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _wrong(text: str) -> ValueError:
    """Return the error about a text that is no matcher."""
    return ValueError(
        f"{text[:80]!r} is no matcher of at most {LONGEST} characters; write"
        ' name="value", name!="value", name=~"expression" or'
        ' name!~"expression"'
    )


def _quote(text: str) -> str:
    """Return a text in quotation marks."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n") + '"'


def _unquote(text: str) -> str:
    """Return what stands in quotation marks, if there are any."""
    if text[:1] != '"':
        return text

    def mean(escape: re.Match[str]) -> str:
        """Return the character that an escape means."""
        meant = ESCAPED.get(escape[1])
        if meant is None:
            raise ValueError(
                f"{text[:80]!r}: there is no escape {escape[0]}; write two"
                " backslashes for one"
            )
        return meant

    return ESCAPE.sub(mean, text[1:-1])


def _check_expression(text: str) -> None:
    """Raise ValueError when a text is no expression of RE2."""
    try:
        _compile(text)
    except re2.error as error:
        why = error.args[0] if error.args else b""
        reason = why.decode() if isinstance(why, bytes) else str(why)
        message = f"{text[:80]!r} is no regular expression of RE2: {reason}"
        raise ValueError(message) from error


@lru_cache(maxsize=1_024)
def _compile(text: str) -> Any:
    """Return an expression, ready to be used."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    return re2.compile(text, options)
