"""Missions and rulings: what is done about incidents, and what code said."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.api import acting_examples as examples
from app.api.access import Allow
from app.api.mission_views import (
    MissionPage,
    MissionView,
    RulingDetail,
    RulingPage,
    RulingView,
)
from app.api.paging import RowId, find_page, must_find, show
from app.api.queries import MissionQuery, RulingQuery
from app.api.tagged import TaggedRoute, known_tags, shown
from app.bootstrap import Product
from app.models.account import Role
from app.store.missions import MISSIONS, find_mission
from app.store.reading import Reader
from app.store.rulings import RULINGS, to_ruling


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[access, Depends(known_tags)],
        tags=["read"],
        route_class=TaggedRoute,
    )
    _add_missions(router, product.reader)
    _add_rulings(router, product.reader)
    return router


def _add_missions(router: APIRouter, reader: Reader) -> None:
    """Add the routes about missions."""

    @router.get("/missions", responses=shown(examples.MISSIONS))
    def list_missions(
        request: Request, query: Annotated[MissionQuery, Query()]
    ) -> MissionPage:
        """List what is done about incidents, and was, newest first."""
        page = find_page(reader, MISSIONS, query, request)
        return MissionPage(**show(page, MissionView.of))

    @router.get("/missions/{mission_id}", responses=shown(examples.MISSION))
    def get_mission(mission_id: RowId) -> MissionView:
        """Show what is done about one incident."""
        found = reader.ask(lambda one: find_mission(one, mission_id))
        found = must_find(found, "mission", "missions", mission_id)
        return MissionView.of(found)


def _add_rulings(router: APIRouter, reader: Reader) -> None:
    """Add the routes about what the guard ruled."""

    @router.get("/rulings", responses=shown(examples.RULINGS))
    def list_rulings(
        request: Request, query: Annotated[RulingQuery, Query()]
    ) -> RulingPage:
        """List what the guard said to motions, newest first."""
        page = find_page(reader, RULINGS, query, request)
        return RulingPage(**show(page, RulingView.of))

    @router.get(
        "/rulings/{ruling_id}", responses=shown(examples.RULING_DETAIL)
    )
    def get_ruling(ruling_id: RowId) -> RulingDetail:
        """Show one ruling with the motion and what each step said to it."""
        row = reader.find(RULINGS, ruling_id)
        row = must_find(row, "ruling", "rulings", ruling_id)
        return RulingDetail.whole(to_ruling(row))
