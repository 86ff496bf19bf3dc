"""What the API takes and shows of mutes."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.api.speech import typed
from app.core.clock import to_iso, to_moment
from app.core.errors import Refused
from app.models.matcher import MOST, Matcher, read_matchers, write_matchers
from app.models.mute import LONGEST_TEXT, Mute, MuteKind, Wish
from app.models.timetable import MOST_DATES, Timetable, find_zone

Dates = Annotated[list[datetime], Field(max_length=MOST_DATES)]
Line = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_TEXT),
    BeforeValidator(typed),
]
Signed = Annotated[str, Field(max_length=LONGEST_TEXT), BeforeValidator(typed)]


class MuteBody(BaseModel):
    """What somebody asks to be muted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "maintenance",
                    "matchers": ['{target=~"web-.*",severity!="critical"}'],
                    "from": "2026-11-22T02:00:00",
                    "until": "2026-11-22T04:00:00",
                    "zone": "Europe/Berlin",
                    "rule": "FREQ=WEEKLY;BYDAY=SU",
                    "author": "ana",
                    "comment": "kernel updates",
                }
            ]
        },
    )

    matchers: list[str] = Field(
        min_length=1,
        max_length=MOST,
        description="which alerts, as Alertmanager writes it; all must fit",
    )
    begins: datetime = Field(alias="from")
    until: datetime
    author: Signed = Field(
        "", description="who asks for it; left out: who is signed in"
    )
    comment: Line = Field(description="what it is about")
    kind: MuteKind = MuteKind.MUTE
    zone: str = Field(
        "", description="the zone of times that name none, and of the rule"
    )
    rule: str = Field("", description="an RRULE, when it comes again")
    exceptions: Dates = Field([], description="beginnings that do not count")
    also: Dates = Field([], description="beginnings that no rule names")

    def to_wish(self) -> Wish:
        """Return it as a wish, or refuse what cannot be read."""
        self._check_zone()
        return Wish(
            kind=self.kind,
            matchers=to_matchers(self.matchers),
            times=Timetable(
                starts_at=self._moment("from", self.begins),
                ends_at=self._moment("until", self.until),
                rule=self.rule,
                zone=self.zone or "UTC",
                except_at=self._moments("exceptions", self.exceptions),
                also_at=self._moments("also", self.also),
            ),
            author=self.author,
            comment=self.comment,
        )

    def _check_zone(self) -> None:
        """Refuse a time zone that is not there."""
        try:
            find_zone(self.zone or "UTC")
        except ValueError as error:
            raise _unfit("zone", str(error)) from error

    def _moments(self, field: str, times: Dates) -> tuple[int, ...]:
        """Return dates as moments, in order."""
        return tuple(sorted({self._moment(field, when) for when in times}))

    def _moment(self, field: str, when: datetime) -> int:
        """Return a date as a moment; without a zone it is local."""
        if when.tzinfo is None:
            if not self.zone:
                what = f"{when} has no zone; add one, or give 'zone'"
                raise _unfit(field, what)
            when = when.replace(tzinfo=find_zone(self.zone))
        try:
            return to_moment(when)
        except OverflowError as error:
            raise _unfit(field, f"{when} is no time we know") from error


class MuteView(BaseModel):
    """A mute."""

    id: int
    kind: MuteKind
    state: str = Field(description="on, pending, or over")
    matchers: str
    begins: str = Field(alias="from", description="of its first time")
    until: str
    zone: str
    rule: str
    exceptions: list[str]
    also: list[str]
    author: str
    comment: str
    created_at: str
    ended_at: str | None = Field(description="when somebody ended it early")
    uid: str = Field(description="the event of a calendar, or empty")
    active_until: str | None = Field(description="until when it is on")
    next_at: str | None = Field(description="when it is on next")

    @classmethod
    def of(cls, mute: Mute) -> Self:
        """Return a mute as the API shows it."""
        wish, times, slot = mute.wish, mute.wish.times, mute.slot
        following = slot
        if slot is not None and mute.is_on:
            following = times.next_slot(slot.until)
        waits = "over" if slot is None else "pending"
        return cls(
            **{"from": _time(times.starts_at)},
            id=mute.id,
            kind=wish.kind,
            state="on" if mute.is_on else waits,
            matchers=write_matchers(wish.matchers),
            until=_time(times.ends_at),
            zone=times.zone,
            rule=times.rule,
            exceptions=[_time(at) for at in times.except_at],
            also=[_time(at) for at in times.also_at],
            author=wish.author,
            comment=wish.comment,
            created_at=_time(mute.created_at),
            ended_at=to_iso(mute.ended_at),
            uid=wish.uid,
            active_until=to_iso(slot.until) if slot and mute.is_on else None,
            next_at=to_iso(following.begins_at) if following else None,
        )


class MutePage(BaseModel):
    """Some mutes, newest first."""

    items: list[MuteView]
    next: str | None = Field(description="the address of the next page")


class EventView(BaseModel):
    """What became of one event of a calendar."""

    event: str
    uid: str
    outcome: str = Field(
        description="added, changed, unchanged, ended, or over: not taken"
    )
    mute: int | None


class ImportView(BaseModel):
    """What became of a calendar."""

    events: list[EventView]


def to_matchers(texts: list[str]) -> tuple[Matcher, ...]:
    """Return the matchers of some texts, or refuse what is none."""
    found: list[Matcher] = []
    for text in texts:
        try:
            found += read_matchers(text)
        except ValueError as error:
            raise _unfit("matchers", str(error)) from error
    if len(found) > MOST:
        raise _unfit("matchers", f"{len(found)} are more than {MOST}")
    return tuple(found)


def _unfit(field: str, what: str) -> Refused:
    """Return the refusal of a field."""
    return Refused(
        422,
        "unfit_mute",
        f"{field}: {what}.",
        field=field,
        remedy="docs/mutes.md says what a mute may say.",
    )


def _time(moment: int) -> str:
    """Return a moment that is always there."""
    return to_iso(moment) or ""
