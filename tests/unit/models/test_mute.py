"""When a mute is on: rules, time zones, and one way through its times."""

import calendar
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.clock import to_iso, to_moment
from app.models.matcher import read_matchers
from app.models.mute import Mute, Unfit, Wish, follow, rewritten
from app.models.recurrence import (
    HORIZON,
    WEEKDAYS,
    Effort,
    read_rule,
)
from app.models.timetable import Slot, Timetable

HOUR = 3_600_000_000
DAY = 24 * HOUR
BERLIN = "Europe/Berlin"


def at(text: str) -> int:
    """Return a time as a moment."""
    return to_moment(datetime.fromisoformat(text))


def local(text: str, zone: str = BERLIN) -> int:
    """Return a time on the wall as a moment."""
    when = datetime.fromisoformat(text)
    return to_moment(when.replace(tzinfo=ZoneInfo(zone)))


def weekly(begins: str, ends: str, **more: str) -> Timetable:
    """Return what comes again each Sunday in Berlin."""
    return Timetable(
        starts_at=local(begins),
        ends_at=local(ends),
        rule=more.get("rule", "FREQ=WEEKLY;BYDAY=SU"),
        zone=BERLIN,
    )


def shown(times: Timetable, now: str) -> tuple[str | None, str | None]:
    """Return the next time after a moment, in UTC."""
    slot = times.next_slot(at(now))
    assert slot is not None
    return to_iso(slot.begins_at), to_iso(slot.until)


@pytest.mark.parametrize(
    ("now", "begins", "until"),
    [
        ("2026-11-21T00:00Z", "2026-11-22T01:00:00Z", "2026-11-22T03:00:00Z"),
        # Spring: 02:00 is not there, the window ends at four all the same.
        ("2027-03-27T00:00Z", "2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z"),
        ("2027-04-01T00:00Z", "2027-04-04T00:00:00Z", "2027-04-04T02:00:00Z"),
        # Autumn: 02:00 is there twice; from the first one to four.
        ("2027-10-30T00:00Z", "2027-10-31T00:00:00Z", "2027-10-31T03:00:00Z"),
        ("2027-11-01T00:00Z", "2027-11-07T01:00:00Z", "2027-11-07T03:00:00Z"),
    ],
)
def test_a_window_stays_at_its_local_hours(
    now: str, begins: str, until: str
) -> None:
    """02:00 to 04:00 in Berlin, whatever the clocks do."""
    times = weekly("2026-11-22T02:00", "2026-11-22T04:00")
    assert shown(times, now) == (begins, until)


def test_a_window_that_the_change_swallows_keeps_its_length() -> None:
    """02:00 to 03:00 is no time at all on that night; an hour is muted."""
    times = weekly("2026-11-22T02:00", "2026-11-22T03:00")
    assert shown(times, "2027-03-27T00:00Z") == (
        "2027-03-28T01:00:00Z",
        "2027-03-28T02:00:00Z",
    )


def test_exceptions_and_additions() -> None:
    """One Sunday does not count, one Wednesday does."""
    times = Timetable(
        starts_at=local("2026-11-22T02:00"),
        ends_at=local("2026-11-22T04:00"),
        rule="FREQ=WEEKLY;BYDAY=SU;UNTIL=20261213T010000Z",
        zone=BERLIN,
        except_at=(local("2026-11-29T02:00"),),
        also_at=(local("2026-12-02T12:00"),),
    )
    found = []
    now: int | None = at("2026-11-21T00:00Z")
    while now is not None:
        slot = times.next_slot(now)
        now = slot.until if slot else None
        found.append(to_iso(slot.begins_at) if slot else None)
    assert found == [
        "2026-11-22T01:00:00Z",
        "2026-12-02T11:00:00Z",
        "2026-12-06T01:00:00Z",
        "2026-12-13T01:00:00Z",
        None,
    ]


