"""A chore that crashes begins again; one that ends is over."""

import asyncio

import pytest

from app.engine import tending
from app.engine.tending import tend


class Frail:
    """Crashes a few times, and then runs until it is cancelled."""

    def __init__(self, crashes: int) -> None:
        self.begun = 0
        self.runs = asyncio.Event()
        self._crashes = crashes

    async def run(self) -> None:
        """Crash, or go on."""
        self.begun += 1
        if self.begun <= self._crashes:
            raise ValueError("a bug")
        self.runs.set()
        await asyncio.Event().wait()


class Brief:
    """Has nothing to do."""

    async def run(self) -> None:
        """End at once."""


def test_what_crashes_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as it takes; and it is cancelled like any other."""
    monkeypatch.setattr(tending, "AGAIN_SECONDS", 0.0)

    async def story() -> int:
        """Let it crash thrice."""
        chore = Frail(3)
        task = asyncio.create_task(tend(chore))
        async with asyncio.timeout(20):
            await chore.runs.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return chore.begun

    assert asyncio.run(story()) == 4


def test_what_has_nothing_to_do_is_over() -> None:
    """It is not begun again."""

    async def story() -> None:
        """Wait for its end."""
        async with asyncio.timeout(20):
            await tend(Brief())

    asyncio.run(story())
