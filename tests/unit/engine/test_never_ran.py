"""A job that certainly never ran leaves its incident as that is by then."""

from collections.abc import Callable

import pytest

from app.core.errors import NotAccepted
from app.models.job import JobState
from tests.unit.engine.theatre import Direct, Theatre


def refuse_while(
    theatre: Theatre, patch: pytest.MonkeyPatch, happens: Callable[[], object]
) -> None:
    """Let a backend have no room, and something happen until it is asked."""

    async def pause(_ways: Direct, _seconds: float) -> None:
        """Let it happen between two tries."""
        happens()

    patch.setattr(Direct, "pause", pause)
    theatre.robot.failures = [NotAccepted("busy", may_retry=True)]


def test_an_alert_that_ends_between_two_tries_wakes_nobody(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent, and nothing is wrong any more."""
    refuse_while(theatre, monkeypatch, lambda: theatre.end("web-01"))
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    mission = theatre.go()
    assert (mission.stage, mission.end) == ("closed", "resolved")
    assert theatre.job().state == JobState.FAILED
    assert not theatre.robot.starts
    assert not theatre.log("incident.escalated")


def test_what_goes_on_is_for_people(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its backend would not, and it fires."""
    refuse_while(theatre, monkeypatch, lambda: None)
    theatre.robot.failures = [NotAccepted("it is no job of mine")]
    theatre.decide(theatre.fire("web-01"), "mend")
    assert theatre.go().end == "escalated"
