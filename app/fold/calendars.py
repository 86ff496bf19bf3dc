"""Calendars (iCalendar, RFC 5545) as mutes; nothing is guessed.

What has a bearing on when an event is, and is not understood, is refused
with the name of the event and of the property. The rest of a calendar, its
alarms and people, is not looked at.
"""

import re
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.clock import to_moment
from app.core.deferred import Deferred
from app.core.errors import Refused
from app.fold.muting import Event
from app.models.matcher import Matcher, read_matchers
from app.models.mute import LONGEST_TEXT, MuteKind, Unfit, Wish
from app.models.recurrence import read_rule
from app.models.timetable import Timetable, find_zone

if TYPE_CHECKING:
    import icalendar
    from icalendar.timezone import windows_to_olson
else:
    # Most never import a calendar.
    icalendar = Deferred("icalendar")
    windows_to_olson = Deferred("icalendar.timezone.windows_to_olson")

LARGEST = 262_144
MOST_EVENTS = 200
MATCHERS = "X-SMOKEJUMPER-MATCHERS"
IN_DESCRIPTION = re.compile(r"^\s*matchers:(.*)$", re.I | re.M)
REMEDY = "Change the event in the calendar, or leave it out."
METHODS = ("PUBLISH", "REQUEST", "CANCEL")
STATUSES = ("CONFIRMED", "CANCELLED")


class Terms(msgspec.Struct, frozen=True):
    """What the calendar does not say itself.

    Attributes:
        author: who imports it.
        comment: for events without a name.
        kind: what the mutes are.
        matchers: for events that name none.
        zone: of times without a zone, or empty.
    """

    author: str
    comment: str = ""
    kind: MuteKind = MuteKind.MAINTENANCE
    matchers: tuple[Matcher, ...] = ()
    zone: str = ""


class Reading(msgspec.Struct, frozen=True):
    """One event while it is read.

    Attributes:
        raw: the event.
        terms: what it does not say itself.
        zone: of times without a zone, or empty.
        uid: its id.
        name: what people call it.
    """

    raw: "icalendar.Event"
    terms: Terms
    zone: str
    uid: str
    name: str

    def wrong(self, field: str, what: str) -> Refused:
        """Return the refusal of one property."""
        name = f"{self.name[:80]!r} ({self.uid[:80]})"
        return Refused(
            422,
            "unfit_calendar",
            f"Event {name}: {field}: {what}.",
            field=field,
            remedy=REMEDY,
        )

    def one(self, field: str) -> Any:
        """Return a property that may stand there once, or None."""
        value = self.raw.get(field)
        if isinstance(value, list):
            raise self.wrong(field, "it stands there more than once")
        return value

    def text(self, field: str) -> str:
        """Return the text of a property, or an empty one."""
        value = self.one(field)
        return "" if value is None else str(value)

    def zone_of(self, field: str, value: Any) -> str:
        """Return the time zone of a date or a time."""
        when = value.dt
        name = str(value.params.get("TZID", ""))
        if isinstance(when, datetime) and when.tzinfo and not name:
            return "UTC"
        for known in _spellings(name) if name else [self.zone]:
            try:
                return find_zone(known).key
            except ValueError:
                continue
        what = f"the time zone {name[:80]!r} is not known"
        if not name:
            what = "it has no time zone; give one with zone=Europe/Berlin"
        raise self.wrong(field, what)

    def moment(self, field: str, value: Any) -> int:
        """Return a date, which begins at midnight, or a time as a moment."""
        when = value.dt
        if not isinstance(when, date):
            raise self.wrong(field, "it is no date and no time")
        if not isinstance(when, datetime):
            when = datetime.combine(when, time())
        zone = find_zone(self.zone_of(field, value))
        return to_moment(when.replace(tzinfo=zone))


def read_calendar(content: bytes, terms: Terms) -> list[Event]:
    """Return what a calendar says, the series before their exceptions.

    Raises:
        Refused: it is none, is too large, or something is not understood.
    """
    calendar = _parse(content)
    method = str(calendar.get("METHOD", "PUBLISH")).upper()
    if method not in METHODS:
        raise _no_calendar(f"METHOD {method[:40]!r} is not understood")
    zone = terms.zone or str(calendar.get("X-WR-TIMEZONE", ""))
    parts = calendar.subcomponents
    raws = [part for part in parts if isinstance(part, icalendar.Event)]
    if not 0 < len(raws) <= MOST_EVENTS:
        what = f"it has {len(raws)} events, not 1 to {MOST_EVENTS}"
        raise _no_calendar(what)
    readings = [_open(raw, terms, zone) for raw in raws]
    replaced = _find_replaced(readings)
    is_off = method == "CANCEL"
    events = [_read(one, replaced, is_off=is_off) for one in readings]
    return sorted(events, key=lambda event: event.instance)


