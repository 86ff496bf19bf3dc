"""Calendars that change their mind: what was cancelled comes back."""

import pytest

from app.core.clock import to_iso
from app.core.errors import Refused
from app.fold.calendars import read_calendar
from app.fold.muting import end_mute
from tests.unit.fold.stage import Stage, host
from tests.unit.fold.test_calendars import (
    TERMS,
    TIMES,
    WEEKLY,
    calendar,
    event,
    said,
    stage,
    take,
)

__all__ = ["stage"]


def test_a_replaced_time_comes_and_goes(stage: Stage) -> None:
    """Without its own event it is the series' again, and back with it."""
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261129T020000",
        "DTSTART:20261130T100000Z",
        "DTEND:20261130T110000Z",
    )
    assert said(take(stage, event(*WEEKLY), moved)) == ["added", "added"]
    assert said(take(stage, event(*WEEKLY))) == ["changed"]
    series, single = stage.mutes()
    assert series.except_at == ""
    assert single.due_at is None
    assert said(take(stage, event(*WEEKLY), moved)) == ["changed", "changed"]
    series, single = stage.mutes()
    assert series.except_at != ""
    assert to_iso(single.due_at) == "2026-11-30T10:00:00Z"


def test_no_time_of_a_series_that_a_person_ended_is_new(
    stage: Stage,
) -> None:
    """However the calendar moves it about afterwards."""
    take(stage, event(*WEEKLY))
    with stage.ledger.turn() as connection:
        end_mute(connection, 1, ("ben", "not needed"), stage.clock.now())
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261129T020000",
        "DTSTART:20261130T100000Z",
        "DTEND:20261130T110000Z",
    )
    assert said(take(stage, event(*WEEKLY), moved)) == ["ended", "ended"]
    assert [row.due_at for row in stage.mutes()] == [None]


def test_a_series_ends_with_the_times_that_were_moved(stage: Stage) -> None:
    """They are mutes of their own, and nobody would think of them."""
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261129T020000",
        "DTSTART:20261130T100000Z",
        "DTEND:20261130T110000Z",
    )
    other = event(
        "DTSTART:20261130T100000Z", "DTEND:20261130T110000Z"
    ).replace("UID:", "UID:other-")
    take(stage, event(*WEEKLY), moved, other)
    with stage.ledger.turn() as connection:
        end_mute(connection, 1, ("ben", "not needed"), stage.clock.now())
    series, stranger, single = stage.mutes()
    assert (series.due_at, single.due_at) == (None, None)
    assert stranger.due_at is not None
    again = take(stage, event(*WEEKLY), moved, other)
    assert said(again) == ["ended", "unchanged", "ended"]


def test_a_moved_time_ends_without_its_series(stage: Stage) -> None:
    """Only that time was not needed."""
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261129T020000",
        "DTSTART:20261130T100000Z",
        "DTEND:20261130T110000Z",
    )
    take(stage, event(*WEEKLY), moved)
    with stage.ledger.turn() as connection:
        end_mute(connection, 2, ("ben", "not needed"), stage.clock.now())
    series, single = stage.mutes()
    assert series.due_at is not None
    assert single.due_at is None


def test_what_the_calendar_cancelled_it_can_bring_back(stage: Stage) -> None:
    """Nobody ended it; without the window people would be called."""
    now = event("DTSTART:20261121T020000Z", "DTEND:20261121T050000Z")
    off = now.replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT")
    take(stage, now)
    stage.told(host("web-01"))
    for outcome, said_so, state in (
        ("ended", off, "open"),
        ("ended", off, "open"),
        ("changed", now, "suppressed"),
    ):
        assert said(take(stage, said_so)) == [outcome]
        stage.settle()
        assert stage.state() == state


def test_a_window_that_was_withdrawn_and_is_past_stays_over(
    stage: Stage,
) -> None:
    """What comes back too late changes nothing."""
    window = event("DTSTART:20261121T020000Z", "DTEND:20261121T050000Z")
    take(stage, window)
    take(stage, window.replace("\r\nEND", "\r\nSTATUS:CANCELLED\r\nEND"))
    stage.wait(24 * 60)
    assert said(take(stage, window)) == ["unchanged"]
    assert stage.mutes()[0].due_at is None


def test_a_day_that_stands_for_a_time_is_refused() -> None:
    """It replaces none: a cancelled window would go on muting."""
    off = ("RECURRENCE-ID;VALUE=DATE:20261129", "STATUS:CANCELLED")
    content = calendar(event(*WEEKLY), event(*TIMES, *off))
    with pytest.raises(Refused) as caught:
        read_calendar(content, TERMS)
    assert caught.value.field == "RECURRENCE-ID"
