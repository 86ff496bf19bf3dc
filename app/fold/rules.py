"""The settings of folding, as the rules that the pure parts ask for."""

from collections.abc import Collection, Iterable
from typing import Annotated

import msgspec
from pydantic import AfterValidator, Field

from app.core.configfile import Section
from app.models.canary import CANARY
from app.models.cluster import Windows
from app.models.episode import Episode
from app.models.incident import Flapping
from app.models.matcher import Matcher, fit_all, read_matcher
from app.models.target import PLACES, TARGET_RULES, TargetRule

SECOND = 1_000_000
YEAR = 31_622_400  # the longest span that makes sense, in seconds


def _readable(text: str) -> str:
    """Return a matcher's text, having read it once."""
    read_matcher(text)
    return text


MatcherText = Annotated[str, AfterValidator(_readable)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class TargetSettings(Section):
    """Which labels make a target of one kind."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    labels: Names
    scope: tuple[str, ...] = PLACES


class HoldSettings(Section):
    """Which new problems are given time to heal themselves."""

    matchers: tuple[MatcherText, ...] = ()
    seconds: float = Field(gt=0, le=86_400)


class FlappingSettings(Section):
    """When a problem that comes and goes is called flapping."""

    changes: int = Field(6, ge=3, le=60)
    within_seconds: float = Field(1_800.0, gt=0, le=YEAR)
    calm_seconds: float = Field(600.0, gt=0, le=YEAR)


class SourceFoldSettings(Section):
    """What is different for one source."""

    targets: tuple[TargetSettings, ...] | None = None
    problem: tuple[str, ...] | None = None
    stale_seconds: float | None = Field(None, ge=0, le=YEAR)


class FoldSettings(Section):
    """How alerts become incidents."""

    again_seconds: float = Field(900.0, ge=0, le=86_400)
    together_seconds: float = Field(900.0, ge=0, le=86_400)
    stale_seconds: float = Field(86_400.0, ge=0, le=YEAR)
    targets: tuple[TargetSettings, ...] = tuple(
        TargetSettings(kind=rule.kind, labels=rule.labels, scope=rule.scope)
        for rule in TARGET_RULES
    )
    problem: tuple[str, ...] = ()
    team_label: str = Field("team", max_length=200)
    hold_down: tuple[HoldSettings, ...] = ()
    flapping: FlappingSettings = FlappingSettings()
    sources: dict[str, SourceFoldSettings] = Field(default_factory=dict)
    # Not of folding: where the end of the action log is kept.
    anchor_file: str = "log.anchor"


class Hold(msgspec.Struct, frozen=True):
    """A rule of hold-down, ready to be asked."""

    matchers: tuple[Matcher, ...]
    wait: int


class Naming(msgspec.Struct, frozen=True):
    """How the alerts of one source are named.

    Attributes:
        targets: which labels make a target.
        problem: which labels make a problem class; none: the alert's name.
        stale: how long an episode goes on without a word; 0: for ever.
        is_calm: whether it never flaps, however often it comes and goes.
    """

    targets: tuple[TargetRule, ...]
    problem: tuple[str, ...]
    stale: int
    is_calm: bool = False


# It comes and goes every minute; one that its node left open ends soon.
CANARY_NAMING = Naming(
    targets=(TargetRule(CANARY, (CANARY,), ()),),
    problem=(),
    stale=600 * SECOND,
    is_calm=True,
)


class Rules(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        windows: how close is close.
        flapping: how often is too often.
        holds: which new problems wait.
        naming: how alerts are named.
        by_source: the same, for sources that have their own way.
        team_label: which label says whose an incident is, or empty.
    """

    windows: Windows
    flapping: Flapping
    holds: tuple[Hold, ...]
    naming: Naming
    by_source: dict[str, Naming]
    team_label: str = "team"

    def naming_of(self, source: str) -> Naming:
        """Return how the alerts of a source are named."""
        return self.by_source.get(source, self.naming)

    def are_calm(self, episodes: Iterable[Episode]) -> bool:
        """Tell whether all of them come from sources that never flap."""
        return all(self.naming_of(one.source).is_calm for one in episodes)

    def loud(self, episodes: Iterable[Episode]) -> list[Episode]:
        """Return those that a mute may silence."""
        naming = self.naming_of
        return [one for one in episodes if not naming(one.source).is_calm]

    def hold(self, labels: dict[str, str]) -> int:
        """Return how long a new problem waits, in microseconds."""
        for rule in self.holds:
            if fit_all(rule.matchers, labels):
                return rule.wait
        return 0


def make_rules(
    settings: FoldSettings, tells_once: Collection[str] = ()
) -> Rules:
    """Return the rules out of the settings.

    Args:
        settings: what is written.
        tells_once: the names of sources that repeat nothing, so that their
            silence says nothing either: never stale unless it is so set.
    """
    flapping = settings.flapping
    naming = Naming(
        _targets(settings.targets),
        settings.problem,
        _span(settings.stale_seconds),
    )
    silent = msgspec.structs.replace(naming, stale=0)
    own_ways = dict.fromkeys(tells_once, SourceFoldSettings())
    own_ways |= settings.sources
    return Rules(
        windows=Windows(
            _span(settings.again_seconds), _span(settings.together_seconds)
        ),
        flapping=Flapping(
            flapping.changes,
            _span(flapping.within_seconds),
            _span(flapping.calm_seconds),
        ),
        holds=tuple(
            Hold(tuple(map(read_matcher, hold.matchers)), _span(hold.seconds))
            for hold in settings.hold_down
        ),
        naming=naming,
        by_source={
            name: _override(silent if name in tells_once else naming, own)
            for name, own in own_ways.items()
        }
        | {CANARY: CANARY_NAMING},
        team_label=settings.team_label,
    )


def _override(naming: Naming, own: SourceFoldSettings) -> Naming:
    """Return how one source is named: its own way where it has one."""
    stale = own.stale_seconds
    return Naming(
        naming.targets if own.targets is None else _targets(own.targets),
        naming.problem if own.problem is None else own.problem,
        naming.stale if stale is None else _span(stale),
    )


def _targets(settings: tuple[TargetSettings, ...]) -> tuple[TargetRule, ...]:
    """Return the rules that find targets."""
    return tuple(
        TargetRule(one.kind, one.labels, one.scope) for one in settings
    )


def _span(seconds: float) -> int:
    """Return a span in microseconds."""
    return int(seconds * SECOND)
