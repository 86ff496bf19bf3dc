"""Calendars become mutes; what is not understood is named."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.clock import to_iso
from app.core.errors import Refused
from app.fold.calendars import LARGEST, MOST_EVENTS, Terms, read_calendar
from app.fold.muting import (
    Event,
    Outcome,
    end_mute,
    plan_calendar,
    take_calendar,
)
from app.models.matcher import read_matchers, write_matchers
from app.models.recurrence import Recurrence
from app.models.timetable import Timetable
from app.store.location import Location
from tests.unit.fold.stage import Stage, host
from tests.unit.fold.turns import START

TERMS = Terms("ana", matchers=read_matchers("target=web-01"))
ZONED = "DTSTART;TZID=Europe/Berlin:20261122T020000"
TIMES = (ZONED, "DTEND;TZID=Europe/Berlin:20261122T040000")
WEEKLY = (*TIMES, "RRULE:FREQ=WEEKLY;BYDAY=SU")


def event(*lines: str, uid: str = "u1") -> str:
    """Return an event with a name."""
    parts = ("BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:kernel updates")
    return "\r\n".join((*parts, *lines, "END:VEVENT"))


def calendar(*events: str, head: Sequence[str] = ()) -> bytes:
    """Return a calendar file."""
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", *head, *events)
    return "\r\n".join((*lines, "END:VCALENDAR", "")).encode()


def times_of(content: bytes, terms: Terms = TERMS) -> Timetable:
    """Return when the only event of a calendar is."""
    (read,) = read_calendar(content, terms)
    assert read.wish is not None
    return read.wish.times


def span(times: Timetable) -> tuple[str | None, str | None]:
    """Return the first time, in UTC."""
    return to_iso(times.starts_at), to_iso(times.ends_at)


@pytest.mark.parametrize(
    ("lines", "begins", "ends"),
    [
        (TIMES, "2026-11-22T01:00:00Z", "2026-11-22T03:00:00Z"),
        (
            (ZONED, "DURATION:PT1H30M"),
            "2026-11-22T01:00:00Z",
            "2026-11-22T02:30:00Z",
        ),
        (
            ("DTSTART:20261122T010000Z", "DTEND:20261122T030000Z"),
            "2026-11-22T01:00:00Z",
            "2026-11-22T03:00:00Z",
        ),
        (
            ("DTSTART:20261122T010000", "DTEND:20261122T030000"),
            "2026-11-22T09:00:00Z",
            "2026-11-22T11:00:00Z",
        ),
        (
            ("DTSTART;VALUE=DATE:20261122",),
            "2026-11-22T08:00:00Z",
            "2026-11-23T08:00:00Z",
        ),
        (
            ("DTSTART;VALUE=DATE:20261122", "DTEND;VALUE=DATE:20261125"),
            "2026-11-22T08:00:00Z",
            "2026-11-25T08:00:00Z",
        ),
        (
            (
                "DTSTART;TZID=W. Europe Standard Time:20261122T020000",
                "DURATION:PT2H",
            ),
            "2026-11-22T01:00:00Z",
            "2026-11-22T03:00:00Z",
        ),
        (
            (
                "DTSTART;TZID=/example.org/2026/Europe/Berlin:20261122T020000",
                "DURATION:PT2H",
            ),
            "2026-11-22T01:00:00Z",
            "2026-11-22T03:00:00Z",
        ),
    ],
)
def test_when_an_event_is(
    lines: Sequence[str], begins: str, ends: str
) -> None:
    """Ends and lengths, UTC, floating and whole days, names of zones."""
    content = calendar(event(*lines), head=["X-WR-TIMEZONE:US/Pacific"])
    assert span(times_of(content)) == (begins, ends)


def test_exceptions_additions_and_replaced_times() -> None:
    """A time that another event replaces is none of the series' own."""
    series = event(
        *WEEKLY,
        "EXDATE;TZID=Europe/Berlin:20261129T020000,20261206T020000",
        "RDATE:20261202T120000Z",
    )
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261213T020000",
        "DTSTART:20261214T100000Z",
        "DTEND:20261214T110000Z",
    )
    first, second = read_calendar(calendar(moved, series), TERMS)
    assert first.instance == 0
    assert first.wish is not None
    times = first.wish.times
    assert [to_iso(at) for at in times.except_at] == [
        "2026-11-29T01:00:00Z",
        "2026-12-06T01:00:00Z",
        "2026-12-13T01:00:00Z",
    ]
    assert [to_iso(at) for at in times.also_at] == ["2026-12-02T12:00:00Z"]
    assert times.rule == "FREQ=WEEKLY;BYDAY=SU"
    assert second.instance == times.except_at[-1]