def test_a_time_that_goes_on_is_the_next_one() -> None:
    """Half-way through a window, it is the one that counts."""
    times = weekly("2026-11-22T02:00", "2026-11-22T04:00")
    assert shown(times, "2026-11-22T02:00Z")[0] == "2026-11-22T01:00:00Z"
    assert shown(times, "2026-11-22T03:00Z")[0] == "2026-11-29T01:00:00Z"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31;COUNT=3",
    ],
)
def test_a_rule_that_names_no_day_ends(rule: str) -> None:
    """It is given up at the horizon; dateutil would go on to year 9999."""
    times = weekly("2026-11-22T02:00", "2026-11-22T04:00", rule=rule)
    assert times.next_slot(at("2026-11-21T00:00Z")) is None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "INTERVAL=2",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;BYMINUTE=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=YEARLY;INTERVAL=11",
        "FREQ=DAILY;COUNT=3;UNTIL=20271231",
        "FREQ=DAILY;COUNT=1,2",
        "FREQ=DAILY;UNTIL=20271332",
        "FREQ=WEEKLY;BYDAY=2SU",
        "FREQ=MONTHLY;BYDAY=0SU",
        "FREQ=MONTHLY;BYDAY=XX",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=WEEKLY;WKST=XX",
        "FREQ=WEEKLY;" + "BYDAY=SU" * 100,
    ],
)
def test_rules_that_are_not_understood_are_refused(rule: str) -> None:
    """Nothing is guessed; the message names the part."""
    with pytest.raises(ValueError, match=r"[A-Z]{3,}|characters"):
        read_rule(rule)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Return a rule that names some days, drawn at random.

    Without what dateutil cannot do: it follows a rule that names no day to
    the year 9999, takes 1MO,TU for days that are both, and lets the first
    week of BYSETPOS begin with DTSTART.
    """
    unit = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    found = [f"FREQ={unit}", f"INTERVAL={draw(st.integers(1, 3))}"]
    weekdays = st.sampled_from(WEEKDAYS)
    lists: dict[str, st.SearchStrategy[object]] = {
        "BYDAY": weekdays,
        "BYMONTHDAY": st.sampled_from([1, 13, 28, -1, -28]),
    }
    if unit in ("MONTHLY", "YEARLY"):
        lists["BYDAY "] = st.builds(
            "{}{}".format, st.sampled_from([1, -2]), weekdays
        )
    if unit == "YEARLY":
        lists["BYYEARDAY"] = st.sampled_from([1, 60, 200, -1, -300])
    name = draw(st.sampled_from(["", *lists]))
    chosen = {name: lists[name]} if name else {}
    if name != "BYYEARDAY":
        chosen["BYMONTH"] = st.integers(1, 12)
    chosen["BYHOUR"] = st.integers(0, 23)
    if unit in ("MONTHLY", "YEARLY"):
        chosen["BYSETPOS"] = st.sampled_from([1, -1])
    for key, items in chosen.items():
        if key == name or draw(st.booleans()):
            values = draw(st.lists(items, min_size=1, max_size=3))
            found.append(f"{key.strip()}={','.join(map(str, values))}")
    return ";".join([*found, f"WKST={draw(weekdays)}"])


@settings(max_examples=100, deadline=None)
@given(rules(), st.integers(0, 2_000), st.integers(0, 1_000))
def test_rules_mean_what_they_mean_elsewhere(
    rule: str, first: int, later: int
) -> None:
    """Beginnings are those of dateutil, from the first or from later on."""
    start = datetime.fromisoformat("2020-01-28T02:30:00")
    start += timedelta(days=first)
    since = start + timedelta(days=later)
    last = since + timedelta(days=1_500)
    other = rrulestr(f"{rule};UNTIL={last:%Y%m%dT%H%M%S}", dtstart=start)
    ours = (
        read_rule(rule).completed(start).starts(start, since, last, Effort())
    )
    wanted = [one for one in other if one >= since]
    assert [one for one in ours if one >= since] == wanted


def test_a_rule_that_counts_counts_from_its_first_time() -> None:
    """The third of three days is the last, however late we look."""
    times = weekly(
        "2026-11-22T02:00", "2026-11-22T04:00", rule="FREQ=DAILY;COUNT=3"
    )
    slot = times.next_slot(local("2026-11-24T00:00"))
    assert slot is not None
    assert slot.begins_at == local("2026-11-24T02:00")
    assert times.next_slot(slot.until) is None


@given(st.integers(0, 3_000), st.integers(0, 30))
def test_time_after_time_none_is_left_out(days: int, hours: int) -> None:
    """Each day's window is found from any moment before its end."""
    times = weekly("2020-01-01T01:30", "2020-01-01T05:00", rule="FREQ=DAILY")
    now = local("2020-01-01T01:30") + days * DAY + hours * HOUR
    slot = times.next_slot(now)
    assert slot is not None
    assert now < slot.until <= now + DAY + HOUR
    following = times.next_slot(slot.until)
    assert following is not None
    assert 22 * HOUR < following.begins_at - slot.begins_at < 26 * HOUR


WISH = Wish(
    matchers=read_matchers("alertname=DiskFull"),
    times=weekly("2026-11-22T02:00", "2026-11-22T04:00"),
    author="ana",
    comment="kernel updates",
)
NOW = at("2026-11-21T00:00Z")


def made(wish: Wish = WISH, now: int = NOW) -> Mute:
    """Return a mute as it is when it was added."""
    slot = wish.times.next_slot(now)
    return Mute(id=3, wish=wish, created_at=now, slot=slot)


def test_a_mute_starts_ends_and_comes_again() -> None:
    """Each step is told once, at its time."""
    mute = made()
    assert list(follow(mute, at("2026-11-22T00:59:59Z"))) == []
    (started,) = follow(mute, at("2026-11-22T01:00Z"))
    assert (started.kind, started.mute.is_on) == ("mute.started", True)
    assert list(follow(started.mute, at("2026-11-22T02:59Z"))) == []
    (ended,) = follow(started.mute, at("2026-11-22T03:00Z"))
    assert (ended.kind, ended.mute.is_on) == ("mute.ended", False)
    assert ended.mute.slot == Slot(
        at("2026-11-29T01:00Z"), at("2026-11-29T03:00Z")
    )


