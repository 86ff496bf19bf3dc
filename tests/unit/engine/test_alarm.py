"""Whoever stops everything waits for no round, and for no line."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec
import pytest
from sqlalchemy import Connection

from app.engine.missions import MissionChore
from app.engine.stopping import Stop
from tests.unit.engine.test_missions import Hall, begin_job, hall
from tests.unit.engine.theatre import Direct

__all__ = ["hall"]
T = TypeVar("T")
PATIENCE, STEPS = 60.0, 60_000


class Queued(Direct):
    """Ways of which all but what is urgent waits for ever, once it is so."""

    def __init__(self, of: Hall) -> None:
        """Begin with nobody in the line."""
        super().__init__(of)
        self.is_full = False
        self.waits = asyncio.Event()

    async def turn(self, work: Callable[[Connection], T]) -> T:
        """Do some work in a turn, or wait."""
        if self.is_full:
            self.waits.set()
            await asyncio.Event().wait()
        return await super().turn(work)


def lend(hall: Hall) -> tuple[MissionChore, Queued]:
    """Return a chore, and its ways."""
    chore, ways = hall.chore(), Queued(hall)
    parts = msgspec.structs.replace(chore._parts, ways=ways)
    vars(chore)["_parts"] = parts
    vars(hall.advancer._sending)["_ways"] = ways
    return chore, ways


def throw(hall: Hall, chore: MissionChore) -> None:
    """Halt everything, as the API does."""
    stop = Stop(author="bo", reason="smoke")
    hall.turn(lambda c: hall.stopping.halt(c, stop))
    chore.stop_all()


async def play(
    chore: MissionChore, ways: Queued, *steps: Callable[[], object]
) -> None:
    """Let a chore run while steps follow each other."""
    running = asyncio.create_task(chore.run())
    try:
        async with asyncio.timeout(PATIENCE):
            for step in steps:
                found = step()
                if asyncio.iscoroutine(found):
                    await found
    finally:
        ways.is_full = False
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_a_halt_does_not_wait_for_a_round(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that waits for its turn in the store holds up nothing."""
    chore, ways = lend(hall)
    begin_job(hall, chore)
    hall.decide(hall.fire("web-02"), "mend", host="web-02")
    ways.is_full = True
    monkeypatch.setattr("app.engine.leases.GRACE_SECONDS", 0.1)
    asyncio.run(
        play(
            chore,
            ways,
            ways.waits.wait,
            lambda: throw(hall, chore),
            hall.robot.aborted.wait,
        )
    )
    assert len(hall.robot.aborts) == 1


def test_what_is_being_sent_is_ended_when_it_is_known(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its backend answers after the halt; that waits for no line either."""
    chore, ways = lend(hall)
    hall.robot.knows_keys = False
    hall.propose(hall.fire("web-01"), "mend", "web-01")
    hall.round(chore)
    hall.grant()
    hall.robot.answering.clear()
    monkeypatch.setattr("app.engine.leases.GRACE_SECONDS", 0.1)

    async def halted() -> None:
        """Wait until the chore knows of it."""
        for _ in range(STEPS):
            if all(one.hurried.is_set() for one in chore._leases.values()):
                return
            await asyncio.sleep(0.001)

    def answer() -> None:
        """Let the backend answer, while a line has formed."""
        assert not hall.robot.aborts
        ways.is_full = True
        hall.robot.answering.set()

    asyncio.run(
        play(
            chore,
            ways,
            hall.robot.started.wait,
            lambda: throw(hall, chore),
            halted,
            answer,
            hall.robot.aborted.wait,
        )
    )
    assert hall.robot.aborts == list(hall.robot.starts)


@pytest.mark.parametrize("knows_keys", [True, False])
def test_what_never_answers_is_found_and_ended(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, *, knows_keys: bool
) -> None:
    """A backend may say that it has started something when that is over.

    Where it cannot be looked up, it is told to end by its key alone.
    """
    chore, ways = lend(hall)
    hall.robot.knows_keys = knows_keys
    hall.robot.ends_by_key = not knows_keys
    hall.propose(hall.fire("web-01"), "mend", "web-01")
    hall.round(chore)
    hall.grant()
    hall.robot.answering.clear()
    monkeypatch.setattr("app.engine.leases.GRACE_SECONDS", 0.1)
    asyncio.run(
        play(
            chore,
            ways,
            hall.robot.started.wait,
            lambda: throw(hall, chore),
            hall.robot.aborted.wait,
        )
    )
    assert hall.robot.aborts == list(hall.robot.starts)
    # What has not answered yet is written down when it has.
    told = [one.summary.endswith("smoke") for one in hall.log("job.told")]
    assert told == [True] * knows_keys