@pytest.mark.parametrize(
    ("lines", "matchers"),
    [
        ((), '{target="web-01"}'),
        (("DESCRIPTION:Reboots\\nmatchers: {a=b}",), '{a="b"}'),
        (("X-SMOKEJUMPER-MATCHERS:{a=c}", "DESCRIPTION:matchers: a=b"), None),
    ],
)
def test_which_alerts_are_meant(
    lines: Sequence[str], matchers: str | None
) -> None:
    """The event's own property, its description, then the request."""
    (read,) = read_calendar(calendar(event(*TIMES, *lines)), TERMS)
    assert read.wish is not None
    found = write_matchers(read.wish.matchers)
    assert found == (matchers or '{a="c"}')


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        ("DTSTART", ("DTEND:20261122T030000Z",)),
        ("DTSTART", ("DTSTART:20261122T010000", "DURATION:PT1H")),
        ("DTSTART", ("DTSTART;TZID=Mars/Base:20261122T010000",)),
        ("DTSTART", ("DTSTART:20261122T010000Z", "DTEND:20261122T010000Z")),
        ("DTSTART", ("DTSTART:nonsense", "DURATION:PT1H")),
        ("DTEND", (ZONED,)),
        ("DTEND", (ZONED, "DTEND;VALUE=DATE:20261123")),
        ("DTEND", (*TIMES, "DTEND:20261122T050000Z")),
        ("DURATION", (*TIMES, "DURATION:PT1H")),
        ("RRULE", (*TIMES, "RRULE:FREQ=HOURLY")),
        ("RRULE", (*TIMES, "RRULE:FREQ=WEEKLY;BYMINUTE=5")),
        ("RRULE", (*WEEKLY, "RRULE:FREQ=DAILY")),
        ("RDATE", (*TIMES, "RDATE;VALUE=PERIOD:20261130T020000Z/PT1H")),
        ("EXDATE", (*WEEKLY, "EXDATE;VALUE=DATE:20261129")),
        ("EXRULE", (*WEEKLY, "EXRULE:FREQ=MONTHLY")),
        ("STATUS", (*TIMES, "STATUS:TENTATIVE")),
        (
            "RECURRENCE-ID",
            (*TIMES, "RECURRENCE-ID;RANGE=THISANDFUTURE:20261129T010000Z"),
        ),
        ("RECURRENCE-ID", (*TIMES, "RECURRENCE-ID:20261129T010000Z")),
        ("X-SMOKEJUMPER-MATCHERS", (*TIMES, "X-SMOKEJUMPER-MATCHERS:a")),
        ("DESCRIPTION", (*TIMES, "DESCRIPTION:matchers: a=~(")),
    ],
)
def test_what_is_not_understood_is_named(
    field: str, lines: Sequence[str]
) -> None:
    """The event and the property; nothing of the calendar is taken."""
    with pytest.raises(Refused) as caught:
        read_calendar(calendar(event(*lines)), TERMS)
    assert caught.value.field == field
    assert "'kernel updates' (u1)" in caught.value.detail


