"""Shadows: nobody waits for them, and they do not pile up without end."""

import asyncio
from functools import partial

import pytest
from structlog.testing import capture_logs

from app.core.errors import BrainFailed
from app.engine import shadowing
from app.engine.shadowing import Shadows
from app.store.decisions import count_agreement
from app.store.location import Location
from tests.brains import FakeBrain
from tests.fakes import FakeClock
from tests.unit.engine.hall import Hall
from tests.unit.engine.test_decider import has_decided, live


def test_too_many_are_left_out_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two are asked, three more wait, and of the rest the log tells."""
    monkeypatch.setattr(shadowing, "MOST_WAITING", 3)
    asked: list[int] = []

    async def story() -> None:
        """Begin eight of them."""
        gate = asyncio.Event()
        shadows = Shadows(2, FakeClock())

        async def ask() -> None:
            """Wait until the gate is open."""
            asked.append(1)
            await gate.wait()

        for _ in range(8):
            shadows.begin(ask)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(asked) == 2
        gate.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not shadows._tasks

    with capture_logs() as lines:
        asyncio.run(story())
    assert len(asked) == 5
    assert [line["event"] for line in lines] == ["decide.shadows_left_out"]


def test_one_that_fails_is_said_and_one_that_hangs_is_called_off() -> None:
    """Neither keeps the service from its end."""

    async def story() -> None:
        """Let one fail, and one hang."""
        shadows = Shadows(2, FakeClock())

        async def fail() -> None:
            """Have a bug."""
            raise KeyError("x")

        async def hang() -> None:
            """Wait for ever."""
            await asyncio.Event().wait()

        shadows.begin(fail)
        shadows.begin(hang)
        for _ in range(5):
            await asyncio.sleep(0)
        await shadows.stop()
        assert not shadows._tasks

    with capture_logs() as lines:
        asyncio.run(story())
    assert [line["event"] for line in lines] == ["decide.shadow_failed"]
    assert lines[0]["error"] == "KeyError('x')"


def test_nobody_waits_for_a_shadow(location: Location) -> None:
    """One that hangs keeps no other incident from being decided on."""
    brain, other = FakeBrain(), FakeBrain("no_action", name="other")
    other.gate.clear()

    async def story(hall: Hall) -> None:
        for number in range(3):
            hall.tell(f"web-{number}")
            await hall.until(partial(has_decided, hall, number + 1))
        await hall.until(lambda: other.cases)
        # Nor has it to be over for the next decision on the same one.
        await hall.note("decision.asked", hall.of("web-0")[0].incident_id)
        await hall.until(lambda: len(hall.of("web-0")) == 2)
        assert len(other.cases) == 1
        assert not hall.shadows
        other.gate.set()
        await hall.until(lambda: len(hall.shadows) == 4)
        rows = {row.id for row in hall.decisions}
        assert {shadow.beside for shadow in hall.shadows} == rows

    brains = {"fake": brain, "other": other}
    hall = Hall(location, brains, shadow="other", concurrency=1)
    live(hall, story)


@pytest.mark.parametrize("silent", ["fake", "other"])
def test_who_has_no_answer_agrees_with_nobody(
    location: Location, silent: str
) -> None:
    """It escalates, and so may the other one: these are not the same."""
    brains = {"fake": FakeBrain(), "other": FakeBrain(name="other")}
    brains[silent].failure = BrainFailed("no server")

    async def story(hall: Hall) -> None:
        hall.tell("web-01")
        await hall.until(lambda: hall.shadows)
        (row,), (shadow,) = hall.decisions, hall.shadows
        assert row.action == shadow.action == "escalate"
        assert shadow.agrees == 0
        counts = await hall.turn(lambda c: count_agreement(c, 0, ""))
        assert counts == []
        brains[silent].failure = None
        hall.tell("web-02")
        await hall.until(lambda: len(hall.shadows) == 2)
        counts = await hall.turn(lambda c: count_agreement(c, 0, ""))
        assert counts == [("other", "escalate", 1, 1)]

    live(Hall(location, brains, shadow="other"), story)