def test_a_clock_that_jumps_ahead_misses_nothing() -> None:
    """An hour ahead, into or out of a window; a month ahead, over some."""
    mute = made()
    (started,) = follow(mute, at("2026-11-22T01:30Z"))
    assert started.mute.is_on
    (ended,) = follow(started.mute, at("2026-11-22T03:30Z"))
    assert ended.kind == "mute.ended"
    kinds = [one.kind for one in follow(mute, at("2026-12-20T02:00Z"))]
    assert kinds == ["mute.missed", "mute.started"]


def test_a_clock_that_is_set_back_revives_nothing() -> None:
    """A window that was over stays over, and one that is on stays on."""
    (started,) = follow(made(), at("2026-11-22T01:00Z"))
    assert list(follow(started.mute, at("2026-11-22T00:00Z"))) == []
    (ended,) = follow(started.mute, at("2026-11-22T03:00Z"))
    assert list(follow(ended.mute, at("2026-11-22T02:00Z"))) == []


def test_an_ended_mute_has_nothing_to_come() -> None:
    """Whoever ends a mute ends all of its times."""
    ended = made().ended(NOW)
    assert ended.due_at is None
    assert list(follow(ended, at("2030-01-01T00:00Z"))) == []


def test_a_calendar_that_changes_a_mute_keeps_it_on() -> None:
    """A longer window goes on; one that was moved away does not."""
    (started,) = follow(made(), at("2026-11-22T01:00Z"))
    longer = weekly("2026-11-22T02:00", "2026-11-22T05:00")
    later = weekly("2026-11-22T06:00", "2026-11-22T08:00")
    now = at("2026-11-22T02:00Z")
    for times, is_on in ((longer, True), (later, False)):
        wish = Wish(
            matchers=WISH.matchers, times=times, author="a", comment="c"
        )
        slot = times.next_slot(now)
        assert rewritten(started.mute, wish, slot, now).is_on is is_on


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("author", {"author": " "}),
        ("comment", {"comment": ""}),
        ("comment", {"comment": "a\nb"}),
        ("comment", {"comment": "x" * 501}),
        ("matchers", {"matchers": ()}),
        ("matchers", {"matchers": read_matchers('a=~".*",b!="x"')}),
        ("matchers", {"matchers": read_matchers('target!=""')}),
        ("matchers", {"matchers": read_matchers('source=~".+"')}),
        ("matchers", {"matchers": read_matchers('target_kind!=""')}),
        ("matchers", {"matchers": read_matchers('problem!~""')}),
        ("matchers", {"matchers": read_matchers('alertname=~"(?s).+"')}),
        ("matchers", {"matchers": read_matchers('severity=~"[a-z]+"')}),
        (
            "matchers",
            {"matchers": read_matchers('severity!="",target=~".+",b!="x"')},
        ),
        ("times", {"times": Timetable(starts_at=2, ends_at=2)}),
        ("times", {"times": Timetable(starts_at=-1, ends_at=2)}),
        ("times", {"times": Timetable(starts_at=1, ends_at=400 * DAY)}),
        ("times", {"times": Timetable(starts_at=1, ends_at=2, zone="X")}),
        ("times", {"times": Timetable(starts_at=1, ends_at=2, rule="X")}),
        (
            "times",
            {"times": Timetable(starts_at=1, ends_at=2, also_at=(-5,))},
        ),
    ],
)
def test_a_wish_that_makes_no_sense_is_unfit(
    field: str, more: dict[str, object]
) -> None:
    """Each with the part that is wrong."""
    values = {name: getattr(WISH, name) for name in WISH.__struct_fields__}
    with pytest.raises(Unfit) as caught:
        Wish(**{**values, **more}).check()
    assert caught.value.field == field
    WISH.check()


@pytest.mark.parametrize(
    "matchers",
    [
        'severity=~"info|warning"',
        'target=~"web-.*"',
        'target=~"[a-z].*",target!=""',
        'instance=~".+"',
        "source=zabbix,target=~.+",
    ],
)
def test_a_mute_of_a_part_is_fit(matchers: str) -> None:
    """What asks for anything at all is somebody's own business."""
    Wish(
        matchers=read_matchers(matchers),
        times=WISH.times,
        author="ana",
        comment="c",
    ).check()


def test_the_horizon_is_longer_than_any_rule_pauses() -> None:
    """29 February comes within it, also across 2100, which has none."""
    gap = [year for year in range(2096, 2110) if calendar.isleap(year)]
    assert timedelta(days=366 * (gap[1] - gap[0])) < HORIZON
