"""What the API shows of missions, and of what the guard ruled."""

from typing import Any, Self

import msgspec
from pydantic import BaseModel, Field

from app.api.views import CountView
from app.core.clock import to_iso
from app.models.mission import Mission
from app.store.rulings import PastRuling

SAME = (
    "id",
    "version",
    "target",
    "stage",
    "end",
    "reason",
    "round",
    "holder",
)
RULING = (
    "id",
    "action",
    "target",
    "environment",
    "outcome",
    "rule",
    "reason",
    "policy",
    "mode",
)


class MissionBrief(BaseModel):
    """What is done about an incident, in short."""

    id: int
    stage: str = Field(
        description="deciding, ruling, awaiting_approval, starting, acting, "
        "verifying; over: escalated, closed"
    )
    end: str = Field(
        description="fixed, no_action, observed, resolved, suppressed, "
        "merged, escalated; empty: it goes on"
    )
    reason: str = Field(description="why it is where it is")
    round: int = Field(description="how many decisions it had")
    decision: int | None = Field(description="that it follows now")
    approval: int | None = Field(
        description="the question that it waits for, or rests on"
    )
    job: int | None = Field(description="its last job")

    @classmethod
    def of(cls, mission: Mission) -> Self:
        """Return a mission in short."""
        return cls(
            id=mission.id,
            stage=mission.stage,
            end=mission.end,
            reason=mission.reason,
            round=mission.round,
            **_numbers(mission),
        )


class MissionView(MissionBrief):
    """What is done about one incident, from a decision to an end."""

    incident: int
    version: int = Field(description="rises with every move")
    target: str = Field(description="the key of the incident's target")
    undoes: int | None = Field(description="the decision that it takes back")
    due_at: str | None = Field(description="when it is looked at next")
    deadline_at: str = Field(description="when people get it at the latest")
    holder: str = Field(description="the worker that has it, or empty")
    opened_at: str
    changed_at: str

    @classmethod
    def of(cls, mission: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(
            **{name: getattr(mission, name) for name in SAME},
            **_numbers(mission),
            incident=mission.incident_id,
            undoes=mission.undoes or None,
            due_at=to_iso(mission.due_at),
            deadline_at=to_iso(mission.deadline_at) or "",
            opened_at=to_iso(mission.opened_at) or "",
            changed_at=to_iso(mission.changed_at) or "",
        )


class MissionPage(BaseModel):
    """Some missions, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[MissionView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


class RulingView(BaseModel):
    """What the guard said to one motion."""

    id: int
    at: str
    incident: int
    mission: int
    decision: int
    action: str
    target: str = Field(description="what it works on")
    environment: str = Field(description="of the target, by the inventory")
    outcome: str = Field(
        description="allow, ask, suggest, observe, wait, escalate, deny"
    )
    rule: str = Field(description="which rule said it")
    reason: str
    policy: str = Field(description="the version of the policy")
    mode: str = Field(description="how far the action is trusted there")

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(**_ruling(row))


class RulingDetail(RulingView):
    """What the guard said to one motion, and what it looked at."""

    motion: dict[str, Any] | None = Field(
        description="what was put to it; null: of another release"
    )
    trail: list[str] = Field(description="what each step before it said")

    @classmethod
    def whole(cls, past: PastRuling) -> Self:
        """Return a ruling with its motion as the API shows it."""
        body = past.body
        if body is None:
            return cls(**_ruling(past), motion=None, trail=[])
        spec = body.motion.spec
        bare = msgspec.structs.replace(body.motion, spec=None)
        motion = msgspec.to_builtins(bare)
        motion["spec"] = spec and spec.model_dump(mode="json")
        return cls(**_ruling(past), motion=motion, trail=list(body.trail))


class RulingPage(BaseModel):
    """Some rulings, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[RulingView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


def _numbers(mission: Any) -> dict[str, int | None]:
    """Return what a mission refers to; nothing is null."""
    return {
        "decision": mission.decision_id or None,
        "approval": mission.approval_id or None,
        "job": mission.job_id or None,
    }


def _ruling(row: Any) -> dict[str, Any]:
    """Return the columns of a ruling as the API shows them."""
    return {
        **{name: getattr(row, name) for name in RULING},
        "at": to_iso(row.at) or "",
        "incident": row.incident_id,
        "mission": row.mission_id,
        "decision": row.decision_id,
    }
