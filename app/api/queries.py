"""What the lists can be asked for: filters, words and pages."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from app.core.clock import to_moment
from app.core.numbers import LAST_ID
from app.models import ruling
from app.models.alert import Severity, Status
from app.models.approval import ApprovalState
from app.models.canary import CANARY, PROBLEM
from app.models.delivery import Outcome
from app.models.incident import State
from app.models.job import JobState
from app.models.message import DispatchState, Kind
from app.models.mission import End, Stage
from app.store.words import find_flaw

# Room for a range of output beyond the last offset.
LAST_OFFSET = 2**62
MOST_OUTPUT = 262_144
MOST_VALUES = 20


class Count(StrEnum):
    """How much a page says about the number of all rows."""

    NONE = "none"
    ESTIMATED = "estimated"
    EXACT = "exact"


def _storable(text: str) -> str:
    """Return a text that a database can be asked for."""
    if "\0" in text:
        # PostgreSQL has none in its texts, so nothing could match.
        raise ValueError("must not hold a NUL")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be Unicode") from error
    return text


def _searchable(text: str) -> str:
    """Return a text that can be looked for."""
    flaw = find_flaw(text)
    if flaw:
        raise ValueError(flaw)
    return text


def _apart(values: Any) -> Any:
    """Return values that may stand together, with commas, one by one."""
    if not isinstance(values, list):
        return values
    return [
        part
        for value in values
        for part in (value.split(",") if isinstance(value, str) else [value])
    ]


Several = Field(max_length=MOST_VALUES)
Text = Annotated[str, AfterValidator(_storable)]
Texts = Annotated[list[Annotated[Text, Field(max_length=500)]], Several]
Number = Annotated[int, Field(ge=0, le=LAST_ID)]
Numbers = Annotated[list[Number], BeforeValidator(_apart), Several]
Severities = Annotated[list[Severity], BeforeValidator(_apart), Several]
Statuses = Annotated[list[Status], BeforeValidator(_apart), Several]
States = Annotated[list[State], BeforeValidator(_apart), Several]
Outcomes = Annotated[list[Outcome], BeforeValidator(_apart), Several]
Stages = Annotated[list[Stage], BeforeValidator(_apart), Several]
Ends = Annotated[list[End], BeforeValidator(_apart), Several]
JobStates = Annotated[list[JobState], BeforeValidator(_apart), Several]
Answers = Annotated[list[ApprovalState], BeforeValidator(_apart), Several]
Ruled = Annotated[list[ruling.Outcome], BeforeValidator(_apart), Several]
Kinds = Annotated[list[Kind], BeforeValidator(_apart), Several]
DispatchStates = Annotated[
    list[DispatchState], BeforeValidator(_apart), Several
]
Moment = AwareDatetime | None
# The widest number that a count can be in PostgreSQL.
Bound = Annotated[int, Field(ge=0, le=2**31 - 1)] | None
PAGING = frozenset({"before", "after", "limit", "count"})


class Outline(BaseModel):
    """What every list takes, one without words too."""

    model_config = ConfigDict(extra="forbid")

    since: Moment = Field(
        None, description="came at or after this time, by our clock"
    )
    until: Moment = Field(None, description="came before it, by our clock")
    before: int | None = Field(
        None, ge=1, le=LAST_ID, description="only ids below this one"
    )
    after: int | None = Field(
        None,
        ge=0,
        le=LAST_ID,
        description="only ids above this one; alone, it pages upwards",
    )
    limit: int = Field(50, ge=1, le=500)
    count: Count = Field(
        Count.ESTIMATED, description="how to count all that match"
    )

    def where(self) -> dict[str, Any]:
        """Return the filters that were given, for the store."""
        given = self.model_dump(exclude=set(PAGING), exclude_none=True)
        return {
            name: _stored(value)
            for name, value in given.items()
            if value != [] and value is not False
        }


class PageQuery(Outline):
    """What every list with words takes."""

    text: Annotated[Text, AfterValidator(_searchable)] | None = Field(
        None,
        max_length=200,
        description="words that must all occur; a star ends a beginning",
    )


def _stored(value: Any) -> Any:
    """Return a value as the store has it."""
    if isinstance(value, datetime):
        return to_moment(value)
    if isinstance(value, list):
        return tuple(
            str(one) if isinstance(one, StrEnum) else one for one in value
        )
    return value


class DeliveryQuery(PageQuery):
    """What the list of deliveries takes."""

    source: Texts = []
    outcome: Outcomes = []
    reason: Texts = []
    field: Texts = []
    peer: Texts = []
    accepted_min: Bound = None
    accepted_max: Bound = None
    repeated_min: Bound = None
    repeated_max: Bound = None
    rejected_min: Bound = None
    rejected_max: Bound = None
    unparsed_min: Bound = None
    unparsed_max: Bound = None
    truncated_min: Bound = None
    truncated_max: Bound = None
    repeats_min: Bound = None
    repeats_max: Bound = None
    last_seen_at_since: Moment = None
    last_seen_at_until: Moment = None


class AlertQuery(PageQuery):
    """What the list of alerts takes."""

    source: Texts = []
    status: Statuses = []
    severity: Severities = []
    name: Texts = []
    fingerprint: Texts = []
    occurrence: Texts = []
    summary: Texts = []
    url: Texts = []
    delivery_id: int | None = Field(
        None, ge=1, le=LAST_ID, description="that this delivery spoke of"
    )
    starts_at_since: Moment = None
    starts_at_until: Moment = None
    ends_at_since: Moment = None
    ends_at_until: Moment = None
    last_seen_at_since: Moment = None
    last_seen_at_until: Moment = None
    repeats_min: Bound = None
    repeats_max: Bound = None


class LogQuery(PageQuery):
    """What the action log takes."""

    kind: Texts = []
    incident_id: Numbers = []
    incident: Numbers = Field(
        [], description="the same as incident_id, as the stream calls it"
    )
    target: Texts = []
    problem: Texts = []
    severity: Severities = []
    status: States = []
    actor: Texts = []
    action: Texts = []
    summary: Texts = []
    canary: bool = Field(
        default=True,
        description="whether the lines about the canary are shown, too",
    )

    def where(self) -> dict[str, Any]:
        """Return the filters, with one name for incidents."""
        given = super().where()
        if not given.pop("canary", False):
            given["problem_not"] = PROBLEM
        numbers = given.pop("incident", ()) + given.pop("incident_id", ())
        return given | ({"incident_id": numbers} if numbers else {})


class IncidentQuery(PageQuery):
    """What the list of incidents takes."""

    state: States = []
    merged: bool = Field(
        default=False,
        description="whether those that were merged are shown, too",
    )
    merged_into: Numbers = []
    canary: bool = Field(
        default=False,
        description="whether those of the canary are shown, too",
    )
    reason: Texts = []
    target: Texts = Field([], description="the key of the target")
    target_kind: Texts = []
    target_name: Texts = []
    problem: Texts = []
    source: Texts = []
    severity: Severities = []
    title: Texts = []
    owner: Texts = []
    team: Texts = Field([], description="whose they are")
    acknowledged_by: Texts = []
    version_min: Bound = None
    version_max: Bound = None
    episodes_min: Bound = None
    episodes_max: Bound = None
    firing_min: Bound = None
    firing_max: Bound = None
    due_at_since: Moment = None
    due_at_until: Moment = None
    changed_at_since: Moment = None
    changed_at_until: Moment = None
    begins_at_since: Moment = None
    begins_at_until: Moment = None
    ends_at_since: Moment = None
    ends_at_until: Moment = None
    held_until_since: Moment = None
    held_until_until: Moment = None
    flapping_until_since: Moment = None
    flapping_until_until: Moment = None
    acknowledged_at_since: Moment = None
    acknowledged_at_until: Moment = None

    def where(self) -> dict[str, Any]:
        """Return the filters; what is merged or ours only when asked for."""
        given = super().where()
        if not (given.pop("canary", False) or self.source):
            given["source_not"] = CANARY
        shows_merged = given.pop("merged", False)
        if not (shows_merged or self.state or self.merged_into):
            shown = set(State) - {State.MERGED}
            given["state"] = tuple(sorted(state.value for state in shown))
        return given


class OfIncidents(Outline):
    """What every list of deciding, acting and telling takes."""

    incident: Numbers = []
    canary: bool = Field(
        default=False,
        description="whether what is about the canary is shown, too",
    )

    def where(self) -> dict[str, Any]:
        """Return the filters by the names that the store has."""
        given = super().where()
        numbers = given.pop("incident", ())
        given["canary"] = self.canary or bool(numbers)
        return given | ({"incident_id": numbers} if numbers else {})


class DecisionQuery(OfIncidents):
    """What the list of decisions takes."""

    action: Texts = []
    brain: Texts = []
    why: Texts = []
    shadow: bool | None = Field(
        None, description="only those of a shadow, or none of them"
    )
    target: Texts = Field([], description="the key of the target")
    problem: Texts = []
    severity: Severities = []
    verdict: Texts = []
    case_digest: Texts = []

    def where(self) -> dict[str, Any]:
        """Return the filters by the names that the store has."""
        given = super().where()
        shadow = None if self.shadow is None else int(self.shadow)
        given.pop("shadow", None)
        return given | ({} if shadow is None else {"is_shadow": shadow})


class AgreementQuery(BaseModel):
    """What the agreement of shadows takes."""

    model_config = ConfigDict(extra="forbid")

    since: Moment = None
    brain: str = Field("", max_length=48, pattern=r"^[a-z0-9_-]*$")


class MissionQuery(OfIncidents):
    """What the list of missions takes."""

    stage: Stages = []
    end: Ends = []
    target: Texts = Field([], description="the key of the target")


class JobQuery(OfIncidents):
    """What the list of jobs takes."""

    action: Texts = []
    target: Texts = Field([], description="what jobs work on: host:web-01")
    state: JobStates = []
    backend: Texts = []
    verdict: Texts = []


class ApprovalQuery(OfIncidents):
    """What the list of approvals takes."""

    state: Answers = []
    action: Texts = []
    target: Texts = Field([], description="what it works on: host:web-01")
    environment: Texts = []
    mode: Texts = []


class RulingQuery(OfIncidents):
    """What the list of rulings takes."""

    outcome: Ruled = []
    action: Texts = []
    target: Texts = Field([], description="what it works on: host:web-01")
    rule: Texts = []


class OutputQuery(BaseModel):
    """Which part of a job's output."""

    model_config = ConfigDict(extra="forbid")

    offset: int = Field(
        0, ge=0, le=LAST_OFFSET, description="where to begin, in bytes"
    )
    limit: int = Field(
        65_536, ge=4, le=MOST_OUTPUT, description="how many bytes at most"
    )
    follow: bool = Field(
        default=False,
        description="stay, and send what is written as it comes",
    )


class TrustQuery(BaseModel):
    """What the report about trust takes."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(30, ge=1, le=3_660, description="so far back")
