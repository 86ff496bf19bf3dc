"""What the API shows of an incident and of all that belongs to it."""

from typing import Any, Self

from pydantic import BaseModel, Field

from app.api.decision_views import DecisionView
from app.api.mission_views import MissionBrief
from app.api.speech import WordView
from app.api.views import MOST_LINE, CountView
from app.core.clock import to_iso
from app.models.brevity import clip
from app.models.cluster import FOREVER
from app.models.episode import Episode
from app.models.mission import Mission
from app.store.dossier import Dossier

MOMENTS = (
    "due_at",
    "opened_at",
    "changed_at",
    "begins_at",
    "ends_at",
    "held_until",
    "flapping_until",
    "acknowledged_at",
)


class IncidentView(BaseModel):
    """One problem on one target, from first alert to last word."""

    id: int
    version: int = Field(description="rises with every change")
    state: str = Field(
        description="open, waiting, suppressed, resolved or merged"
    )
    reason: str = Field(description="why it stands so, or empty")
    due_at: str | None = Field(description="when we look again by ourselves")
    target: str = Field(description="the key of the target")
    target_kind: str
    target_name: str
    problem: str
    source: str
    severity: str
    title: str
    opened_at: str = Field(description="by our clock")
    changed_at: str
    begins_at: str | None = Field(description="by the source's clock")
    ends_at: str | None
    episodes: int
    firing: int = Field(description="how many of them go on")
    held_until: str | None
    flapping_until: str | None
    merged_into: int | None
    owner: str
    acknowledged_by: str
    acknowledged_at: str | None
    team: str = Field(description="whose it is, as its alerts say; or empty")

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(**_columns(row))


class IncidentItem(IncidentView):
    """One problem on one target, and what is done about it."""

    mission: MissionBrief | None = Field(
        description="the last one; null: there was none"
    )

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row with its mission as the API shows it."""
        return cls(**_columns(row), mission=_brief(row.mission))


class EpisodeView(BaseModel):
    """One firing of one fingerprint."""

    id: int
    because: str = Field(description="why it is in this incident")
    is_pinned: bool = Field(description="whether a person put it here")
    source: str
    fingerprint: str
    problem: str
    name: str
    severity: str
    summary: str
    begins_at: str | None = Field(description="by the source's clock")
    ended_at: str | None = Field(description="null while it goes on")
    ended: str = Field(description="resolved, began again, stale; or empty")
    first_alert: int
    last_alert: int
    alerts: int = Field(description="how many messages it is made of")
    seen_at: str

    @classmethod
    def of(cls, episode: Episode) -> Self:
        """Return an episode as the API shows it."""
        until = episode.until
        return cls(
            id=episode.id,
            because=episode.because,
            is_pinned=bool(episode.pin),
            source=episode.source,
            fingerprint=episode.fingerprint,
            problem=episode.problem,
            name=episode.name,
            severity=episode.severity,
            summary=clip(episode.summary, MOST_LINE),
            begins_at=to_iso(episode.begins_at),
            ended_at=None if until == FOREVER else to_iso(until),
            ended=episode.ended,
            first_alert=episode.first_alert,
            last_alert=episode.last_alert,
            alerts=episode.alerts,
            seen_at=to_iso(episode.seen_at) or "",
        )


class IncidentDossier(IncidentItem):
    """One incident with all that belongs to it."""

    all_episodes: list[EpisodeView] = Field(
        description="the newest 200, newest first"
    )
    siblings: list[int] = Field(
        description="incidents with this problem, elsewhere at this time"
    )
    merged: list[int] = Field(description="incidents that live on in it")
    words: list[WordView] = Field(
        description="what people said, the last 200, oldest first"
    )
    decisions: list[DecisionView] = Field(
        description="what was decided, the newest 20, newest first"
    )
    log: str = Field(description="the address of its action log")

    @classmethod
    def whole(cls, dossier: Dossier) -> Self:
        """Return a dossier as the API shows it."""
        return cls(
            **_columns(dossier.row),
            all_episodes=[EpisodeView.of(one) for one in dossier.episodes],
            siblings=list(dossier.siblings),
            merged=list(dossier.merged),
            words=[WordView.of(word) for word in dossier.words],
            decisions=[DecisionView.of(one) for one in dossier.decisions],
            mission=_brief(dossier.mission),
            log=f"/api/v1/log?incident_id={dossier.row.id}",
        )


class IncidentPage(BaseModel):
    """Some incidents, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[IncidentItem]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


def _brief(mission: Mission | None) -> MissionBrief | None:
    """Return a mission in short, None when there is none."""
    return None if mission is None else MissionBrief.of(mission)


def _columns(row: Any) -> dict[str, Any]:
    """Return the columns of an incident as the API shows them."""
    values = {
        name: getattr(row, name)
        for name in IncidentView.model_fields
        if name not in MOMENTS
    }
    values["merged_into"] = row.merged_into or None
    return values | {name: to_iso(getattr(row, name)) for name in MOMENTS}
