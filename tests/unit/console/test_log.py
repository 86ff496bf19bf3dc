"""The log's page: what a line says of its weight."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.console.log import _weigh


def weigh(kind: str, body: str) -> tuple[str, str]:
    """Return how sure somebody was, and what it came to."""
    row: Any = SimpleNamespace(kind=kind, body=body)
    weight = _weigh(row)
    return weight.sure, weight.word


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("decision.made", '{"confidence":0.914,"asks":true}', ("0.91", "")),
        ("decision.made", '{"confidence":1}', ("1.00", "")),
        ("decision.made", '{"confidence":null}', ("", "")),
        ("ruling.made", '{"outcome":"approve"}', ("", "approve")),
        ("verdict.given", '{"verdict":"not_fixed"}', ("", "not fixed")),
    ],
)
def test_what_was_weighed_stands_in_columns(
    kind: str, body: str, shown: tuple[str, str]
) -> None:
    """The confidence of a choice, what a rule ruled, what was measured."""
    assert weigh(kind, body) == shown


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("incident.noted", '{"confidence":0.5,"verdict":"fixed"}'),
        ("decision.made", '{"confidence":"high"}'),
        ("ruling.made", "[1]"),
        ("verdict.given", '{"verdict":'),
        ("verdict.given", ""),
    ],
)
def test_other_lines_have_none(kind: str, body: str) -> None:
    """A text of a stranger, or what cannot be read, is no verdict."""
    assert weigh(kind, body) == ("", "")
