"""What the address of the log's page asks for: filters, a page, a line.

Every state of the page is in its address. Times are written as people do,
in the zone that the address names.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import ValidationError

from app.api.queries import LogQuery
from app.core.clock import EPOCH, to_iso, to_moment
from app.core.numbers import LAST_ID
from app.store.reading import Wish
from app.store.teams import Teams

FIELDS = ("kind", "actor", "action", "incident", "target", "status")
TIMES = ("since", "until")
PAGE = ("before", "after", "count")
FILTERS = (*FIELDS, *TIMES, "text")
LIMIT = 50
AGO = re.compile(r"(\d{1,5})\s*(m|h|d)(?:in|ours?|ays?)?(?:\s+ago)?")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST_ZONE = 64
Given = Mapping[str, tuple[str, ...]]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an address asks for.

    Attributes:
        given: what it says, without what is empty.
        zone: whose times it writes.
        where: the filters, for the store.
        times: since and until as the API takes them.
        entry: the line that is looked at closer, or 0.
        wrong: what it says wrongly, by field; then nothing is found.
    """

    given: Given
    zone: ZoneInfo
    where: dict[str, Any]
    times: dict[str, str]
    entry: int
    wrong: dict[str, str]

    def wish(self, teams: Teams) -> Wish:
        """Return the page that is wanted."""
        is_exact = self.one("count") == "exact"
        return Wish(
            where=self.where,
            before=_number(self.one("before")),
            after=_number(self.one("after")),
            limit=LIMIT,
            count="exact" if is_exact else "estimated",
            teams=teams,
        )

    def one(self, name: str) -> str:
        """Return the first value of a field, or nothing."""
        return self.given.get(name, ("",))[0]

    def more(self, name: str) -> tuple[str, ...]:
        """Return the further values of a field."""
        return self.given.get(name, ())[1:]

    def url(self, **changes: str | int) -> str:
        """Return the address of the page with some of it changed."""
        pairs = [
            (name, value)
            for name, values in self.given.items()
            if name not in changes
            for value in values
        ]
        pairs += [(name, str(one)) for name, one in changes.items() if one]
        return f"/console/log?{urlencode(pairs)}" if pairs else "/console/log"

    def only(self, name: str, value: str) -> str:
        """Return the address of a first page without one value."""
        left = [one for one in self.given.get(name, ()) if one != value]
        pairs = [
            (field, one)
            for field, values in self.given.items()
            if field not in (*PAGE, "entry", name)
            for one in values
        ]
        pairs += [(name, one) for one in left]
        return f"/console/log?{urlencode(pairs)}"

    def export(self, kind: str) -> str:
        """Return the address of all that matches, as a file."""
        pairs = [
            (name, value)
            for name in (*FIELDS, "text")
            for value in self.given.get(name, ())
        ]
        pairs += list(self.times.items())
        return f"/api/v1/export/log?{urlencode([*pairs, ('format', kind)])}"

    def show(self, moment: int) -> str:
        """Return a moment in the zone of the page."""
        when = (EPOCH + timedelta(microseconds=moment)).astimezone(self.zone)
        return when.strftime("%Y-%m-%d %H:%M:%S")


def read(pairs: Sequence[tuple[str, str]], now: int) -> Asked:
    """Return what an address asks for; what is wrong is said, not raised.

    Args:
        pairs: its names and values.
        now: the present moment, for times that say how long ago.
    """
    given: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        text = value.strip()
        if text:
            given[name] = (*given.get(name, ()), text)
    wrong: dict[str, str] = {}
    zone = _zone(given.get("zone", ("UTC",))[0], wrong)
    times = {}
    for name in TIMES:
        if name in given:
            moment = _moment(given[name][0], zone, now)
            if moment is None:
                wrong[name] = (
                    "is no time: write 2026-11-20 22:00, or 12h for twelve"
                    " hours ago"
                )
            else:
                times[name] = to_iso(moment) or ""
    where = {} if wrong else _where(given, times, wrong)
    entry = _number(given.get("entry", ("",))[0]) or 0
    return Asked(
        given=given,
        zone=zone,
        where=where,
        times=times,
        entry=entry,
        wrong=wrong,
    )


def _where(
    given: Given, times: Mapping[str, str], wrong: dict[str, str]
) -> dict[str, Any]:
    """Return the filters as the API understands them, or say what is wrong."""
    asked: dict[str, Any] = {
        name: list(given[name]) for name in FIELDS if name in given
    }
    if "text" in given:
        asked["text"] = given["text"][0]
    for name in ("before", "after"):
        if name in given:
            asked[name] = given[name][0]
    try:
        return LogQuery.model_validate({**asked, **times}).where()
    except ValidationError as error:
        for one in error.errors():
            wrong[str(one["loc"][0])] = one["msg"]
        return {}


def _zone(name: str, wrong: dict[str, str]) -> ZoneInfo:
    """Return a zone, UTC when there is none of that name."""
    try:
        return ZoneInfo(name[:LONGEST_ZONE])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong["zone"] = "is no zone that is known here"
        return ZoneInfo("UTC")


def _moment(text: str, zone: ZoneInfo, now: int) -> int | None:
    """Return a time as people write it, None when it is none."""
    ago = AGO.fullmatch(text.lower())
    try:
        if ago:
            span = timedelta(**{UNITS[ago[2]]: int(ago[1])})
            return now - span // timedelta(microseconds=1)
        when = datetime.fromisoformat(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=zone)
        return to_moment(when.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> int | None:
    """Return the number that a text is, None when it is none."""
    is_one = text.isascii() and text.isdecimal() and len(text) < 20
    number = int(text) if is_one else 0
    return number if 0 < number <= LAST_ID else None
