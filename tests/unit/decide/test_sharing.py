"""Identical cases share one answer; others never do."""

import asyncio

import msgspec
import pytest

from app.decide.deciding import Decided
from app.decide.reins import Reins
from app.decide.sharing import Key, Sharing
from app.models.record import digest_of
from tests.brains import FakeBrain, make_case, make_decider
from tests.fakes import FakeClock

KEY: Key = ("fake", "case", "menu", "reins")


class Asker:
    """Counts how often it is asked."""

    def __init__(self, brain: FakeBrain) -> None:
        self.brain = brain
        self.decider = make_decider({"fake": brain})
        self.count = 0

    async def __call__(self) -> Decided:
        """Return what the brain says."""
        self.count += 1
        return await self.decider.decide(make_case(), Reins(brain="fake"))


def test_those_who_wait_share_one_call() -> None:
    """Ten at once are one call, and so is one a little later."""

    async def run() -> None:
        clock, asker = FakeClock(), Asker(FakeBrain())
        sharing = Sharing(clock, 60)
        asker.brain.gate.clear()
        tasks = [asyncio.create_task(sharing.ask(KEY, asker)) for _ in "x" * 9]
        await asyncio.sleep(0)
        asker.brain.gate.set()
        answers = await asyncio.gather(*tasks)
        assert [one.is_shared for one in answers].count(False) == 1
        assert (await sharing.ask(KEY, asker)).is_shared
        assert asker.count == 1
        clock.advance(61)
        assert not (await sharing.ask(KEY, asker)).is_shared
        assert asker.count == 2

    asyncio.run(run())


def test_another_case_is_another_call() -> None:
    """Whatever part of the key differs."""

    async def run() -> None:
        asker = Asker(FakeBrain())
        sharing = Sharing(FakeClock(), 60)
        await sharing.ask(KEY, asker)
        for place in range(len(KEY)):
            key = (*KEY[:place], "another", *KEY[place + 1 :])
            assert not (await sharing.ask(key, asker)).is_shared
        assert asker.count == 1 + len(KEY)

    asyncio.run(run())


def test_a_failure_is_not_remembered() -> None:
    """Whoever comes later asks again."""

    async def run() -> None:
        asker = Asker(FakeBrain("nothing_of_the_menu"))
        sharing = Sharing(FakeClock(), 60)
        first = await sharing.ask(KEY, asker)
        assert first.decided.decision.why == "unavailable"
        await sharing.ask(KEY, asker)
        assert asker.count == 2

    asyncio.run(run())


def test_whoever_is_called_off_takes_nobody_along() -> None:
    """The next one asks for itself."""

    async def run() -> None:
        asker = Asker(FakeBrain())
        sharing = Sharing(FakeClock(), 60)
        asker.brain.gate.clear()
        first = asyncio.create_task(sharing.ask(KEY, asker))
        await asyncio.sleep(0)
        second = asyncio.create_task(sharing.ask(KEY, asker))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        asker.brain.gate.set()
        assert not (await second).is_shared
        assert asker.count == 2

    asyncio.run(run())


def test_the_digest_of_a_menu_tells_candidates_apart() -> None:
    """Another path on the menu is another menu."""
    decider = make_decider({})
    case = make_case()
    labels = {**case.labels, "mountpoint": "/srv"}
    other = msgspec.structs.replace(case, labels=labels)
    same = msgspec.structs.replace(case, incident=7)
    digest = digest_of(decider.menu(case))
    assert digest == digest_of(decider.menu(same))
    assert digest != digest_of(decider.menu(other))
