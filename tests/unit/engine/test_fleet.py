"""What was sent is ended though nobody can write that down."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from app.engine import fleet as module
from app.engine.fleet import MOST, Fleet
from app.models.job import HALTED, Order, Progress
from tests.unit.engine.robot import Robot
from tests.unit.engine.theatre import Theatre

PATIENCE, STEPS = 30.0, 30_000


@pytest.fixture
def robot(monkeypatch: pytest.MonkeyPatch) -> Robot:
    """Return a backend; nobody is given a moment."""
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    return Robot()


def make_order(number: int, reference: str = "") -> Order:
    """Return what a backend is told of a job."""
    return Order(
        key=f"key-{number}",
        name="mend",
        action="mend",
        arguments={},
        target="host:web-1",
        incident=1,
        decision=number,
        reference=reference,
    )


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, and whoever waits for it not for ever."""
    for _ in range(STEPS):
        if is_so():
            return
        await asyncio.sleep(0.001)


class Rig:
    """A fleet with one backend, and the file of a kill switch."""

    def __init__(self, theatre: Theatre, robot: Robot) -> None:
        self.robot = robot
        self.clock = theatre.clock
        self.fleet = Fleet({"robot": robot}, theatre.clock)

    def play(self, *steps: Callable[[], object]) -> None:
        """Let it run while steps follow each other."""

        async def run() -> None:
            """Wait for each step, but not for ever."""
            running = asyncio.create_task(self.fleet.run())
            try:
                async with asyncio.timeout(PATIENCE):
                    for step in steps:
                        found = step()
                        if asyncio.iscoroutine(found):
                            await found
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

        asyncio.run(run())

    def start(self, number: int, *, is_answered: bool = True) -> None:
        """Let a job run that the fleet knows of."""
        order = make_order(number)
        asyncio.run(self.robot.start(order))
        known = make_order(number, order.key if is_answered else "")
        self.fleet.note(number, self.robot, known)

    def halt(self) -> None:
        """Let the file be there, and somebody see it."""
        self.fleet.hear(is_halted=True)

    async def told(self, count: int = 1) -> None:
        """Wait until so many were told to end."""
        await until(lambda: len(self.robot.aborts) >= count)


@pytest.fixture
def rig(theatre: Theatre, robot: Robot) -> Rig:
    """Return a fleet."""
    return Rig(theatre, robot)


def test_what_runs_is_told_by_the_file(rig: Rig) -> None:
    """Once each; what has ended meanwhile is left alone."""
    for number in (1, 2, 3):
        rig.start(number)
    rig.fleet.forget(2)
    rig.play(rig.halt, lambda: rig.told(2))
    assert rig.robot.aborts == ["key-1", "key-3"]


def test_what_was_told_is_not_told_again(rig: Rig) -> None:
    """Whoever writes it down was quicker."""
    rig.start(1)
    rig.start(2)
    rig.fleet.told(1)
    rig.fleet.note(1, rig.robot, make_order(1, "key-1"))
    rig.play(rig.halt, rig.told)
    assert rig.robot.aborts == ["key-2"]


@pytest.mark.parametrize("knows_keys", [True, False])
def test_what_has_not_answered_is_told_by_its_key(
    rig: Rig, *, knows_keys: bool
) -> None:
    """It is looked up; or its backend takes the key itself."""
    rig.robot.knows_keys = knows_keys
    rig.robot.ends_by_key = not knows_keys
    rig.start(1, is_answered=False)
    rig.play(rig.halt, rig.told)
    assert rig.robot.aborts == ["key-1"]


def test_what_comes_later_is_told_as_well(rig: Rig) -> None:
    """It was being sent while the file was made."""

    async def come() -> None:
        """Let a job be sent once the fleet knows of the halt."""
        await until(lambda: rig.fleet._is_halted)
        order = make_order(1, "key-1")
        await rig.robot.start(order)
        rig.fleet.note(1, rig.robot, order)

    rig.play(rig.halt, come, rig.told)
    assert rig.robot.aborts == ["key-1"]


def test_a_word_that_was_lost_is_said_again(rig: Rig) -> None:
    """It stands in the log, though no file is there: once more will do."""
    rig.start(1)
    rig.start(2)

    def lose() -> None:
        """Say it to both; one does not hear it."""
        for number in (1, 2):
            rig.fleet.told(number)
        rig.fleet.told(2, missed="bo: wrong host")

    async def rest() -> None:
        """Let it look once more."""
        rig.fleet._bell.ring()
        await until(lambda: not rig.fleet._telling)

    rig.play(lose, rig.told, rest)
    assert rig.robot.aborts == ["key-2"]