def _parse(content: bytes) -> "icalendar.Calendar":
    """Return a calendar, or refuse what is none."""
    if len(content) > LARGEST:
        raise too_large()
    try:
        with warnings.catch_warnings():
            # It guesses what long names of zones mean; so do we.
            warnings.simplefilter("ignore")
            calendar = icalendar.Calendar.from_ical(content.decode())
    except (ValueError, LookupError, TypeError, OSError) as error:
        # OSError: it opens the files of time zones, such as "Europe".
        raise _no_calendar(str(error)[:200]) from error
    if not isinstance(calendar, icalendar.Calendar):
        raise _no_calendar("it does not begin with VCALENDAR")
    return calendar


def too_large() -> Refused:
    """Return the refusal of a calendar that is too large."""
    return Refused(
        413,
        "calendar_too_large",
        f"The calendar is longer than {LARGEST} bytes.",
        field="body",
        remedy="Leave out what is past, or send it in parts.",
    )


def _no_calendar(what: str) -> Refused:
    """Return the refusal of a body that is no calendar."""
    return Refused(
        422,
        "no_calendar",
        f"The body is no calendar that can be read: {what}.",
        field="body",
        remedy="Send a file of iCalendar, as calendars export it.",
    )


def _open(raw: "icalendar.Event", terms: Terms, zone: str) -> Reading:
    """Return an event with its id, or refuse one that is broken."""
    uid, name = str(raw.get("UID", "")), _one_line(str(raw.get("SUMMARY", "")))
    reading = Reading(raw, terms, zone, uid, name or "without a name")
    for field, what in raw.errors:
        raise reading.wrong(str(field), str(what)[:200])
    if not uid or len(uid) > LONGEST_TEXT or "\0" in uid:
        what = f"it must have 1 to {LONGEST_TEXT} characters"
        raise reading.wrong("UID", what)
    if "EXRULE" in raw:
        raise reading.wrong("EXRULE", "it is not understood; use EXDATE")
    return reading


def _instance(reading: Reading) -> int:
    """Return which time of a series an event replaces, or 0."""
    value = reading.one("RECURRENCE-ID")
    if value is None:
        return 0
    if "RANGE" in value.params:
        raise reading.wrong("RECURRENCE-ID", "RANGE is not understood")
    return reading.moment("RECURRENCE-ID", value)


def _find_replaced(readings: list[Reading]) -> dict[str, set[int]]:
    """Return by series which of its times other events replace."""
    found: dict[str, set[int]] = {}
    for reading in readings:
        times = found.setdefault(reading.uid, set())
        instance = _instance(reading)
        if instance in times:
            raise reading.wrong("UID", "two events are the same one")
        times.add(instance)
    series = {one.uid: one for one in readings if not _instance(one)}
    for reading in readings:
        if reading.uid not in series:
            what = "the series itself is not in this calendar"
            raise reading.wrong("RECURRENCE-ID", what)
        _check_kind(reading, series[reading.uid])
    return {uid: times - {0} for uid, times in found.items()}


def _check_kind(reading: Reading, series: Reading) -> None:
    """Refuse a day that stands for a time: it would replace none of them."""
    value, start = reading.one("RECURRENCE-ID"), series.one("DTSTART")
    if value is None or start is None:
        return
    if isinstance(value.dt, datetime) is not isinstance(start.dt, datetime):
        what = "it is not of the kind of the series' DTSTART"
        raise reading.wrong("RECURRENCE-ID", what)


def _read(
    reading: Reading, replaced: dict[str, set[int]], *, is_off: bool
) -> Event:
    """Return what an event says."""
    instance = _instance(reading)
    event = Event(
        uid=reading.uid, instance=instance, name=reading.name, wish=None
    )
    status = reading.text("STATUS").upper() or STATUSES[0]
    if status not in STATUSES:
        raise reading.wrong("STATUS", f"{status[:40]} is not certain")
    if is_off or status == "CANCELLED":
        return event
    terms = reading.terms
    wish = Wish(
        kind=terms.kind,
        matchers=_find_matchers(reading),
        times=_read_times(reading, () if instance else replaced[reading.uid]),
        author=terms.author,
        comment=_one_line(reading.text("SUMMARY") or terms.comment),
        uid=reading.uid,
        instance=instance,
    )
    try:
        wish.check()
    except Unfit as error:
        names = {"times": "DTSTART", "comment": "SUMMARY"}
        field = names.get(error.field, error.field)
        raise reading.wrong(field, str(error)) from error
    return msgspec.structs.replace(event, wish=wish)


