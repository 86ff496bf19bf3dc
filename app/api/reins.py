"""The reins: which brains decide, changed while the service runs."""

import asyncio
from functools import partial
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Allow, Who, signed
from app.api.speech import Comment, Headers, Signature
from app.bootstrap import Product
from app.core.clock import to_iso
from app.decide.reins import MOST_NAMES, NAMES, Reins, Wish
from app.models.account import Role

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Word = Annotated[str, Field(max_length=200)]
REFUSALS: dict[int | str, dict[str, Any]] = {
    409: {"description": "Somebody else was first: read them again."}
}


class ReinsBody(BaseModel):
    """What is to be set; what is left out stays, null is the settings'."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "author": "ana",
                    "confidence": 0.8,
                    "thresholds": {"restart_service": 0.95},
                    "comment": "too eager last night",
                }
            ]
        },
    )

    author: Signature = Field("", description="who sets it")
    comment: Comment = Field("", description="why")
    enabled: bool | None = None
    brain: Word | None = None
    shadow: Word | None = None
    confidence: Probability | None = None
    models: Annotated[
        dict[Word, Word] | None, Field(max_length=MOST_NAMES)
    ] = None
    thresholds: Annotated[
        dict[Word, Probability] | None, Field(max_length=MOST_NAMES)
    ] = None

    def to_wish(self, version: int | None) -> Wish:
        """Return what a person wants."""
        given = self.model_dump(include=set(NAMES), exclude_unset=True)
        comment = " ".join(self.comment.split())
        return Wish(self.author, given, version, comment[:200])


class ReinsView(BaseModel):
    """What is set right now."""

    version: int = Field(description="0 while the settings say it all")
    enabled: bool
    brain: str
    shadow: str
    confidence: float
    models: dict[str, str]
    thresholds: dict[str, float]
    changed_at: str | None
    changed_by: str
    digest: str = Field(description="what decisions carry")

    @classmethod
    def of(cls, reins: Reins) -> Self:
        """Return the reins as the API shows them."""
        return cls(
            version=reins.version,
            **reins.as_json(),
            changed_at=to_iso(reins.changed_at) if reins.version else None,
            changed_by=reins.changed_by,
            digest=reins.digest,
        )


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_read = Depends(Allow(product.gate, Role.VIEWER))
    may_set = Depends(Allow(product.gate, Role.ADMIN))
    router = APIRouter(prefix="/api/v1", tags=["decide"])

    @router.get("/reins", dependencies=[may_read])
    def get_reins(response: Response) -> ReinsView:
        """Show which brains decide, and how sure they must be."""
        reins = product.desk.reins()
        response.headers["etag"] = f'"{reins.version}"'
        return ReinsView.of(reins)

    @router.put("/reins", responses=REFUSALS, dependencies=[may_set])
    async def put_reins(
        body: ReinsBody,
        response: Response,
        headers: Annotated[Headers, Depends()],
        who: Who,
    ) -> ReinsView:
        """Set some of it; it holds from the next decision on, everywhere."""
        wish = signed(body, who).to_wish(headers.version)
        work = partial(product.desk.change_reins, wish=wish)
        asked = asyncio.wrap_future(product.keeper.ask(work))
        reins = await asyncio.shield(asked)
        response.headers["etag"] = f'"{reins.version}"'
        return ReinsView.of(reins)

    return router
