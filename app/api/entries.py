"""An entry of the action log as JSON shows it: in lists and in the stream."""

from typing import Any, Self

import msgspec
from pydantic import BaseModel, Field

from app.core.clock import to_iso

SAME = (
    "id",
    "kind",
    "incident_id",
    "target",
    "problem",
    "severity",
    "status",
    "actor",
    "action",
    "summary",
)


class EntryView(BaseModel):
    """One line of the action log."""

    id: int
    at: str
    kind: str = Field(description="what happened, such as incident.opened")
    incident_id: int = Field(description="or 0")
    target: str
    problem: str
    severity: str
    status: str = Field(description="where the incident stood afterwards")
    actor: str = Field(description="who or what did it")
    action: str
    summary: str
    body: Any = Field(description="the details")
    hash: str = Field(description="of this entry and the one before it")

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return an entry, or a row that is one, as the API shows it."""
        return cls(
            **{name: getattr(row, name) for name in SAME},
            at=to_iso(row.at) or "",
            body=_body(row.body),
            hash=bytes(row.hash).hex(),
        )


def _body(text: str) -> Any:
    """Return the details; what somebody made unreadable is shown as text."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
