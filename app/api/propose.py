"""Proposals: a person wants an action; the guard rules on it like on all."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.access import Allow, Who, signed
from app.api.approval_views import Arguments
from app.api.mission_views import MissionBrief
from app.api.paging import RowId
from app.api.speech import Comment, Signature
from app.api.turns import write
from app.bootstrap import Product
from app.engine.proposing import Proposal
from app.models.account import Role
from app.models.action import NAME

ActionName = Annotated[str, StringConstraints(pattern=NAME)]
REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such incident."},
    409: {"description": "It is not open, or a job of it runs."},
}


class ProposalBody(BaseModel):
    """What a person wants to be done."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "author": "ana",
                    "action": "restart_service",
                    "arguments": {"host": "web-01", "service": "nginx"},
                    "comment": "it hangs since the deployment",
                }
            ]
        },
    )

    author: Signature = Field("", description="who wants it")
    action: ActionName
    arguments: Arguments = {}
    comment: Comment = Field("", description="why")

    def to_proposal(self, number: int) -> Proposal:
        """Return what is wanted for an incident."""
        return Proposal(
            incident=number,
            action=self.action,
            arguments=self.arguments,
            author=self.author,
            comment=self.comment,
        )


class ProposedView(BaseModel):
    """What became of a proposal; the guard has not ruled on it yet."""

    decision: int = Field(description="its number")
    mission: MissionBrief


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_propose = Depends(Allow(product.gate, Role.APPROVER))
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[may_propose],
        tags=["act"],
        responses=REFUSALS,
    )

    @router.post("/incidents/{incident_id}/propose", status_code=202)
    async def propose(
        incident_id: RowId, body: ProposalBody, who: Who
    ) -> ProposedView:
        """Propose an action; it is ruled on, and perhaps asked for, first."""
        wish = signed(body, who).to_proposal(incident_id)
        work = partial(product.acting.proposing.propose, wish=wish)
        decision, mission = await write(product, work)
        return ProposedView(
            decision=decision, mission=MissionBrief.of(mission)
        )

    return router
