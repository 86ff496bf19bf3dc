"""Trials: what would be decided; and the wish that it be decided anew.

A trial writes nothing, and nothing runs for it.
"""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Self

import msgspec
from fastapi import APIRouter, Depends
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from app.api.access import Allow, Who, signed
from app.api.decision_views import TrialPage, TrialView
from app.api.sight import OfTeams, Sight
from app.api.speech import RowId, Signature
from app.bootstrap import Product
from app.core.errors import Refused
from app.core.numbers import LAST_ID
from app.fold.people import find_living_one
from app.fold.standing import note_about
from app.ingest.intake import Entrance, read
from app.models.account import Role
from app.models.alert import Alert
from app.models.delivery import Delivery
from app.models.record import clean
from app.store.ledger import Connection
from app.store.log import append

# A trial is for a payload that a person looks at, not for a storm.
MOST_ALERTS = 20
JSON = ((b"content-type", b"application/json"),)
BrainName = Annotated[str, StringConstraints(max_length=48)]
REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such incident or source."},
    409: {"description": "The incident lives on in another one."},
    413: {"description": "The payload is too long."},
    503: {"description": "The brain had no answer in time."},
}


class TrialBody(BaseModel):
    """What is to be decided on: an incident, or a source's payload."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"incident": 17, "brain": ""}]},
    )

    incident: int | None = Field(None, ge=1, le=LAST_ID)
    source: str | None = Field(
        None, max_length=100, description="whose parser reads the payload"
    )
    payload: Any = Field(
        None, description="as the source sends it: JSON, or a text"
    )
    brain: BrainName = Field("", description="empty: the one that decides")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        """Refuse what names both or neither."""
        has_payload = self.source is not None and self.payload is not None
        if (self.incident is not None) == has_payload:
            raise ValueError("give an incident, or a source and a payload")
        if self.incident is not None and self.source is not None:
            raise ValueError("give an incident, or a source and a payload")
        return self


class RenewBody(BaseModel):
    """Who wants an incident to be decided on anew."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"author": "ana"}]}
    )

    author: Signature = ""


class RenewView(BaseModel):
    """That it will be decided on anew."""

    incident: int
    entry: int = Field(description="the line of the log that says so")


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_try = Depends(Allow(product.gate, Role.RESPONDER))
    may_renew = Depends(Allow(product.gate, Role.APPROVER))
    router = APIRouter(prefix="/api/v1", tags=["decide"], responses=REFUSALS)
    sight = Sight(product.reader, product.rules.team_label)

    @router.post("/decide", dependencies=[may_try])
    async def decide(body: TrialBody, teams: OfTeams) -> TrialPage:
        """Say what would be decided; nothing is written, nothing runs."""
        desk = product.desk
        if body.incident is not None:
            await sight.check_into(body.incident, teams)
            tried = await desk.try_incident(body.incident, body.brain)
            return TrialPage(items=[TrialView.of(tried)])
        name = body.source or ""
        # As long as a delivery may be: not on the event loop.
        alerts = await asyncio.to_thread(
            read_payload, product, name, body.payload
        )
        items = [
            TrialView.of(await desk.try_alert(name, alert, body.brain))
            for alert in alerts
        ]
        return TrialPage(items=items)

    @router.post(
        "/incidents/{incident_id}/decide",
        status_code=202,
        dependencies=[may_renew],
    )
    async def renew(
        incident_id: RowId, body: RenewBody, who: Who
    ) -> RenewView:
        """Have an incident decided on anew; it is proposed, nothing runs."""
        work = partial(
            _renew,
            number=incident_id,
            author=signed(body, who).author,
            now=product.clock.now(),
        )
        asked = asyncio.wrap_future(product.keeper.ask(work))
        entry = await asyncio.shield(asked)
        return RenewView(incident=incident_id, entry=entry)

    return router


def read_payload(product: Product, name: str, payload: Any) -> list[Alert]:
    """Return the alerts that a source's own parser finds in a payload.

    Raises:
        Refused: there is no such source, or its parser finds none.
    """
    entrance = product.entrances.get(name)
    if entrance is None:
        known = ", ".join(sorted(product.entrances)) or "none"
        raise Refused(
            404,
            "unknown_source",
            f"There is no source {name[:80]!r}; there are: {known}.",
            field="source",
            remedy="Add it to 'sources' in the settings.",
        )
    limits = product.settings.server.limits
    delivery = _to_delivery(product, name, payload)
    parsed = read(entrance, delivery, limits)
    alerts = list(parsed.alerts)
    if not alerts:
        raise Refused(
            422,
            "no_alert",
            next(_flaws(parsed.unparsed), parsed.note or "There is no alert."),
            field="payload",
            remedy=f"Send what {_kind(entrance)} sends; see docs/sources.md.",
        )
    if len(alerts) > MOST_ALERTS:
        raise Refused(
            422,
            "too_many_alerts",
            f"{len(alerts)} alerts are more than {MOST_ALERTS}.",
            field="payload",
            remedy="Try a few of them.",
        )
    return alerts


def _to_delivery(product: Product, name: str, payload: Any) -> Delivery:
    """Return a payload as if a source had sent it, or refuse its length."""
    if isinstance(payload, str):
        content = payload.encode(errors="replace")
    else:
        try:
            content = msgspec.json.encode(clean(payload))
        except RecursionError as error:
            raise Refused(
                422,
                "over_depth",
                "The payload is nested too deeply.",
                field="payload",
                remedy="Send what the source sends.",
            ) from error
    if len(content) > product.settings.server.limits.body_bytes:
        raise Refused(
            413, "too_long", "The payload is too long.", field="payload"
        )
    return Delivery(
        source=name,
        body=content,
        received_at=product.clock.now(),
        headers=JSON,
        peer="127.0.0.1",
    )


def _flaws(flaws: Any) -> Iterator[str]:
    """Yield what a parser says against a payload."""
    for flaw in flaws:
        yield f"{flaw.field}: {flaw.detail}"


def _kind(entrance: Entrance) -> str:
    """Return what kind of source it is."""
    return entrance.kind


def _renew(connection: Connection, number: int, author: str, now: int) -> int:
    """Write down that a person asks for a decision; return the entry."""
    incident = find_living_one(connection, number)
    note = note_about(
        incident,
        "decision.asked",
        f"person:{author}",
        summary=f"{author} asks for a decision",
    )
    return append(connection, now, [note])[-1].id
