"""What may be done here, and which things it may be done to."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from app.api.access import ReadAccess
from app.api.tagged import TaggedRoute, known_tags, shown
from app.bootstrap import Product
from app.core.errors import Refused
from app.models.action import NAME, ActionSpec
from app.models.schema import function_schema

ESCALATE: dict[str, Any] = {
    "name": "escalate",
    "digest": "9c1f0f4f2f1b7a60",
    "changes": False,
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


class CatalogueView(BaseModel):
    """Everything that may be done here."""

    digest: str
    actions: list[ActionView]


def make_router(product: Product) -> APIRouter:
    """Return the routes about the catalogue."""
    access = Depends(ReadAccess(product.api_tokens))
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[access, Depends(known_tags)],
        tags=["decide"],
        route_class=TaggedRoute,
    )
    catalogue = product.catalogue
    whole = CatalogueView(
        digest=catalogue.digest,
        actions=[ActionView.of(spec) for spec in catalogue.specs],
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
    ) -> ActionView:
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
        return ActionView.of(spec)

    return router