@pytest.mark.parametrize("way", ["file", "switch"])
def test_the_lost_word_of_a_halt_ends_with_it(rig: Rig, way: str) -> None:
    """What goes on again may; whoever halts once more is heard again."""

    def halt(*, is_halted: bool) -> None:
        """Let it be halted, or not any more."""
        does = rig.fleet.hear if way == "file" else rig.fleet.heed
        does(is_halted=is_halted)

    rig.start(1)
    rig.start(2)
    halt(is_halted=True)
    halt(is_halted=False)
    # Its backend failed only after that.
    rig.fleet.told(1, missed=f"{HALTED} by bo: smoke")
    rig.fleet.told(2, missed="bo: wrong host")
    rig.play(rig.told, lambda: halt(is_halted=True), lambda: rig.told(2))
    assert rig.robot.aborts == ["key-2", "key-1"]


def test_a_backend_that_fails_is_asked_again(rig: Rig) -> None:
    """One that is away now may be there in a second."""
    rig.start(1, is_answered=False)
    rig.robot.is_away = True

    async def come_back() -> None:
        """Let it fail once, and answer then."""
        await until(lambda: rig.robot.tries > 0)
        assert not rig.robot.aborts
        rig.robot.is_away = False

    rig.play(rig.halt, come_back, rig.told)
    assert rig.robot.aborts == ["key-1"]


def test_without_the_file_nothing_is_told(rig: Rig) -> None:
    """It was taken away again within a moment."""
    rig.start(1)
    rig.halt()
    rig.fleet.hear(is_halted=False)
    assert asyncio.run(rig.fleet._round()) == module.FOREVER
    assert not rig.robot.aborts


def test_what_goes_on_is_told_by_the_next_file(rig: Rig) -> None:
    """It did not end the first time, and was let go on."""
    rig.start(1)
    rig.robot.is_stubborn = True
    rig.play(
        rig.halt,
        rig.told,
        lambda: rig.fleet.hear(is_halted=False),
        rig.halt,
        lambda: rig.told(2),
    )
    assert rig.robot.aborts == ["key-1", "key-1"]


def test_what_may_arrive_after_the_word_is_told_again(rig: Rig) -> None:
    """Its order is on its way: nobody there knows its key yet."""
    rig.robot.knows_keys = False
    rig.robot.ends_by_key = True
    order = make_order(1)
    rig.fleet.note(1, rig.robot, order)
    rig.robot.running["key-1"] = Progress()

    async def arrive() -> None:
        """Let it arrive, and its backend answer."""
        told = len(rig.robot.aborts)
        answer = await rig.robot.start(order)
        known = replace(order, reference=answer.reference)
        rig.fleet.note(1, rig.robot, known)
        await rig.told(told + 1)
        await until(lambda: not rig.fleet._telling)
        assert not rig.fleet._find_untold()

    rig.play(rig.halt, lambda: rig.told(2), arrive)


def test_what_is_not_there_yet_is_not_forgotten(rig: Rig) -> None:
    """A backend that knows its jobs by files may not have one yet."""
    rig.fleet.note(1, rig.robot, make_order(1))
    rig.robot.is_elsewhere = True
    rig.robot.ends_by_key = True

    async def come() -> None:
        """Let it be there after it was looked for."""
        await until(lambda: rig.robot.tries > 1)
        rig.robot.is_elsewhere = False
        await rig.robot.start(make_order(1))

    rig.play(rig.halt, come, rig.told)


def test_what_is_elsewhere_is_forgotten(rig: Rig) -> None:
    """Its own node ends it."""
    rig.start(1)
    rig.robot.is_elsewhere = True
    rig.play(rig.halt, lambda: until(lambda: not rig.fleet._sent))
    assert not rig.fleet._sent
    assert not rig.robot.aborts


def test_what_nobody_follows_any_more_is_forgotten(rig: Rig) -> None:
    """Another node took it over long ago."""
    rig.start(1)
    rig.start(2)
    rig.clock.advance(make_order(1).seconds + module.STALE_SECONDS + 1)
    rig.fleet.note(2, rig.robot, make_order(2, "key-2"))
    rig.play(rig.halt, rig.told)
    assert rig.robot.aborts == ["key-2"]


def test_one_that_hangs_keeps_nobody_waiting(rig: Rig) -> None:
    """What comes while a backend takes for ever is told all the same."""
    rig.start(1)
    rig.robot.ending.clear()

    async def come() -> None:
        """Let another one be sent."""
        await rig.told(1)
        order = make_order(2, "key-2")
        await rig.robot.start(order)
        rig.fleet.note(2, rig.robot, order)

    rig.play(rig.halt, come, lambda: rig.told(2))
    assert rig.robot.aborts == ["key-1", "key-2"]


def test_what_is_remembered_is_bounded(rig: Rig) -> None:
    """The newest are kept."""
    for number in range(MOST + 5):
        rig.fleet.note(number, rig.robot, make_order(number))
    assert len(rig.fleet._sent) == MOST
    assert 4 not in rig.fleet._sent
