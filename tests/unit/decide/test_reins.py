"""Reins are set by people, checked, and told in the log."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from app.core.errors import Refused
from app.decide.reins import (
    DecideSettings,
    Known,
    Reins,
    Wish,
    change_reins,
    read_reins,
)
from app.models.tables import EntryRow, table_of
from app.store.ledger import Ledger
from app.store.location import Location

SETTINGS = DecideSettings(brain="reflex", thresholds={"kill_process": 0.9})
KNOWN = Known({"reflex", "rules"}, {"kill_process", "restart_service"})


class Stable:
    """A database in which reins are set."""

    def __init__(self, location: Location) -> None:
        self._ledger = Ledger(location, 2.0)

    def close(self) -> None:
        """Give back the connection."""
        self._ledger.close()

    def change(self, version: int | None = None, **change: Any) -> Reins:
        """Set something as a person."""
        wish = Wish("ana", change, version, "why not")
        with self._ledger.turn() as turn:
            return change_reins(turn, SETTINGS, KNOWN, wish, 7)

    def read(self) -> Reins:
        """Return what is set."""
        with self._ledger.turn() as turn:
            return read_reins(turn, SETTINGS)

    def entries(self) -> list[Any]:
        """Return the lines of the log."""
        with self._ledger.turn() as turn:
            return list(turn.execute(select(table_of(EntryRow))))


@pytest.fixture
def stable(location: Location) -> Iterator[Stable]:
    """Return a database in which reins are set."""
    made = Stable(location)
    yield made
    made.close()


def test_the_settings_hold_until_somebody_sets_something(
    stable: Stable,
) -> None:
    """Version 0 is what the file says."""
    reins = stable.read()
    assert (reins.version, reins.brain, reins.changed_by) == (0, "reflex", "")
    assert reins.least("kill_process") == 0.9
    assert reins.least("restart_service") == reins.confidence


def test_what_is_set_lies_over_the_settings(stable: Stable) -> None:
    """Bit by bit, and None takes it back."""
    stable.change(brain="rules")
    stable.change(confidence=0.8)
    reins = stable.read()
    assert (reins.version, reins.brain, reins.confidence) == (2, "rules", 0.8)
    assert (reins.changed_by, reins.changed_at) == ("ana", 7)
    assert stable.change(brain=None).brain == "reflex"
    assert [entry.kind for entry in stable.entries()] == ["reins.changed"] * 3
    first = stable.entries()[0]
    assert "brain: reflex -> rules" in first.summary
    assert msgspec.json.decode(first.body)["comment"] == "why not"


def test_nothing_new_is_no_change(stable: Stable) -> None:
    """It neither raises the version nor writes a line."""
    assert stable.change(brain="reflex").version == 0
    assert stable.entries() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"brain": "nobody"}, "brain"),
        ({"brain": "../x"}, "brain"),
        ({"shadow": "nobody"}, "shadow"),
        ({"shadow": "reflex"}, "shadow"),
        ({"confidence": 1.5}, "confidence"),
        ({"thresholds": {"dance": 0.5}}, "thresholds"),
        ({"thresholds": {"kill_process": 7}}, "thresholds.kill_process"),
        ({"models": {"nobody": "x"}}, "models"),
        ({"models": {"rules": "two words"}}, "models.rules"),
        ({"calls_per_incident": 9}, "calls_per_incident"),
    ],
)
def test_what_makes_no_sense_is_refused(
    stable: Stable, change: dict[str, Any], field: str
) -> None:
    """With the field, and nothing is changed."""
    with pytest.raises(Refused) as caught:
        stable.change(**change)
    assert caught.value.status == 422
    assert caught.value.field == field
    assert stable.read().version == 0
    assert stable.entries() == []


def test_the_first_of_two_wins(stable: Stable) -> None:
    """Whoever saw an older version is told who was faster."""
    stable.change(0, brain="rules")
    with pytest.raises(Refused, match="ana") as caught:
        stable.change(0, brain="reflex")
    assert caught.value.status == 409


def test_the_digest_says_what_decisions_depend_on() -> None:
    """A shadow or the version changes nothing of it; a threshold does."""
    one = Reins(brain="rules")
    assert one.digest == Reins(brain="rules", version=3, shadow="x").digest
    assert one.digest != Reins(brain="rules", confidence=0.7).digest
    assert one.digest != Reins(brain="rules", thresholds={"a": 0.7}).digest
    assert one.digest != Reins(brain="rules", models={"a": "m"}).digest
