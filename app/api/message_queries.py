"""What the lists of messages and of their ways can be asked for."""

from typing import Any

from pydantic import Field

from app.api.queries import (
    DispatchStates,
    Kinds,
    Numbers,
    OfIncidents,
    Severities,
    Texts,
)


class MessageQuery(OfIncidents):
    """What the list of messages takes."""

    kind: Kinds = Field([])
    severity: Severities = Field([])


class DispatchQuery(OfIncidents):
    """What the list of dispatches takes."""

    message: Numbers = Field([], description="of these messages only")
    kind: Kinds = Field([])
    channel: Texts = Field([])
    state: DispatchStates = Field([])

    def where(self) -> dict[str, Any]:
        """Return the filters by the names that the store has."""
        given = super().where()
        numbers = given.pop("message", ())
        return given | ({"message_id": numbers} if numbers else {})
