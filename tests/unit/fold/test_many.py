"""Many episodes in one incident: still right, and read in part."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.fold import adding
from app.store import incidents as store
from app.store.location import Location
from tests.unit.fold.test_folding import FIVE, RESOLVED, symptom
from tests.unit.fold.turns import Bench


@pytest.fixture
def bench(location: Location) -> Iterator[Bench]:
    """Return folding on an empty database of each kind."""
    made = Bench(location)
    yield made
    made.ledger.close()


@pytest.mark.parametrize("is_unheard", [True, False])
def test_many_episodes_of_which_one_went_stale(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, is_unheard: bool
) -> None:
    """They say so like few, although they are not counted anew."""
    monkeypatch.setattr(adding, "MANY", 3)
    bench.told(*(symptom(name) for name in FIVE))
    bench.clock.advance(60)
    over: dict[str, Any] = {"status": RESOLVED, "ends": 30.0}
    bench.told(*(symptom(name, **over) for name in FIVE[:4]))
    if is_unheard:
        for _ in range(400):
            bench.clock.advance(240)
            bench.turn()
    else:
        bench.told(symptom(FIVE[4], **over))
    incident = bench.incident()
    assert incident.state == "resolved"
    assert incident.episodes == 5
    assert ("nobody said it was over" in incident.reason) is is_unheard


def test_a_storm_on_one_target_is_read_in_part(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound only the newest are grouped; all are in it."""
    monkeypatch.setattr(store, "MOST_AT_ONCE", 20)
    monkeypatch.setattr(store, "MOST_MEMBERS", 10)
    read: list[int] = []
    whole = store.find_episodes

    def watched(*args: Any) -> Any:
        """Note how much is read."""
        found = whole(*args)
        read.append(len(found))
        return found

    monkeypatch.setattr(store, "find_episodes", watched)
    for part in range(8):
        some = (f"Symptom{part}-{number}" for number in range(10))
        bench.say(*(symptom(name, starts=part * 10.0) for name in some))
        bench.turn()
    assert max(read) < 20
    incident = bench.incident()
    assert (incident.episodes, incident.firing) == (80, 80)
