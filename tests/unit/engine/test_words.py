"""What a job is told reaches it, however often and whenever it is told."""

import asyncio

import pytest

from app.engine.missions import MissionChore
from app.engine.stopping import Stop
from app.models.job import Progress
from app.models.mission_tables import JobRow
from tests.unit.engine.test_missions import Hall, begin_job, hall

__all__ = ["hall"]
PATIENCE, STEPS = 60.0, 60_000


def switch(hall: Hall, reason: str, *, is_halted: bool) -> None:
    """Set the kill switch."""
    does = hall.stopping.halt if is_halted else hall.stopping.resume
    stop = Stop(author="bo", reason=reason)
    hall.turn(lambda c: does(c, stop))


def call_off(hall: Hall) -> None:
    """Ask that the job ends."""
    stop = Stop(author="bo", reason="wrong host")
    number = hall.rows(JobRow)[-1].id
    hall.turn(lambda c: hall.stopping.abort(c, number, stop))


def test_a_second_halt_tells_what_went_on(hall: Hall) -> None:
    """It outlived the first one; it need not be polled to hear of the next."""
    chore = hall.chore()
    begin_job(hall, chore)
    hall.robot.is_stubborn = True
    switch(hall, "smoke", is_halted=True)
    hall.round(chore)
    assert len(hall.robot.aborts) == 1
    switch(hall, "all is well", is_halted=False)
    hall.round(chore)
    assert hall.rows(JobRow)[-1].told == ""
    switch(hall, "smoke", is_halted=True)
    hall.round(chore)
    assert len(hall.robot.aborts) == 2
    assert len(hall.log("job.told")) == 2


def test_a_file_that_is_gone_is_forgotten(hall: Hall) -> None:
    """What outlived it is told by the next one, and by the switch."""
    chore = hall.chore()
    begin_job(hall, chore)
    hall.robot.is_stubborn = True
    for count in (1, 2):
        hall.halting.file.write_text("smoke", encoding="utf-8")
        hall.round(chore)
        assert len(hall.robot.aborts) == count
        hall.halting.file.unlink()
        hall.round(chore)
        assert hall.rows(JobRow)[-1].told == ""
    switch(hall, "smoke", is_halted=True)
    hall.round(chore)
    assert len(hall.robot.aborts) == 3


def test_a_file_that_went_while_nobody_was_here_is_forgotten(
    hall: Hall,
) -> None:
    """The service was restarted: the next halt is another word."""
    chore = hall.chore()
    begin_job(hall, chore)
    hall.robot.is_stubborn = True
    hall.halting.file.write_text("smoke", encoding="utf-8")
    hall.round(chore)
    assert len(hall.robot.aborts) == 1
    hall.halting.file.unlink()
    chore = hall.chore("another")
    hall.round(chore)
    switch(hall, "smoke", is_halted=True)
    hall.round(chore)
    assert len(hall.robot.aborts) == 2


def test_what_a_person_said_outlives_a_halt(hall: Hall) -> None:
    """Who lets things go on takes back the halt alone."""
    chore = hall.chore()
    begin_job(hall, chore)
    hall.robot.is_stubborn = True
    call_off(hall)
    hall.round(chore)
    told = hall.rows(JobRow)[-1].told
    assert told == "bo: wrong host"
    for is_halted in (True, False):
        switch(hall, "smoke", is_halted=is_halted)
    assert hall.rows(JobRow)[-1].told == told


@pytest.mark.parametrize("knows_keys", [True, False])
def test_a_person_ends_what_has_not_answered(
    hall: Hall, *, knows_keys: bool
) -> None:
    """As all that is halted: it is looked up, or told by its key."""
    chore = hall.chore()
    hall.robot.knows_keys = knows_keys
    hall.robot.ends_by_key = not knows_keys
    hall.propose(hall.fire("web-01"), "mend", "web-01")
    hall.round(chore)
    hall.grant()
    hall.robot.answering.clear()

    async def play() -> None:
        """Ask that it ends while its backend says nothing."""
        async with asyncio.timeout(PATIENCE):
            await chore._try_round()
            await hall.robot.started.wait()
            call_off(hall)
            while not hall.robot.aborted.is_set():
                await chore._try_round()
                await asyncio.sleep(0.01)
            hall.robot.answering.set()
            await asyncio.gather(*chore._tasks.values())

    asyncio.run(play())
    assert set(hall.robot.aborts) == set(hall.robot.starts)


def call_off_while_asked(
    hall: Hall, chore: MissionChore, *, loses_look: bool = False
) -> None:
    """Ask that a job ends while its backend is asked how it goes on."""
    begin_job(hall, chore)
    hall.robot.is_stubborn = True
    hall.robot.gate.clear()
    hall.clock.advance(3.0)

    async def play() -> None:
        """Let the answer come, or none, once it was asked for."""
        async with asyncio.timeout(PATIENCE):
            await chore._try_round()
            await hall.robot.watched.wait()
            call_off(hall)
            hall.robot.loses_look = loses_look
            hall.robot.gate.set()
            await asyncio.gather(*chore._tasks.values())

    asyncio.run(play())


def test_what_is_said_while_it_is_asked_waits_for_no_poll(hall: Hall) -> None:
    """The answer of a poll puts off the next one, and the word not."""
    chore = hall.chore()
    call_off_while_asked(hall, chore)
    # Once it is told, and goes on, it is asked as often as ever.
    for _ in range(3):
        hall.round(chore)
        assert len(hall.robot.aborts) == 1


def test_what_nobody_can_name_is_asked_for_as_often_as_ever(
    hall: Hall,
) -> None:
    """It cannot be told to end yet; to ask without a pause helps nobody."""
    chore = hall.chore()
    hall.robot.nameless = True
    hall.propose(hall.fire("web-01"), "mend", "web-01")
    hall.round(chore)
    hall.grant()
    hall.round(chore)
    (key,) = hall.robot.running
    hall.robot.running[key] = Progress()
    call_off(hall)
    before = hall.robot.tries
    for _ in range(3):
        hall.round(chore)
    assert hall.robot.tries == before + 1
    hall.robot.running[key] = Progress(reference=key)
    for _ in range(2):
        hall.clock.advance(2.5)
        hall.round(chore)
    assert hall.robot.aborts == [key]


def test_a_poll_that_fails_puts_off_no_word(hall: Hall) -> None:
    """It is said before anybody is asked again."""
    chore = hall.chore()
    call_off_while_asked(hall, chore, loses_look=True)
    assert len(hall.robot.aborts) == 1