def _one_line(text: str) -> str:
    """Return a text as a line of the length that a comment may have."""
    return " ".join(text.split())[:LONGEST_TEXT]


def _find_matchers(reading: Reading) -> tuple[Matcher, ...]:
    """Return the matchers of an event, or those that go for all."""
    field, text = MATCHERS, reading.text(MATCHERS)
    if not text:
        found = IN_DESCRIPTION.search(reading.text("DESCRIPTION"))
        field, text = "DESCRIPTION", found[1] if found else ""
    if not text.strip() and reading.terms.matchers:
        return reading.terms.matchers
    try:
        matchers = read_matchers(text)
    except ValueError as error:
        raise reading.wrong(field, str(error)) from error
    if not matchers:
        what = (
            "nothing says which alerts are meant; add it, or a line"
            " 'matchers: {...}' to the description, or matcher= to the request"
        )
        raise reading.wrong(MATCHERS, what)
    return matchers


def _read_times(reading: Reading, replaced: set[int] | tuple[()]) -> Timetable:
    """Return when an event is."""
    start = reading.one("DTSTART")
    if start is None:
        raise reading.wrong("DTSTART", "it is missing")
    starts_at = reading.moment("DTSTART", start)
    times = Timetable(
        starts_at=starts_at,
        ends_at=_read_end(reading, start),
        rule=_read_rule(reading),
        zone=reading.zone_of("DTSTART", start),
        except_at=tuple(sorted({*_dates(reading, "EXDATE"), *replaced})),
        also_at=tuple(sorted(set(_dates(reading, "RDATE")))),
    )
    try:
        times.check()
    except ValueError as error:
        raise reading.wrong("DTSTART", str(error)) from error
    return times


def _dates(reading: Reading, field: str) -> Iterator[int]:
    """Yield the dates of a list, which are of the kind of the start."""
    is_day = not isinstance(reading.one("DTSTART").dt, datetime)
    value = reading.raw.get(field)
    lines = value if isinstance(value, list) else [value]
    for line in (one for one in lines if one is not None):
        for item in line.dts:
            if isinstance(item.dt, tuple):
                raise reading.wrong(field, "periods are not understood")
            if is_day is isinstance(item.dt, datetime):
                raise reading.wrong(field, "it is not of DTSTART's kind")
            item.params.update(line.params)
            yield reading.moment(field, item)


def _read_end(reading: Reading, start: Any) -> int:
    """Return when the first time of an event ends."""
    end, length = reading.one("DTEND"), reading.one("DURATION")
    if end is not None and length is not None:
        raise reading.wrong("DURATION", "DTEND stands there, too")
    if end is not None:
        if isinstance(end.dt, datetime) is not isinstance(start.dt, datetime):
            raise reading.wrong("DTEND", "it is not of DTSTART's kind")
        return reading.moment("DTEND", end)
    is_day = not isinstance(start.dt, datetime)
    span: timedelta | None = timedelta(days=1) if is_day else None
    if length is not None:
        span = length.td
    if span is None:
        raise reading.wrong("DTEND", "nothing says when it ends")
    local = start.dt if not is_day else datetime.combine(start.dt, time())
    zone = find_zone(reading.zone_of("DTSTART", start))
    try:
        return to_moment((local + span).replace(tzinfo=zone))
    except OverflowError as error:
        what = "it ends where no calendar goes"
        raise reading.wrong("DTSTART", what) from error


def _read_rule(reading: Reading) -> str:
    """Return the rule of an event, or an empty text."""
    rule = reading.one("RRULE")
    if rule is None:
        return ""
    if reading.one("RECURRENCE-ID") is not None:
        raise reading.wrong("RRULE", "one time of a series has none")
    text: str = rule.to_ical().decode()
    try:
        read_rule(text)
    except ValueError as error:
        raise reading.wrong("RRULE", str(error)) from error
    return text


def _spellings(name: str) -> Iterator[str]:
    """Yield what a calendar may mean by the name of a time zone."""
    yield name
    yield windows_to_olson.WINDOWS_TO_OLSON.get(name, "")
    parts = name.strip("/").split("/")
    for count in (3, 2, 1):
        yield "/".join(parts[-count:])
