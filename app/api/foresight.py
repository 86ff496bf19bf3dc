"""Foresight: what a mute would keep, asked before it is made."""

from typing import Any, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Allow
from app.api.mute_views import to_matchers
from app.api.sight import OfTeams, check_named
from app.bootstrap import Product
from app.fold.foreseeing import Foreseen, check_matchers, foresee
from app.models.account import Role
from app.models.incident import Incident
from app.models.matcher import MOST, write_matchers

# So many incidents are named; the rest is counted.
MOST_SHOWN = 100
EXAMPLE: dict[str, Any] = {
    "matchers": '{target="web-01"}',
    "muted": 1,
    "partly": 0,
    "items": [
        {
            "id": 17,
            "title": "DiskFull on web-01",
            "target": "web-01",
            "severity": "warning",
            "state": "open",
            "is_whole": True,
        }
    ],
    "looked_at": 40,
    "is_cut": False,
}


class ForesightBody(BaseModel):
    """Which alerts a mute would be about."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"matchers": ['{target="web-01"}']}]},
    )

    matchers: list[str] = Field(min_length=1, max_length=MOST)


class KeptView(BaseModel):
    """One incident that it would keep, wholly or in part."""

    id: int
    title: str
    target: str
    severity: str
    state: str
    is_whole: bool = Field(description="false: it stays, the rest fires on")

    @classmethod
    def of(cls, one: Incident, *, is_whole: bool) -> Self:
        """Return an incident as it is shown."""
        return cls(
            id=one.id,
            title=one.title,
            target=one.target_name,
            severity=one.severity,
            state=one.state,
            is_whole=is_whole,
        )


class ForesightView(BaseModel):
    """What a mute would do at this moment; nothing was changed."""

    matchers: str = Field(description="as they would be kept")
    muted: int = Field(description="incidents that would be silent")
    partly: int = Field(description="those of which only some alerts fit")
    items: list[KeptView] = Field(description="the first 100")
    looked_at: int = Field(
        description="how many living incidents that the caller may see"
    )
    is_cut: bool = Field(description="whether there are more")

    @classmethod
    def of(cls, matchers: str, seen: Foreseen) -> Self:
        """Return what is foreseen as the API shows it."""
        some = [KeptView.of(one, is_whole=True) for one in seen.incidents]
        some += [KeptView.of(one, is_whole=False) for one in seen.partly]
        return cls(
            matchers=matchers,
            muted=len(seen.incidents),
            partly=len(seen.partly),
            items=some[:MOST_SHOWN],
            looked_at=seen.looked_at,
            is_cut=seen.is_cut,
        )


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.RESPONDER))
    router = APIRouter(prefix="/api/v1", dependencies=[access], tags=["mutes"])
    shown: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/json": {"example": EXAMPLE}}}
    }

    @router.post("/mutes/dry-run", responses=shown)
    def try_mute(body: ForesightBody, teams: OfTeams) -> ForesightView:
        """Say which open incidents a mute would keep; nothing changes."""
        matchers = to_matchers(body.matchers)
        check_matchers(matchers)
        check_named(matchers, product.rules.team_label, teams)
        seen = product.reader.ask(lambda one: foresee(one, matchers, teams))
        return ForesightView.of(write_matchers(matchers), seen)

    return router
