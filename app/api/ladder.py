"""The ladder: how far each action is trusted in each environment now."""

from typing import Any, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from app.api.access import Allow
from app.api.acting_examples import LADDER
from app.bootstrap import Product
from app.guard.judging import trusted
from app.guard.policy import Policy
from app.models.account import Role
from app.models.action import ActionSpec
from app.models.ruling import Motion

# So many environments are shown; an inventory with more has no such thing.
MOST = 50


class StepView(BaseModel):
    """How far one action is trusted in one environment."""

    action: str
    environment: str = Field(description="empty: of which nothing is known")
    mode: str = Field(description="observe, suggest, approve or auto")
    unsure: str = Field(description="run: also where the brain would ask")
    line: int | None = Field(
        description="the line of the ladder, from 1; null: otherwise"
    )

    @classmethod
    def of(cls, policy: Policy, spec: ActionSpec, environment: str) -> Self:
        """Return what the first line that fits says."""
        motion = Motion(
            spec=spec, action=spec.name, environment=environment, now=0
        )
        part = trusted(policy, motion)
        ladder = policy.says.trust.ladder
        places = [at for at, one in enumerate(ladder, 1) if one is part]
        return cls(
            action=spec.name,
            environment=environment,
            mode=part.mode.value,
            unsure=part.unsure,
            line=places[0] if places else None,
        )


class LadderView(BaseModel):
    """How far actions are trusted."""

    policy: str = Field(description="the version of the policy")
    environments: list[str] = Field(
        description="of the inventory and of the ladder; empty: any other"
    )
    items: list[StepView]


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(prefix="/api/v1", dependencies=[access], tags=["act"])
    shown: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/json": {"example": LADDER}}}
    }

    @router.get("/trust/ladder", responses=shown)
    def get_ladder() -> LadderView:
        """Say how far each action is trusted in each environment."""
        policy = product.acting.guard.policy
        names = find_environments(product, policy)
        return LadderView(
            policy=policy.version,
            environments=names,
            items=[
                StepView.of(policy, spec, name)
                for spec in product.catalogue.specs
                for name in names
            ],
        )

    return router


def find_environments(product: Product, policy: Policy) -> list[str]:
    """Return every environment that is named here, then all others."""
    named = {one.environment for one in product.stock.inventory.things}
    named |= {line.environment for line in policy.says.trust.ladder}
    return [*sorted(named - {""})[:MOST], ""]
