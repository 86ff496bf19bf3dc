"""Hints on their way to a deed: only one that takes them is told."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.act.local.deed import Done
from app.act.local.executor import Executor
from app.act.local.hand import Hand
from app.act.local.journal import Journal
from app.models.job import JobState, Order
from tests.unit.act.backends.making import order
from tests.unit.act.local.stands import wait_for


class Bare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a deed takes that knows of no hint."""

    host: str


class Curious(Bare, frozen=True, forbid_unknown_fields=True):
    """What one takes that has a use for it."""

    service: str = ""


class Repeats:
    """A deed that says what it was told."""

    def __init__(self, takes: type[msgspec.Struct]) -> None:
        self.takes = takes

    def do(self, arguments: Any, hand: Hand) -> Done:
        """Say it."""
        del hand
        return Done(str(msgspec.to_builtins(arguments)))


def told(folder: Path, takes: type[msgspec.Struct], **hints: str) -> str:
    """Return what a deed is told."""
    deeds = {"look": Repeats(takes)}
    executor = Executor(deeds, Journal(folder / "jobs"), 4, bool)
    sent = order("look", arguments={"host": "web-01"}, hints=hints)
    executor.start(sent)
    wait_for(lambda: executor.watch(sent).has_ended)
    end = executor.watch(sent)
    assert end.state is JobState.SUCCEEDED
    return end.reason


@pytest.mark.parametrize(
    ("takes", "hint", "expected"),
    [
        (Curious, "nginx", {"host": "web-01", "service": "nginx"}),
        (Curious, "", {"host": "web-01", "service": ""}),
        (Bare, "nginx", {"host": "web-01"}),
    ],
)
def test_a_deed_is_told_what_it_takes(
    tmp_path: Path,
    takes: type[msgspec.Struct],
    hint: str,
    expected: dict[str, str],
) -> None:
    """One that knows of no hint does the same without it."""
    assert told(tmp_path, takes, service=hint) == str(expected)


def test_without_a_hint_an_order_is_written_as_ever() -> None:
    """Hands of an older make refuse words that they do not know."""
    bare = msgspec.json.decode(msgspec.json.encode(order("look")))
    assert "hints" not in bare
    sent = order("look", hints={"service": "nginx"})
    again = msgspec.json.decode(msgspec.json.encode(sent), type=Order)
    assert again == sent
