"""What is set about telling people: who, when, how often (section report).

Channels stand in a section of their own, ``channels``: NAME: {kind: ...}
with what that kind needs.
"""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from app.core.configfile import Section
from app.models.matcher import read_matchers
from app.models.message import URGENT, Kind
from app.report.quiet import QuietSettings

SECOND = 1_000_000
WEEK = 604_800
# What people are told unless a route says otherwise.
USUAL = (Kind.ESCALATED, Kind.ASKED, Kind.EVIDENCE, Kind.HALTED)


def _is_matcher(text: str) -> str:
    """Return a text that is one matcher or several."""
    read_matchers(text)
    return text


def _is_base(text: str) -> str:
    """Return the beginning of an address without its last slash."""
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("write http://HOST, or https://")
    if any(sign in text for sign in "?#@ "):
        raise ValueError("write no user, no query and no space")
    return text.rstrip("/")


def _is_told(kind: Kind) -> Kind:
    """Return a kind that messages have."""
    if kind is Kind.DIGEST:
        raise ValueError("a digest is made of other messages; name those")
    return kind


MatcherText = Annotated[str, AfterValidator(_is_matcher)]
ToldKind = Annotated[Kind, AfterValidator(_is_told)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class LevelSettings(Section):
    """One level of an escalation: who is told, and after how long."""

    channels: tuple[Name, ...] = Field(min_length=1, max_length=1_000)
    after_seconds: float = Field(0.0, ge=0, le=WEEK)


class RouteSettings(Section):
    """Which messages go to whom.

    Attributes:
        matchers: all must fit the message's labels; none: every message.
        kinds: of these kinds only.
        levels: who is told first, and who when nobody has acknowledged;
            an empty list: nobody.
        quiet: when it is quiet: a name of ``report.quiet``, or the hours.
        again: whether later routes are looked at, too.
    """

    matchers: tuple[MatcherText, ...] = Field((), max_length=20)
    kinds: tuple[ToldKind, ...] = USUAL
    levels: tuple[LevelSettings, ...] = Field(max_length=10)
    quiet: QuietSettings | Name | None = None
    again: bool = False

    @model_validator(mode="after")
    def _rises(self) -> Self:
        """Refuse levels that are out of order."""
        spans = [level.after_seconds for level in self.levels]
        if spans != sorted(spans):
            raise ValueError("a later level comes before an earlier one")
        return self


class DigestSettings(Section):
    """How many letters one channel is sent, digests among them.

    Attributes:
        most: so many letters within any window; what is more is gathered.
        window_seconds: how long a window is.
        every_seconds: how often what was gathered is sent as one letter.
    """

    most: int = Field(10, ge=2, le=10_000)
    window_seconds: float = Field(60.0, ge=1, le=86_400)
    every_seconds: float = Field(60.0, ge=1, le=86_400)

    @model_validator(mode="after")
    def _is_rare(self) -> Self:
        """Refuse two digests within one window."""
        if self.every_seconds < self.window_seconds:
            raise ValueError("every_seconds must not be below window_seconds")
        return self


class RetrySettings(Section):
    """How often a letter is tried, and how long between two tries.

    Attributes:
        tries: in all; after the last one it is dead, but for what is
            urgent.
        first_seconds: the longest pause after the first; it doubles.
        most_seconds: and is never longer than this.
        urgent_hours: for so long what is urgent is tried at least.
    """

    tries: int = Field(20, ge=1, le=1_000)
    first_seconds: float = Field(5.0, gt=0, le=3_600)
    most_seconds: float = Field(600.0, gt=0, le=86_400)
    urgent_hours: float = Field(24.0, ge=0, le=168)

    @property
    def urgent(self) -> int:
        """Return for how many microseconds what is urgent is tried."""
        return round(self.urgent_hours * 3_600 * SECOND)


class ReportSettings(Section):
    """The section ``report``: who is told what, when and how often.

    Attributes:
        base_url: where people reach this service: links begin with it.
        repeat_seconds: the same is not told twice within this.
        routes: who is told; none: what a person must know, on every
            channel.
        quiet: quiet hours by name, for routes.
        evidence_seconds: an escalation waits so long at most for what code
            looks at first.
        pagers: channels that wake people: they are told of escalations and
            questions, unless a route names its kinds; not set: those that
            are known to be pagers.
        templates: the folder with this site's own texts.
    """

    base_url: Annotated[str, AfterValidator(_is_base)] = ""
    repeat_seconds: float = Field(300.0, ge=0, le=WEEK)
    evidence_seconds: float = Field(20.0, ge=0, le=300)
    pagers: tuple[Name, ...] | None = Field(None, max_length=1_000)
    templates: str = "config/templates"
    routes: tuple[RouteSettings, ...] = Field((), max_length=500)
    quiet: dict[Name, QuietSettings] = Field(
        default_factory=dict, max_length=100
    )
    digest: DigestSettings = DigestSettings()
    retries: RetrySettings = RetrySettings()

    @model_validator(mode="after")
    def _knows_quiet_hours(self) -> Self:
        """Refuse a route with hours that nobody has written."""
        for number, route in enumerate(self.routes):
            if isinstance(route.quiet, str) and route.quiet not in self.quiet:
                known = ", ".join(sorted(self.quiet)) or "none"
                raise ValueError(
                    f"routes.{number}.quiet: there is no {route.quiet!r} in"
                    f" report.quiet; there is: {known}"
                )
        return self

    def with_pagers(self, names: Iterable[str]) -> Self:
        """Return these settings with the pagers that are known, if not set.

        Args:
            names: the channels that say of themselves that they are some.
        """
        if self.pagers is not None:
            return self
        return self.model_copy(update={"pagers": tuple(names)})

    def is_for(self, route: RouteSettings, kind: str, channel: str) -> bool:
        """Tell whether a route tells a channel of a kind that it takes."""
        is_pager = channel in (self.pagers or ())
        is_meant = "kinds" in route.model_fields_set
        return not is_pager or is_meant or kind in URGENT

    def quiet_of(self, route: RouteSettings) -> QuietSettings | None:
        """Return when it is quiet on a route, or None."""
        if isinstance(route.quiet, str):
            return self.quiet[route.quiet]
        return route.quiet

    @property
    def evidence(self) -> int:
        """Return how many microseconds an escalation waits for evidence."""
        return round(self.evidence_seconds * SECOND)

    @property
    def repeat(self) -> int:
        """Return within how many microseconds the same is not repeated."""
        return round(self.repeat_seconds * SECOND)
