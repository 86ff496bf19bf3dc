"""What the API shows of approvals, and what people answer."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    StringConstraints,
)

from app.api.job_views import call_of
from app.api.speech import Comment, Signature, one_line
from app.api.views import CountView
from app.core.clock import to_iso
from app.engine.approving import Reply
from app.models.action import NAME
from app.models.approval import Answer, Approval, Vote

MOST_ARGUMENTS = 50
SAME = (
    "id",
    "version",
    "action",
    "target",
    "environment",
    "team",
    "policy",
    "rule",
    "reason",
    "mode",
    "people",
    "proposer",
    "state",
    "says",
)
Key = Annotated[str, StringConstraints(pattern=NAME)]
Value = (
    Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
    | Annotated[
        StrictStr,
        StringConstraints(max_length=1_000),
        AfterValidator(one_line),
    ]
)
Arguments = Annotated[dict[Key, Value], Field(max_length=MOST_ARGUMENTS)]


class AnswerBody(BaseModel):
    """What a person answers."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"author": "ana", "comment": "go ahead"}]
        },
    )

    author: Signature = Field("", description="who answers")
    comment: Comment = Field("", description="why")

    def to_reply(
        self, number: int, answer: Answer, version: int | None
    ) -> Reply:
        """Return what is asked for.

        Args:
            number: the approval.
            answer: what is answered.
            version: the version that was looked at, or None.
        """
        return Reply(
            approval=number,
            person=self.author,
            answer=answer,
            comment=self.comment,
            version=version,
        )


class EditBody(AnswerBody):
    """What a person wants instead: another decision, ruled on anew."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "author": "ana",
                    "arguments": {"host": "web-02"},
                    "comment": "the other one",
                }
            ]
        },
    )

    arguments: Arguments = Field(
        min_length=1, description="in place of the old ones"
    )

    def to_reply(
        self, number: int, answer: Answer, version: int | None
    ) -> Reply:
        """Return what is asked for, with other arguments."""
        plain = super().to_reply(number, answer, version)
        return msgspec.structs.replace(plain, arguments=self.arguments)


class ApprovalView(BaseModel):
    """One question to people, bound to what it was asked about."""

    id: int
    version: int = Field(description="rises with every change")
    incident: int
    mission: int
    decision: int
    action: str
    arguments: dict[str, str | int]
    call: str = Field(description="the action with its arguments")
    target: str = Field(description="what it works on")
    environment: str
    team: str
    policy: str = Field(description="the version of the policy that asked")
    rule: str = Field(description="the rule that asked")
    reason: str = Field(description="why it is asked")
    mode: str = Field(description="approve; suggest: people run it")
    whom: list[str] = Field(description="who is asked; empty: anybody")
    people: int = Field(description="how many must grant it")
    proposer: str = Field(description="who cannot grant it")
    state: str = Field(
        description="asked, granted, refused, expired, withdrawn, edited"
    )
    says: str = Field(description="what became of it, in one line")
    asked_at: str
    expires_at: str = Field(description="it is never granted after this")
    ended_at: str | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(**_columns(row))


class VoteView(BaseModel):
    """What one person said."""

    person: str
    answer: str = Field(description="grant, refuse, withdraw, edit")
    comment: str
    at: str

    @classmethod
    def of(cls, vote: Vote) -> Self:
        """Return an answer as the API shows it."""
        return cls(
            person=vote.person,
            answer=vote.answer,
            comment=vote.comment,
            at=to_iso(vote.at) or "",
        )


class EvidenceView(BaseModel):
    """Where to look before one answers."""

    decision: str = Field(description="the address of the whole decision")
    incident: str = Field(description="the address of the incident")
    log: str = Field(description="the address of its action log")
    seq: int = Field(description="the last entry of the log when it was made")
    reason: str = Field(description="what the brain, or the person, said")
    confidence: float | None
    brain: str
    case_digest: str
    catalogue_digest: str
    settings_digest: str


class ApprovalDetail(ApprovalView):
    """One question with its answers, and where to look."""

    votes: list[VoteView]
    evidence: EvidenceView | None = Field(
        description="null: the decision is gone by age"
    )

    @classmethod
    def whole(
        cls, asked: Approval, votes: Sequence[Vote], decision: Any
    ) -> Self:
        """Return a question with its answers as the API shows it."""
        return cls(
            **_columns(asked),
            votes=[VoteView.of(one) for one in votes],
            evidence=decision and _evidence(decision),
        )


class ApprovalPage(BaseModel):
    """Some approvals, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[ApprovalView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


def _evidence(row: Any) -> EvidenceView:
    """Return where a decision came from."""
    return EvidenceView(
        decision=f"/api/v1/decisions/{row.id}",
        incident=f"/api/v1/incidents/{row.incident_id}",
        log=f"/api/v1/log?incident_id={row.incident_id}",
        seq=row.seq,
        reason=row.reason,
        confidence=row.confidence,
        brain=row.brain,
        case_digest=row.case_digest,
        catalogue_digest=row.catalogue_digest,
        settings_digest=row.settings_digest,
    )


def _columns(row: Any) -> dict[str, Any]:
    """Return the columns of a question as the API shows them."""
    arguments = msgspec.json.decode(row.arguments)
    return {
        **{name: getattr(row, name) for name in SAME},
        "incident": row.incident_id,
        "mission": row.mission_id,
        "decision": row.decision_id,
        "arguments": arguments,
        "call": call_of(row.action, arguments),
        "whom": msgspec.json.decode(row.whom),
        "asked_at": to_iso(row.asked_at) or "",
        "expires_at": to_iso(row.expires_at) or "",
        "ended_at": to_iso(row.ended_at),
    }
