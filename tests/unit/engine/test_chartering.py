"""A change of the files that rule is in the log, once, with what differs."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, cast

import msgspec
import pytest
from sqlalchemy import select

from app.core.errors import StorageFailed, TooBusy
from app.decide.reins import DecideSettings
from app.engine import chartering
from app.engine.chartering import (
    Chartering,
    decide_charter,
    note_charter,
    policy_charter,
)
from app.engine.keeper import Keeper
from app.guard.policy import default_policy, parse_policy
from app.models.charter import (
    CUT,
    MOST_DIFF,
    MOST_TEXT,
    Charter,
    draw_difference,
)
from app.models.tables import EntryRow, table_of
from app.store.charters import find_charter
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from tests.fakes import FakeClock

FREEZE = """
rules:
  - name: freeze
    reason: Nothing is changed now, token=hunter2hunter2
    outcome: deny
"""


class Registry:
    """A database in which charters are noted."""

    def __init__(self, location: Location) -> None:
        self.ledger = Ledger(location, 2.0)

    def note(self, charter: Charter, node: str = "a:1", now: int = 7) -> bool:
        """Let a node start with a charter."""
        with self.ledger.turn() as turn:
            return note_charter(turn, charter, node, now)

    def entries(self) -> list[Any]:
        """Return the lines of the log."""
        with self.ledger.turn() as turn:
            return list(turn.execute(select(table_of(EntryRow))))

    def body(self) -> Any:
        """Return the details of the last line."""
        return msgspec.json.decode(self.entries()[-1].body)


@pytest.fixture
def registry(location: Location) -> Iterator[Registry]:
    """Return a database that knows no charter."""
    made = Registry(location)
    yield made
    made.ledger.close()


def test_what_nobody_knew_is_no_change(registry: Registry) -> None:
    """The first start keeps what holds, and writes no line."""
    built_in = policy_charter(default_policy())
    assert not registry.note(built_in)
    assert not registry.note(built_in)
    assert registry.entries() == []
    with registry.ledger.turn() as turn:
        known = find_charter(turn, "policy")
    assert known is not None
    assert (known.version, known.node) == (built_in.version, "a:1")
    assert "destructive-needs-two" in known.text


def test_a_changed_policy_is_told_once_with_the_difference(
    registry: Registry,
) -> None:
    """By the first node; others that start with it have no news."""
    built_in = policy_charter(default_policy())
    frozen = policy_charter(parse_policy(FREEZE))
    registry.note(built_in)
    assert registry.note(frozen, "a:1", 8)
    assert not registry.note(frozen, "b:1", 9)
    (entry,) = registry.entries()
    assert (entry.kind, entry.actor) == ("policy.changed", "file:policy.yaml")
    assert f"{built_in.version} -> {frozen.version}" in entry.summary
    body = registry.body()
    assert body["before"] == {"version": built_in.version}
    assert body["after"] == {"version": frozen.version}
    assert body["node"] == "a:1"
    lines = body["difference"].splitlines()
    assert "-- name: destructive-needs-two" in lines
    assert "+- name: freeze" in lines
    assert "+  outcome: deny" in lines


def test_what_was_changed_back_is_told_too(registry: Registry) -> None:
    """Each change is a line, in both directions."""
    built_in = policy_charter(default_policy())
    frozen = policy_charter(parse_policy(FREEZE))
    for charter in (built_in, frozen, built_in):
        registry.note(charter)
    kinds = [entry.kind for entry in registry.entries()]
    assert kinds == ["policy.changed", "policy.changed"]
    assert "+- name: destructive-needs-two" in registry.body()["difference"]


def test_comments_and_spelling_change_nothing(registry: Registry) -> None:
    """What counts is what a policy means."""
    registry.note(policy_charter(parse_policy(FREEZE)))
    other = parse_policy(f"# again\nzone: UTC\n{FREEZE}")
    assert not registry.note(policy_charter(other))


def test_no_secret_gets_into_the_log(registry: Registry) -> None:
    """Neither into what is kept, nor into the difference."""
    registry.note(policy_charter(default_policy()))
    frozen = policy_charter(parse_policy(FREEZE))
    registry.note(frozen)
    assert "hunter2" not in frozen.text
    assert "hunter2" not in registry.entries()[0].body
    assert "(SECRET)" in registry.body()["difference"]


def test_another_brain_of_the_settings_is_told(registry: Registry) -> None:
    """So are another threshold, and a model."""
    settings = DecideSettings(brain="rules")
    assert decide_charter(settings, {}, "settings") == decide_charter(
        settings, {}, "settings"
    )
    registry.note(decide_charter(settings, {}, "settings"))
    other = DecideSettings(brain="reflex", thresholds={"kill_process": 0.9})
    registry.note(decide_charter(other, {"gpt": _Remote()}, "settings"))
    (entry,) = registry.entries()
    assert (entry.kind, entry.actor) == ("decide.changed", "file:settings")
    lines = registry.body()["difference"].splitlines()
    assert "-  brain: rules" in lines
    assert "+  brain: reflex" in lines
    assert "+    kill_process: 0.9" in lines
    assert "+  gpt: small-1" in lines


class _Remote:
    """A brain behind a server."""

    model = "small-1"
    resting_seconds = 0.0

    async def decide(self, case: object, menu: object) -> Any:
        """Never be asked here."""
        raise AssertionError(case, menu)


def test_a_long_charter_is_cut_and_says_so() -> None:
    """Its text and the difference are bounded, at the end of a line."""
    text = "".join(f"line {number}\n" for number in range(20_000))
    charter = Charter.make("policy", "policy.yaml", "1", text)
    assert len(charter.text) <= MOST_TEXT
    assert charter.text.endswith(f"\n{CUT}")
    difference = draw_difference("", charter.text)
    assert len(difference) <= MOST_DIFF
    assert difference.endswith(CUT)
    assert draw_difference(text, text) == ""


class Door:
    """A keeper that is busy, then works; it stands before the real ledger."""

    def __init__(self, registry: Registry, *errors: Exception) -> None:
        self._registry = registry
        self._errors = list(errors)

    def ask(self, work: Callable[[Connection], Any]) -> Future[Any]:
        """Run some work, or fail as a keeper does."""
        if self._errors and isinstance(self._errors[0], TooBusy):
            raise self._errors.pop(0)
        future: Future[Any] = Future()
        if self._errors:
            future.set_exception(self._errors.pop(0))
            return future
        with self._registry.ledger.turn() as turn:
            future.set_result(work(turn))
        return future


def test_a_database_that_is_away_is_waited_for(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written as soon as that is possible, then the chore ends."""
    monkeypatch.setattr(chartering, "PAUSE_SECONDS", 0.0)
    frozen = policy_charter(parse_policy(FREEZE))
    registry.note(policy_charter(default_policy()))
    door = Door(
        registry, TooBusy("keeper_busy", "busy"), StorageFailed("it is away")
    )
    chore = Chartering(cast(Keeper, door), FakeClock(), "b:2", [frozen])
    asyncio.run(asyncio.wait_for(chore.run(), 30))
    (entry,) = registry.entries()
    assert entry.kind == "policy.changed"
    assert registry.body()["node"] == "b:2"
