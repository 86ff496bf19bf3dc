"""What the API shows of messages, and of each way that they go."""

from typing import Any, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from app.api.speech import Signature
from app.api.views import CountView
from app.core.clock import to_iso
from app.engine.correspondence import Tried
from app.models.message import Dispatch, Letter, Message

SAME = (
    "id",
    "kind",
    "channel",
    "level",
    "state",
    "reason",
    "tries",
    "reference",
)


class AuthorBody(BaseModel):
    """Who wants it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"author": "ana"}]}
    )

    author: Signature = Field("", description="who wants it")


class MessageView(BaseModel):
    """What people are told."""

    id: int
    at: str = Field(description="when it happened")
    kind: str = Field(
        description="escalated, asked, evidence, acted, fixed, closed, halted"
    )
    incident: int | None
    mission: int | None
    severity: str
    entry: int = Field(description="the line of the log that it was made of")

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(**_columns(row))


class DispatchView(BaseModel):
    """One message on its way to one channel."""

    id: int
    message: int
    incident: int | None
    kind: str
    channel: str
    level: int = Field(
        description="of the escalation; later ones only go when nobody has "
        "acknowledged it by then"
    )
    state: str = Field(
        description="waiting, gathering; over: sent, dead, spared, repeated"
    )
    reason: str = Field(description="why it stands there, or empty")
    tries: int = Field(description="how often it was tried")
    due_at: str | None = Field(description="when to look at it next")
    created_at: str
    ended_at: str | None = Field(description="when it was sent, or given up")
    reference: str = Field(description="what the other end calls it")

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(
            **{name: getattr(row, name) for name in SAME},
            message=row.message_id,
            incident=row.incident_id or None,
            due_at=to_iso(row.due_at),
            created_at=to_iso(row.created_at) or "",
            ended_at=to_iso(row.ended_at),
        )


class MessageDetail(MessageView):
    """What people are told, in full, and each way that it goes."""

    title: str = Field(description="as it is sent where nothing else is set")
    text: str
    labels: dict[str, str] = Field(description="what routes match on")
    facts: dict[str, Any] = Field(description="what its text is made of")
    dispatches: list[DispatchView]

    @classmethod
    def whole(
        cls, message: Message, letter: Letter, dispatches: list[Dispatch]
    ) -> Self:
        """Return a message with its text and its dispatches."""
        return cls(
            **_columns(message),
            title=letter.title,
            text=letter.text,
            labels=msgspec.json.decode(message.labels),
            facts=msgspec.json.decode(message.facts),
            dispatches=[DispatchView.of(one) for one in dispatches],
        )


class MessagePage(BaseModel):
    """Some messages, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[MessageView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


class DispatchPage(BaseModel):
    """Some dispatches, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[DispatchView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


class ChannelView(BaseModel):
    """One way to reach people."""

    name: str
    kind: str = Field(description="which plug-in it is")
    waiting: int = Field(description="how many messages wait for it")
    gathering: int = Field(description="how many wait for its next digest")
    dead: int = Field(description="how many were given up")


class TriedView(BaseModel):
    """What came of a test letter."""

    channel: str
    sent: bool = Field(description="whether the other end has it")
    reference: str = Field(description="what the other end calls it")
    error: str = Field(
        description="why it was not sent, or that nobody knows; or empty"
    )
    milliseconds: float

    @classmethod
    def of(cls, tried: Tried) -> Self:
        """Return what came of it as the API shows it."""
        return cls(
            channel=tried.channel,
            sent=tried.is_sent,
            reference=tried.reference,
            error=tried.error,
            milliseconds=tried.milliseconds,
        )


def _columns(row: Any) -> dict[str, Any]:
    """Return the columns of a message as the API shows them."""
    return {
        "id": row.id,
        "at": to_iso(row.at) or "",
        "kind": row.kind,
        "incident": row.incident_id or None,
        "mission": row.mission_id or None,
        "severity": row.severity,
        "entry": row.entry_id,
    }