def test_an_event_that_names_no_alerts_is_refused() -> None:
    """When the request names none either."""
    with pytest.raises(Refused) as caught:
        read_calendar(calendar(event(*TIMES)), Terms("ana"))
    assert caught.value.field == "X-SMOKEJUMPER-MATCHERS"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        calendar(),
        calendar(event(*TIMES)) * 2,
        calendar(event(*TIMES), head=["METHOD:COUNTER"]),
        calendar(*[event(*TIMES, uid=str(n)) for n in range(MOST_EVENTS + 1)]),
        b"x" * (LARGEST + 1),
    ],
)
def test_what_is_no_calendar_is_refused(content: bytes) -> None:
    """Nothing, noise, two of them, too much."""
    with pytest.raises(Refused) as caught:
        read_calendar(content, TERMS)
    assert caught.value.field == "body"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 300), st.integers(0, 40), st.binary(max_size=12))
def test_a_broken_calendar_is_refused_or_read(
    start: int, length: int, noise: bytes
) -> None:
    """Whatever a sender makes of it, nothing else comes of it."""
    whole = calendar(event(*WEEKLY, "EXDATE:20261129T010000Z"))
    content = whole[:start] + noise + whole[start + length :]
    found = 1
    with suppress(Refused):
        found = len(read_calendar(content, TERMS))
    assert found == 1


@pytest.fixture
def stage(location: Location) -> Iterator[Stage]:
    """Return folding on a Saturday before the first Sunday's window."""
    made = Stage(location)
    yield made
    made.ledger.close()


def take(stage: Stage, *events: str) -> list[Outcome]:
    """Import a calendar of these events."""
    return import_events(stage, read_calendar(calendar(*events), TERMS))


def import_events(stage: Stage, events: Sequence[Event]) -> list[Outcome]:
    """Import what was read of a calendar."""
    by = ("person:ana", stage.clock.now())
    planned = plan_calendar(events, stage.clock.now())
    with stage.ledger.turn() as connection:
        return take_calendar(connection, planned, by)


