"""Whoever adds, changes or ends a mute leaves what it was in the log."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app.fold.muting import Event, plan_calendar, take_calendar
from app.models.matcher import read_matchers
from app.models.mute import MuteKind, Wish
from app.models.timetable import Timetable
from app.store.location import Location
from tests.unit.fold.stage import HOUR, Stage
from tests.unit.fold.turns import START


@pytest.fixture
def stage(location: Location) -> Iterator[Stage]:
    """Return folding on a database without mutes."""
    made = Stage(location)
    yield made
    made.ledger.close()


def take(stage: Stage, **more: Any) -> None:
    """Import a calendar with one event."""
    wish = Wish(
        kind=MuteKind.MAINTENANCE,
        matchers=read_matchers(more.get("matchers", 'target="web-01"')),
        times=Timetable(
            starts_at=START + HOUR,
            ends_at=START + more.get("hours", 2) * HOUR,
        ),
        author="ana",
        comment=more.get("comment", "kernel updates"),
        uid="u1",
    )
    wanted = None if more.get("is_cancelled") else wish
    event = Event(uid="u1", instance=0, name="kernel updates", wish=wanted)
    now = stage.clock.now()
    planned = plan_calendar([event], now)
    with stage.ledger.turn() as connection:
        take_calendar(connection, planned, ("person:ana", now))


def bodies(stage: Stage, kind: str) -> list[Any]:
    """Return the details of the lines of one kind."""
    return [msgspec.json.decode(one.body) for one in stage.entries(kind)]


def test_a_changed_mute_shows_before_and_after(stage: Stage) -> None:
    """Only what differs: its end, its conditions, its comment."""
    take(stage)
    take(stage, hours=3)
    take(stage, hours=3, matchers='target="web-02"', comment="moved")
    first, second = bodies(stage, "mute.changed")
    assert first["before"] == {"ends_at": START + 2 * HOUR}
    assert first["after"] == {"ends_at": START + 3 * HOUR}
    assert second["before"] == {
        "matchers": '{target="web-01"}',
        "comment": "kernel updates",
    }
    assert second["after"] == {
        "matchers": '{target="web-02"}',
        "comment": "moved",
    }
    assert second["matchers"] == '{target="web-02"}'


def test_a_new_mute_shows_all_that_it_says(stage: Stage) -> None:
    """Before it there was nothing; what a calendar adds is the same."""
    take(stage)
    stage.mute('target="web-09"', 10, 60, comment="new disks")
    of_calendar, of_ana = bodies(stage, "mute.added")
    assert of_calendar["before"] == of_ana["before"] == {}
    assert of_ana["after"] == {
        "kind": "maintenance",
        "matchers": '{target="web-09"}',
        "starts_at": START + HOUR // 6,
        "ends_at": START + HOUR,
        "rule": "",
        "zone": "UTC",
        "except_at": [],
        "also_at": [],
        "comment": "new disks",
        "ended_at": None,
    }
    assert of_calendar["after"]["comment"] == "kernel updates"


def test_an_ended_mute_shows_its_end_and_the_reason(stage: Stage) -> None:
    """Whether a person ends it or the calendar that no longer has it."""
    stage.end(stage.mute('target="web-01"', 10, 60))
    take(stage)
    take(stage, is_cancelled=True)
    of_ben, of_calendar = bodies(stage, "mute.ended")
    for ended in (of_ben, of_calendar):
        assert ended["before"] == {"ended_at": None}
        assert ended["after"] == {"ended_at": START}
    assert of_ben["reason"] == "it went well"
    assert of_calendar["reason"] == "cancelled in the calendar"


def test_added_and_ended_mutes_show_their_conditions(stage: Stage) -> None:
    """With who did it, and why it was ended."""
    mute = stage.mute('target="web-01"', 10, 60)
    stage.end(mute)
    (added,) = bodies(stage, "mute.added")
    (ended,) = bodies(stage, "mute.ended")
    assert added["matchers"] == ended["matchers"] == '{target="web-01"}'
    assert "it went well" in stage.entries("mute.ended")[0].summary
    assert stage.entries("mute.ended")[0].actor == "person:ben"
