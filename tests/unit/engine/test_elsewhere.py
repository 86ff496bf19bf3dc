"""A job that runs on one machine only is followed by that machine's node."""

import asyncio

from app.engine.elsewhere import LET_BE_SECONDS
from app.engine.missions import MissionChore
from app.engine.sending import LAST_WORD
from app.engine.stopping import Stop
from app.engine.sweeping import SWEEP_SECONDS
from app.models.mission import SECOND
from app.models.mission_tables import JobRow
from tests.unit.engine.test_missions import Hall, begin_job, hall

__all__ = ["hall"]
POLL = 2.5


def visit(hall: Hall) -> MissionChore:
    """Return a node that has taken a mission whose job runs elsewhere."""
    begin_job(hall, hall.chore("its own"))
    hall.clock.advance(POLL)
    hall.robot.is_elsewhere = True
    chore = hall.chore("another")
    hall.round(chore)
    return chore


def test_it_is_given_back_at_once(hall: Hall) -> None:
    """It is due as it was, and nobody has it."""
    visit(hall)
    mission = hall.mission()
    assert (mission.stage, mission.holder) == ("acting", "")
    assert mission.lease_until == 0
    assert mission.due_at is not None
    assert mission.due_at <= hall.clock.now()
    taken = mission.fence
    own = hall.chore("its own")
    hall.robot.is_elsewhere = False
    hall.robot.end_all()
    hall.round(own)
    assert hall.mission().fence == taken + 1
    assert hall.stage(mission.id) == "verifying"


def test_it_is_let_be_for_a_while(hall: Hall) -> None:
    """Else the one that has it never gets in between."""
    chore = visit(hall)
    taken = hall.mission().fence
    hall.round(chore)
    hall.clock.advance(POLL)
    hall.round(chore)
    assert hall.mission().fence == taken
    hall.clock.advance(LET_BE_SECONDS)
    hall.round(chore)
    assert hall.mission().fence == taken + 1


def test_it_is_let_be_no_longer_than_that(hall: Hall) -> None:
    """Nobody writes meanwhile, and no sweep comes in time."""
    chore = hall.chore("another")
    hall.round(chore)
    hall.clock.advance(SWEEP_SECONDS / 3)
    begin_job(hall, hall.chore("its own"))
    hall.clock.advance(POLL)
    hall.robot.is_elsewhere = True
    hall.round(chore)
    taken = hall.mission().fence
    hall.clock.advance(LET_BE_SECONDS - 1)
    hall.round(chore)
    assert hall.mission().fence == taken
    hall.clock.advance(1)
    hall.round(chore)
    assert hall.mission().fence == taken + 1


def test_what_nobody_follows_is_unknown(hall: Hall) -> None:
    """Its node is gone for good: people get it, and it is no success."""
    chore = visit(hall)
    number = hall.mission().id
    (job,) = hall.rows(JobRow)
    hall.clock.advance((job.until - hall.clock.now()) / SECOND)
    hall.round(chore)
    assert hall.stage(number) == "acting", "its node may tell of its end"
    hall.clock.advance(LAST_WORD / SECOND + LET_BE_SECONDS)
    hall.round(chore)
    (job,) = hall.rows(JobRow)
    assert (job.state, hall.stage(number)) == ("unknown", "escalated")
    assert "never started here" in job.reason


def test_a_halt_reaches_it_through_its_own_node(hall: Hall) -> None:
    """Whoever is first writes down that it is told; its node tells it."""
    number = begin_job(hall, hall.chore("its own"))
    stop = Stop(author="bo", reason="smoke")
    hall.turn(lambda c: hall.stopping.halt(c, stop))
    hall.robot.is_elsewhere = True
    hall.round(hall.chore("another"))
    assert hall.robot.aborts == []
    assert hall.mission().holder == ""
    assert "it runs on another machine" in hall.log("job.not_told")[0].summary
    hall.robot.is_elsewhere = False
    own = hall.chore("its own")

    async def look() -> None:
        """Look at once, as whoever looks out for a halt has it."""
        await own._try_stop()
        await asyncio.gather(*own._tasks.values())

    asyncio.run(look())
    assert len(hall.robot.aborts) == 1
    assert hall.stage(number) != "acting"
    kinds = [one for one in hall.kinds() if "told" in one]
    assert kinds == ["job.told", "job.not_told", "job.told"]


def test_a_halt_leaves_alone_what_is_known_to_be_elsewhere(
    hall: Hall,
) -> None:
    """Nobody takes it from the node that can end it."""
    chore = visit(hall)
    taken = hall.mission().fence
    stop = Stop(author="bo", reason="smoke")
    hall.turn(lambda c: hall.stopping.halt(c, stop))
    hall.round(chore)
    assert hall.mission().fence == taken
    (job,) = hall.rows(JobRow)
    assert job.told == ""
