"""The handover: what happened in a night, for whoever comes after it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.api import examples
from app.api.access import Allow
from app.api.handover_views import HandoverView, QuietView, show
from app.api.sight import OfTeams
from app.bootstrap import Product
from app.core.clock import to_moment
from app.core.errors import Refused
from app.models.account import Role
from app.models.matcher import named, write_matchers
from app.models.mute import Mute
from app.store.handover import Span, find_night
from app.store.teams import Teams

HOUR = 3_600_000_000
DAY = 24 * HOUR
USUAL = 12 * HOUR
MOST_DAYS = 31
EXAMPLE: dict[str, Any] = {
    "seq": 1_042,
    "since": examples.AT,
    "until": examples.LATER,
    "at": examples.LATER,
    "counts": {
        "alerts": 312,
        "incidents": 23,
        "resolved_by_machine": 17,
        "no_action": 2,
        "observed": 0,
        "by_itself": 3,
        "suppressed": 0,
        "merged": 0,
        "escalated": 1,
        "jobs": 19,
        "fixed": 17,
        "not_fixed": 1,
        "unknown": 1,
        "not_measured": 0,
        "still_open": 1,
        "needs_you": 0,
    },
    "asked": {
        "asked": 4,
        "granted": 3,
        "refused": 1,
        "expired": 0,
        "withdrawn": 0,
        "edited": 0,
        "waiting": 0,
        "median_seconds": 94.0,
    },
    "who": [
        {
            "actor": "person:ana",
            "is_person": True,
            "lines": 4,
            "kinds": {"approval.granted": 3, "incident.noted": 1},
        }
    ],
    "open": [],
    "done": [
        {
            "job": 7,
            "incident": 5,
            "call": "restart_service(service=checkout)",
            "target": "web-1",
            "state": "succeeded",
            "verdict": "fixed",
            "reason": "",
            "proposer": "brain:rules",
            "approval": 3,
            "at": examples.AT,
            "took_seconds": 41.5,
        }
    ],
    "said": [],
    "changes": [],
    "mutes": [],
    "cut": [],
}


class HandoverQuery(BaseModel):
    """Which time is handed over."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = Field(
        None, description="from this time on; twelve hours before until"
    )
    until: AwareDatetime | None = Field(
        None, description="before this time; now when left out"
    )


def make_router(product: Product) -> APIRouter:
    """Return the route of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(prefix="/api/v1", dependencies=[access], tags=["read"])
    label = product.rules.team_label
    content = {"application/json": {"example": EXAMPLE}}

    @router.get("/handover", responses={200: {"content": content}})
    def get_handover(
        query: Annotated[HandoverQuery, Query()], teams: OfTeams
    ) -> HandoverView:
        """Say what happened, what was done, and what is still open."""
        now = product.clock.now()
        span = to_span(query, now)
        night = product.reader.ask(lambda one: find_night(one, span, teams))
        quiet = [
            QuietView.of(one, write_matchers(one.wish.matchers))
            for one in night.mutes
            if _sees(one, label, teams)
        ]
        return show(night, span, now, quiet)

    return router


def to_span(query: HandoverQuery, now: int) -> Span:
    """Return the time that is handed over.

    Raises:
        Refused: it has no length, or too much of it.
    """
    until = now + 1 if query.until is None else to_moment(query.until)
    since = until - USUAL if query.since is None else to_moment(query.since)
    if since >= until:
        raise Refused(
            422,
            "invalid",
            "The time has no length.",
            field="since",
            remedy="Let since be before until.",
        )
    if until - since > MOST_DAYS * DAY:
        raise Refused(
            422,
            "invalid",
            f"The time is longer than {MOST_DAYS} days.",
            field="since",
            remedy="Ask for a shorter one; the log can be exported whole.",
        )
    return Span(since, until)


def _sees(mute: Mute, label: str, teams: Teams) -> bool:
    """Tell whether a mute may be seen by who sees some teams."""
    return not teams or named(mute.wish.matchers, label, teams)
