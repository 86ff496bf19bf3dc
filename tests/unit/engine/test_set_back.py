"""A clock that is set back: what was decided is in the future for a while."""

from functools import partial

import pytest

from app.core.clock import SystemClock
from app.store.location import Location
from tests.brains import FakeBrain
from tests.unit.engine.hall import Hall
from tests.unit.engine.test_decider import has_decided, live

HOUR = 3_600_000_000


def set_back(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock of a node be an hour behind what it was."""
    right = SystemClock()
    monkeypatch.setattr(hall.clock, "now", lambda: right.now() - HOUR)


def test_calls_of_before_are_none_of_the_last_minute(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody would be asked until the clock is where it was."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        for number in (1, 2):
            hall.tell(f"web-0{number}")
            await hall.until(partial(has_decided, hall, number))
        set_back(hall, monkeypatch)
        hall.tell("web-03")
        await hall.until(partial(has_decided, hall, 3))
        assert [row.why for row in hall.decisions] == ["chosen"] * 3

    brains = {"fake": brain}
    hall = Hall(location, brains, calls_per_minute=2, patience_seconds=0)
    live(hall, story)
