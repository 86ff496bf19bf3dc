"""Matchers: which alerts a mute or a rule is about.

The same four operators as Alertmanager's: = and != compare, =~ and !~ match
a whole value with a regular expression. A label that is not there is empty.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

FORM = re.compile(r'\s*([^\s=!~"]+)\s*(=~|!~|!=|=)\s*(.*?)\s*', re.DOTALL)
LONGEST = 1_000


class Matcher(msgspec.Struct, frozen=True):
    """One condition on one label."""

    name: str
    operator: str
    value: str

    def __str__(self) -> str:
        """Return it as a person writes it."""
        return f'{self.name}{self.operator}"{self.value}"'

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels meet the condition."""
        value = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (value == self.value) is (self.operator == "=")
        found = re.fullmatch(self.value, value, re.DOTALL) is not None
        return found is (self.operator == "=~")


def read_matcher(text: str) -> Matcher:
    """Return a condition out of its text.

    Raises:
        ValueError: it is none, or its expression is not one.
    """
    form = FORM.fullmatch(text) if len(text) <= LONGEST else None
    if form is None:
        raise ValueError(
            f"{text[:80]!r} is no matcher; write name=value, name!=value, "
            "name=~expression or name!~expression"
        )
    name, operator, value = form.groups()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if operator in ("=~", "!~"):
        _check_expression(value)
    return Matcher(name, operator, value)


def fit_all(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether labels meet every condition."""
    return all(matcher.fits(labels) for matcher in matchers)


def _check_expression(text: str) -> None:
    """Raise ValueError when a text is no regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        message = f"{text[:80]!r} is no regular expression: {error}"
        raise ValueError(message) from error
