"""All that runs is told to end at once, however much it is."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from app.core.errors import StorageFailed
from app.engine.lookout import Lookout
from app.engine.missions import MissionChore
from app.engine.stopping import Stop
from app.guard.halting import Halting
from app.models.mission_tables import JobRow
from app.store.glance import Stamps
from app.store.halts import Switch
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location, locate
from app.store.reading import open_engine
from tests.programs import free_port
from tests.unit.engine.test_missions import Hall
from tests.unit.engine.theatre import Direct

T = TypeVar("T")
SLOTS, JOBS = 2, 9
STEPS = 2_000


@pytest.fixture
def hall(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Hall]:
    """Return a theatre with chores, in which everything may run."""
    ledger = Ledger(location, 2.0)
    made = Hall(inbox, ledger, tmp_path)
    made.stamps = Stamps(open_engine(location, 2.0))
    yield made
    made.stamps.close()
    ledger.close()


def let_run(hall: Hall, chore: MissionChore, jobs: int) -> None:
    """Let so many jobs run, and look at none of them again."""
    for number in range(jobs):
        host = f"web-{number}"
        hall.decide(hall.fire(host), "mend", host=host)
    while len(hall.robot.starts) < jobs:
        hall.round(chore)


def halt(hall: Hall) -> None:
    """Throw the switch."""
    stop = Stop(author="bo", reason="smoke")
    hall.turn(lambda c: hall.stopping.halt(c, stop))


async def step(hall: Hall, jobs: int) -> None:
    """Let what was begun go on until so many were told, and wait no more."""
    for _ in range(STEPS):
        if len(hall.robot.aborts) >= jobs:
            return
        await asyncio.sleep(0)


@pytest.mark.parametrize("way", ["switch", "file"])
def test_no_job_waits_for_the_end_of_another_one(hall: Hall, way: str) -> None:
    """There are two slots, and no backend answers: all are told."""
    chore = hall.chore(slots=SLOTS)
    let_run(hall, chore, JOBS)
    hall.robot.ending.clear()
    if way == "switch":
        halt(hall)
    else:
        hall.halting.file.touch()

    async def look() -> None:
        """Look once; nothing ends before all were told."""
        await chore._try_round()
        await step(hall, JOBS)
        assert len(set(hall.robot.aborts)) == JOBS
        assert {one.told[:6] for one in hall.rows(JobRow)} == {"halted"}
        assert {one.state for one in hall.rows(JobRow)} == {"started"}
        hall.robot.ending.set()
        await asyncio.gather(*chore._tasks.values())

    asyncio.run(look())
    assert {one.state for one in hall.rows(JobRow)} == {"aborted"}
    # Each of them once, and before it was done.
    assert len(hall.log("job.told")) == len(hall.robot.aborts) == JOBS
    kinds = [one for one in hall.kinds() if one in ("job.told", "job.ended")]
    assert kinds == ["job.told"] * JOBS + ["job.ended"] * JOBS


def test_who_has_just_let_it_go_keeps_nobody_waiting(hall: Hall) -> None:
    """Its row is free, and its task has not heard of that yet."""
    chore = hall.chore()
    let_run(hall, chore, 1)
    number = hall.mission().id
    halt(hall)

    async def look() -> None:
        """Look while the task that had it is still there."""
        last = asyncio.create_task(asyncio.Event().wait())
        vars(chore)["_tasks"][number] = last
        await chore._try_round()
        await step(hall, 1)
        assert hall.robot.aborts
        last.cancel()
        await asyncio.gather(*chore._tasks.values())
        assert not chore._tasks
        assert not chore._leases

    asyncio.run(look())


def test_what_was_called_off_is_told_after_all(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store refuses the turn; no lease is waited for after that."""
    chore = hall.chore()
    let_run(hall, chore, 1)
    hall.clock.advance(10)
    hall.robot.gate.clear()
    hall.robot.watched.clear()
    urge = Direct.urge
    refused: list[object] = []

    async def refuse(ways: Direct, work: Callable[[Connection], T]) -> T:
        """Refuse the first turn."""
        if not refused:
            refused.append(work)
            raise StorageFailed("the disk is slow")
        return await urge(ways, work)

    monkeypatch.setattr(Direct, "urge", refuse)

    async def look() -> None:
        """Halt while it is being looked at."""
        await chore._try_round()
        await hall.robot.watched.wait()
        halt(hall)
        await chore._try_round()
        assert refused
        assert not hall.robot.aborts
        await chore._try_round()
        await step(hall, 1)
        assert hall.robot.aborts
        await asyncio.gather(*chore._tasks.values())

    asyncio.run(look())


def test_whoever_looks_out_wakes_once(hall: Hall, location: Location) -> None:
    """For the file or the switch; and again when that changes."""
    switch = Switch(open_engine(location, 2.0))
    file = hall.halting.file
    for_file = Lookout(lambda: bool(hall.halting.look()), lambda: None)
    for_switch = Lookout(switch.is_on, lambda: None)

    def look() -> tuple[int, int]:
        """Look twice, and return how often somebody was to be woken."""
        return (
            sum(for_file.look() for _ in range(2)),
            sum(for_switch.look() for _ in range(2)),
        )

    assert look() == (0, 0)
    halt(hall)
    assert look() == (0, 1)
    # One that is made while the switch is on is news as well.
    file.touch()
    assert look() == (1, 0)
    stop = Stop(author="bo", reason="it is over")
    hall.turn(lambda c: hall.stopping.resume(c, stop))
    assert look() == (0, 1)
    switch.close()
    file.unlink()
    # It opens what it needs, whenever it needs it.
    assert look() == (1, 0)
    assert not for_file.is_on
    switch.close()


def test_a_switch_that_cannot_be_asked_says_so(tmp_path: Path) -> None:
    """And the file halts all the same."""
    url = f"postgresql://u@127.0.0.1:{free_port()}/x"
    switch = Switch(open_engine(locate(url, tmp_path), 2.0))
    with pytest.raises(StorageFailed, match="switch"):
        switch.is_on()
    file = tmp_path / "HALT"
    woken = threading.Event()
    assert not Lookout(switch.is_on, woken.set).look()
    lookout = Lookout(lambda: bool(Halting(file).look()), woken.set)
    assert not lookout.look()
    file.touch()

    async def run() -> None:
        """Run it until it has woken somebody."""
        running = asyncio.create_task(lookout.run())
        for _ in range(STEPS):
            if woken.is_set():
                break
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    assert woken.is_set()


def test_what_nobody_has_told_of_is_looked_up_at_once(hall: Hall) -> None:
    """The answer to its start was lost, and so was the first look-up."""
    chore = hall.chore()
    hall.robot.loses_answer = hall.robot.is_away = True
    let_run(hall, chore, 1)
    number = hall.mission().id
    (job,) = hall.rows(JobRow)
    assert (job.state, job.reference) == ("started", "")
    halt(hall)
    hall.clock.advance(0.5)
    hall.round(chore)
    assert hall.stage(number) == "acting", "it cannot be asked yet"
    hall.robot.is_away = False
    hall.clock.advance(0.25)
    hall.round(chore)
    assert hall.robot.aborts == [], "it is not asked without a rest"
    hall.clock.advance(0.25)
    hall.round(chore)
    hall.round(chore)
    assert len(hall.robot.aborts) == 1
    assert hall.stage(number) != "acting"
