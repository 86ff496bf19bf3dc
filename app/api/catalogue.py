"""What may be done here, and which things it may be done to."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from app.act import actions
from app.api.access import Allow
from app.api.tagged import TaggedRoute, known_tags, shown
from app.bootstrap import Product
from app.core.errors import Refused
from app.core.registry import scan
from app.models.account import Role
from app.models.action import NAME, ActionSpec
from app.models.schema import function_schema

ESCALATE: dict[str, Any] = {
    "name": "escalate",
    "digest": "9c1f0f4f2f1b7a60",
    "changes": False,
    "origin": "built in",
    "ways": [],
    "spec": {
        "name": "escalate",
        "purpose": "Hand over to people, with the evidence.",
        "risk": "observe",
        "parameters": {},
    },
    "function": {
        "name": "escalate",
        "description": "Hand over to people, with the evidence.",
        "parameters": {
            "type": "object",
            "properties": {},
            "required": [],
            "additionalProperties": False,
        },
    },
}


class ActionView(BaseModel):
    """One action, and the function that models are shown of it."""

    name: str
    digest: str
    changes: bool
    spec: dict[str, Any]
    function: dict[str, Any]

    @classmethod
    def of(cls, spec: ActionSpec) -> "ActionView":
        """Return the view of an action."""
        return cls(
            name=spec.name,
            digest=spec.digest,
            changes=spec.changes,
            spec=spec.model_dump(mode="json"),
            function=function_schema(spec),
        )


class WayView(BaseModel):
    """Where an action runs."""

    backend: str
    job: str
    is_on: bool = Field(description="whether that backend is configured")


class PlacedActionView(ActionView):
    """One action, and where it comes from and runs here."""

    origin: str = Field(description="built in, or file: of config/actions")
    ways: list[WayView] = Field(description="the first choice first")

    @classmethod
    def placed(cls, spec: ActionSpec, product: Product) -> Self:
        """Return the view of an action of this node's catalogue."""
        is_ours = spec.name.replace("_", "-") in scan(actions)
        return cls(
            **dict(ActionView.of(spec)),
            origin="built in" if is_ours else "file",
            ways=[
                WayView(
                    backend=run.backend,
                    job=run.job,
                    is_on=run.backend in product.acting.backends,
                )
                for run in spec.ways
            ],
        )


class CatalogueView(BaseModel):
    """Everything that may be done here."""

    digest: str
    actions: list[PlacedActionView]


def make_router(product: Product) -> APIRouter:
    """Return the routes about the catalogue."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[access, Depends(known_tags)],
        tags=["decide"],
        route_class=TaggedRoute,
    )
    catalogue = product.catalogue
    whole = CatalogueView(
        digest=catalogue.digest,
        actions=[
            PlacedActionView.placed(spec, product) for spec in catalogue.specs
        ],
    )

    @router.get(
        "/catalogue",
        responses=shown({"digest": "1d6f2f0c9a7be530", "actions": [ESCALATE]}),
    )
    def list_actions() -> CatalogueView:
        """List what may be done, with the functions that models are shown."""
        return whole

    @router.get("/catalogue/{name}", responses=shown(ESCALATE))
    def get_action(
        name: Annotated[str, Path(pattern=NAME)],
    ) -> PlacedActionView:
        """Show one action."""
        spec = catalogue.find(name)
        if spec is None:
            raise Refused(
                404,
                "not_found",
                f"There is no action {name!r}.",
                field="name",
                remedy="List what there is with GET /api/v1/catalogue.",
            )
        return PlacedActionView.placed(spec, product)

    return router