def said(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what became of each event."""
    return [one.outcome for one in outcomes]


def test_a_second_import_changes_and_does_not_double(stage: Stage) -> None:
    """The same is unchanged, another end is a change of the same mute."""
    assert said(take(stage, event(*WEEKLY))) == ["added"]
    assert said(take(stage, event(*WEEKLY))) == ["unchanged"]
    longer = (ZONED, "DURATION:PT3H", WEEKLY[-1])
    assert said(take(stage, event(*longer))) == ["changed"]
    (row,) = stage.mutes()
    assert to_iso(row.ends_at) == "2026-11-22T04:00:00Z"
    assert stage.kinds() == ["mute.added", "mute.changed"]
    cancelled = event(*WEEKLY, "STATUS:CANCELLED")
    assert said(take(stage, cancelled)) == ["ended"]
    assert stage.mutes()[0].due_at is None


def test_a_change_takes_effect_on_a_mute_that_is_on(stage: Stage) -> None:
    """The window is moved away: what it muted is open again."""
    now = ("DTSTART:20261121T020000Z", "DTEND:20261121T050000Z")
    later = ("DTSTART:20261121T060000Z", "DTEND:20261121T070000Z")
    take(stage, event(*now))
    stage.told(host("web-01"))
    assert stage.state() == "suppressed"
    take(stage, event(*later))
    stage.settle()
    assert stage.state() == "open"


def test_an_event_that_is_past_is_not_taken(stage: Stage) -> None:
    """A calendar is full of them; they are no mistake."""
    past = ("DTSTART:20260101T020000Z", "DTEND:20260101T050000Z")
    assert said(take(stage, event(*past))) == ["over"]
    assert stage.mutes() == []


def test_what_a_person_ended_stays_ended(stage: Stage) -> None:
    """Also when the calendar still has it, or changes it."""
    take(stage, event(*WEEKLY))
    with stage.ledger.turn() as connection:
        end_mute(connection, 1, ("ben", "not needed"), stage.clock.now())
    again = (ZONED, "DURATION:PT3H", WEEKLY[-1])
    assert said(take(stage, event(*WEEKLY))) == ["ended"]
    assert said(take(stage, event(*again))) == ["ended"]
    assert [row.due_at for row in stage.mutes()] == [None]


HOURS = ",".join(map(str, range(24)))
LONG_AGO = ("DTSTART:19700105T000000Z", "DTEND:19700105T010000Z")
ENDLESS = f"FREQ=DAILY;COUNT=9999;BYHOUR={HOURS};BYMONTH=1;BYDAY=MO"


def test_a_rule_that_takes_too_long_is_refused() -> None:
    """With the event and the property, before anything is written."""
    long = event(*LONG_AGO, f"RRULE:{ENDLESS}")
    events = read_calendar(calendar(long), TERMS)
    with pytest.raises(Refused) as caught:
        plan_calendar(events, START)
    assert (caught.value.status, caught.value.field) == (422, "RRULE")
    assert "'kernel updates' (u1)" in caught.value.detail


def test_rules_that_take_too_long_together_are_refused() -> None:
    """Each is within its bounds; the calendar is not."""
    lines = (*LONG_AGO, "RRULE:FREQ=YEARLY;COUNT=99;BYDAY=MO;BYSETPOS=1")
    many = [event(*lines, uid=str(n)) for n in range(MOST_EVENTS)]
    events = read_calendar(calendar(*many), TERMS)
    assert plan_calendar(events[:1], START)[0].slot is not None
    with pytest.raises(Refused) as caught:
        plan_calendar(events, START)
    assert (caught.value.status, caught.value.field) == (422, "RRULE")
    assert "together" in caught.value.detail


def test_a_turn_follows_no_rule(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever imports has followed them before; others wait for the turn."""
    events = read_calendar(calendar(event(*WEEKLY)), TERMS)
    longer = (ZONED, "DURATION:PT3H", WEEKLY[-1])
    changed = read_calendar(calendar(event(*longer)), TERMS)
    now = stage.clock.now()
    plans = [plan_calendar(some, now) for some in (events, changed)]

    def follow(*_: object) -> None:
        raise AssertionError("a rule was followed in the turn")

    monkeypatch.setattr(Recurrence, "starts", follow)
    for plan, outcome in zip(plans, ("added", "changed"), strict=True):
        with stage.ledger.turn() as connection:
            found = take_calendar(connection, plan, ("person:ana", now))
        assert said(found) == [outcome]


def test_a_whole_calendar_takes_few_statements(stage: Stage) -> None:
    """However many events it has, also of one series: a turn is short."""
    parts = [event(*WEEKLY)]
    for number in range(MOST_EVENTS - 1):
        at = f"{number // 60:02}{number % 60:02}00Z"
        replaced = f"RECURRENCE-ID:20270103T{at}"
        parts.append(
            event(replaced, f"DTSTART:20270103T{at}", "DURATION:PT5M")
        )
    counted: list[str] = []

    def count(*values: object) -> None:
        counted.append(str(values[2]))

    for outcome in ("added", "unchanged"):
        plan = plan_calendar(read_calendar(calendar(*parts), TERMS), START)
        with stage.ledger.turn() as connection:
            sqlalchemy.event.listen(connection, "before_cursor_execute", count)
            by = ("person:ana", stage.clock.now())
            assert set(said(take_calendar(connection, plan, by))) == {outcome}
            sqlalchemy.event.remove(connection, "before_cursor_execute", count)
        assert 0 < len(counted) < 20
        counted.clear()
    assert len(stage.mutes()) == MOST_EVENTS


@pytest.mark.parametrize("zone", ["Europe", "/etc"])
def test_a_time_zone_that_is_no_file_is_refused(zone: str) -> None:
    """What reads calendars opens it as a file."""
    start = f"DTSTART;TZID={zone}:20261122T020000"
    with pytest.raises(Refused):
        read_calendar(calendar(event(start, "DURATION:PT1H")), TERMS)
