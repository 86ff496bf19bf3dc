"""What the API shows of jobs, and what it takes to end one."""

from typing import Any, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from app.api.speech import Signature, Text
from app.api.views import CountView
from app.core.clock import to_iso
from app.models.job import Job

SAME = (
    "id",
    "action",
    "target",
    "environment",
    "team",
    "risk",
    "backend",
    "name",
    "key",
    "proposer",
    "state",
    "reference",
    "reason",
    "output_bytes",
    "verdict",
    "abort",
    "told",
)
MOMENTS = ("started_at", "until", "ended_at")


class StopBody(BaseModel):
    """Who wants something to end, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"author": "ana", "reason": "wrong host"}]
        },
    )

    author: Signature = Field("", description="who wants it")
    reason: Text = Field(description="why")


class JobView(BaseModel):
    """One run of one decision."""

    id: int
    incident: int
    mission: int
    decision: int
    action: str
    arguments: dict[str, str | int]
    call: str = Field(description="the action with its arguments")
    target: str = Field(description="the one thing that it works on")
    environment: str
    team: str
    risk: str
    backend: str = Field(description="where it runs")
    name: str = Field(description="the job's name there")
    key: str = Field(description="what it is known by there, for every try")
    is_idempotent: bool = Field(
        description="whether it may be sent again when nobody knows"
    )
    proposer: str
    approval: int | None = Field(description="that it rests on")
    state: str = Field(
        description="planned, claimed, started; over: succeeded, failed, "
        "aborted, timed_out, unknown"
    )
    reference: str = Field(description="what the backend calls it")
    reason: str = Field(description="why it ended as it did")
    planned_at: str
    started_at: str | None = Field(description="when it was to be sent")
    until: str | None = Field(description="when it is given up")
    ended_at: str | None
    output_bytes: int = Field(description="how much output is kept")
    is_cut: bool = Field(description="whether output was left out")
    verdict: str = Field(
        description="fixed, not_fixed, unknown: measured; or empty"
    )
    abort: str = Field(description="who wants it to end, and why; or empty")
    told: str = Field(description="what it was told while it ran; or empty")

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(**_columns(row))


class JobDetail(JobView):
    """One run of one decision, with what was measured."""

    before: list[dict[str, Any]] = Field(
        description="the readings from before the start"
    )
    after: list[dict[str, Any]] = Field(
        description="those since it ended, the oldest first"
    )
    output: str = Field(description="the address of what it wrote")

    @classmethod
    def whole(cls, row: Any) -> Self:
        """Return a row with its readings as the API shows it."""
        return cls(
            **_columns(row),
            before=_readings(row.before),
            after=_readings(row.after),
            output=f"/api/v1/jobs/{row.id}/output",
        )


class JobPage(BaseModel):
    """Some jobs, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[JobView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


class OutputView(BaseModel):
    """A range of what a job wrote, in bytes of UTF-8."""

    job: int
    offset: int
    text: str
    next_offset: int = Field(description="where the next range begins")
    output_bytes: int = Field(description="how much there is by now")
    is_cut: bool = Field(description="whether the rest of it was left out")
    has_ended: bool = Field(description="whether nothing more comes")

    @classmethod
    def of(cls, job: Job, offset: int, found: tuple[str, int]) -> Self:
        """Return a range of a job's output as the API shows it."""
        text, following = found
        return cls(
            job=job.id,
            offset=offset,
            text=text,
            next_offset=following,
            output_bytes=job.output_bytes,
            is_cut=bool(job.is_cut),
            has_ended=not job.is_live,
        )


def call_of(action: str, arguments: dict[str, str | int]) -> str:
    """Return a call in one line."""
    inside = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return f"{action}({inside})"


def _columns(row: Any) -> dict[str, Any]:
    """Return the columns of a job as the API shows them."""
    arguments = msgspec.json.decode(row.arguments)
    return {
        **{name: getattr(row, name) for name in SAME},
        **{name: to_iso(getattr(row, name)) for name in MOMENTS},
        "incident": row.incident_id,
        "mission": row.mission_id,
        "decision": row.decision_id,
        "arguments": arguments,
        "call": call_of(row.action, arguments),
        "approval": row.approval_id or None,
        "is_idempotent": bool(row.is_idempotent),
        "planned_at": to_iso(row.planned_at) or "",
        "is_cut": bool(row.is_cut),
    }


def _readings(text: str) -> list[dict[str, Any]]:
    """Return readings with their moments as the API shows them."""
    readings: list[dict[str, Any]] = msgspec.json.decode(text)
    return [one | {"at": to_iso(one["at"])} for one in readings]
