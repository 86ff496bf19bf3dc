"""Trials of incidents: some at once, each in its time."""

import asyncio

import pytest

from app.core.errors import Refused
from app.engine.desk import MOST_TRIALS
from app.store.location import Location
from tests.brains import FakeBrain
from tests.unit.engine.hall import PATIENCE, Hall
from tests.unit.engine.test_decider import live


def test_who_waits_for_the_trials_of_others_is_told_in_time(
    location: Location,
) -> None:
    """Nobody waits in turn for a model that hangs."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        hall.tell()
        await hall.until(lambda: hall.decisions)
        brain.cases.clear()
        number = hall.decisions[0].incident_id
        # So many others are under way, and none of them ends.
        for _ in range(MOST_TRIALS):
            await hall.desk._places.acquire()
        with pytest.raises(Refused, match=r"no answer within 0\.5 s"):
            async with asyncio.timeout(PATIENCE):
                await hall.desk.try_incident(number)
        assert not brain.cases

    live(Hall(location, {"fake": brain}, timeout_seconds=0.5), story)
