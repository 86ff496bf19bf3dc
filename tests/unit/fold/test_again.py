"""What was told as over fires again, told as it was told at first."""

from typing import Any

import pytest

from app.models.alert import Status
from app.models.tables import AlertRow, EpisodeRow
from app.store import again
from app.store.again import LATE
from tests.unit.fold.conftest import inbox, location
from tests.unit.fold.room import SECOND, Room
from tests.unit.fold.test_split_merge import room

__all__ = ["inbox", "location", "room"]


def tell(room: Room, status: Status, began: int, **more: Any) -> None:
    """Tell it as Alertmanager does: always with its first beginning."""
    room.tell(
        "f",
        status=status,
        occurrence=str(began),
        labels={"instance": "web-01"},
        starts_at=began,
        recurs=True,
        **more,
    )


def end(room: Room, began: int) -> None:
    """Let it be over now."""
    tell(room, Status.RESOLVED, began, ends_at=room.clock.now())


def state(room: Room) -> str:
    """Return where the newest incident stands."""
    return room.incident(room.rows(EpisodeRow)[-1].incident_id).state


@pytest.mark.parametrize("lives", [2, 4])
def test_it_fires_again_after_its_end(room: Room, lives: int) -> None:
    """A firing alert is never shown as over, however often it comes back."""
    began = room.clock.now()
    for _ in range(lives):
        for _ in range(2):
            tell(room, Status.FIRING, began)
            assert state(room) == "open"
            room.clock.advance(60)
        for _ in range(2):
            end(room, began)
            assert state(room) == "resolved"
            room.clock.advance(LATE // SECOND)
        # Long enough not to be flapping.
        room.clock.advance(7_200)
    assert len(room.rows(EpisodeRow)) == lives
    assert len(room.rows(AlertRow)) == 2 * lives


def test_it_comes_back_no_more_often_than_can_be_looked_up(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is a repeat; the look-ups of one alert have an end."""
    monkeypatch.setattr(again, "MOST_LIVES", 2)
    began = room.clock.now()
    for _ in range(3):
        tell(room, Status.FIRING, began)
        end(room, began)
        room.clock.advance(LATE // SECOND + 1)
    rows = room.rows(AlertRow)
    assert [row.repeats for row in rows] == [1, 1, 0, 0]
    assert state(room) == "resolved"


def test_what_is_late_is_a_repeat(room: Room) -> None:
    """Another Alertmanager of the set told it, and was not heard at once."""
    began = room.clock.now()
    tell(room, Status.FIRING, began)
    end(room, began)
    room.clock.advance(LATE // SECOND)
    tell(room, Status.FIRING, began)
    assert state(room) == "resolved"
    assert [row.repeats for row in room.rows(AlertRow)] == [1, 0]


def test_a_late_word_on_its_first_end_does_not_end_it_again(
    room: Room,
) -> None:
    """Both say when that was."""
    began = room.clock.now()
    tell(room, Status.FIRING, began)
    over = room.clock.now()
    tell(room, Status.RESOLVED, began, ends_at=over)
    room.clock.advance(LATE // SECOND + 1)
    tell(room, Status.FIRING, began)
    tell(room, Status.RESOLVED, began, ends_at=over)
    assert state(room) == "open"


def test_a_late_word_on_a_later_end_does_not_end_the_next_life(
    room: Room,
) -> None:
    """Also when that end was told as before its life began."""
    began = room.clock.now()
    tell(room, Status.FIRING, began)
    end(room, began)
    room.clock.advance(LATE // SECOND + 1)
    tell(room, Status.FIRING, began)
    behind = room.clock.now() - 9 * SECOND
    tell(room, Status.RESOLVED, began, ends_at=behind)
    room.clock.advance(LATE // SECOND + 1)
    tell(room, Status.FIRING, began)
    tell(room, Status.RESOLVED, began, ends_at=behind)
    assert state(room) == "open"
    assert room.rows(AlertRow)[3].repeats == 1


def test_an_end_that_does_not_say_when_ends_what_goes_on(room: Room) -> None:
    """Not every sender does; two of them are not the same for that."""
    began = room.clock.now()
    for _ in range(3):
        tell(room, Status.FIRING, began)
        assert state(room) == "open"
        tell(room, Status.RESOLVED, began)
        assert state(room) == "resolved"
        # Long enough not to be flapping.
        room.clock.advance(7_200)


def test_an_end_by_a_clock_that_is_behind_is_an_end(room: Room) -> None:
    """It is told as before the second life began, and came after that."""
    began = room.clock.now()
    tell(room, Status.FIRING, began)
    end(room, began)
    room.clock.advance(LATE // SECOND + 1)
    tell(room, Status.FIRING, began)
    tell(room, Status.RESOLVED, began, ends_at=room.clock.now() - 9 * SECOND)
    assert state(room) == "resolved"
