"""Decisions: a list, one whole, and how far a shadow agrees."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.api import examples
from app.api.access import Allow
from app.api.decision_views import (
    AgreementView,
    DecisionDetail,
    DecisionPage,
    DecisionView,
)
from app.api.paging import RowId, find_page, must_find, show
from app.api.queries import AgreementQuery, DecisionQuery
from app.api.sight import OfTeams
from app.api.tagged import TaggedRoute, known_tags, shown
from app.bootstrap import Product
from app.core.clock import to_moment
from app.models.account import Role
from app.store.decisions import DECISIONS, count_agreement


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[access, Depends(known_tags)],
        tags=["read"],
        route_class=TaggedRoute,
    )
    reader = product.reader

    @router.get(
        "/decisions",
        responses=shown(examples.page_of(examples.DECISION, "decisions")),
    )
    def list_decisions(
        request: Request, query: Annotated[DecisionQuery, Query()]
    ) -> DecisionPage:
        """List decisions, newest first; missions say what came of them."""
        page = find_page(reader, DECISIONS, query, request)
        return DecisionPage(**show(page, DecisionView.of))

    @router.get("/decisions/agreement", responses=shown(examples.AGREEMENT))
    def get_agreement(
        query: Annotated[AgreementQuery, Query()], teams: OfTeams
    ) -> AgreementView:
        """Say how often a shadow decided as the live brain did."""
        since = None if query.since is None else to_moment(query.since)
        rows = reader.ask(
            lambda connection: count_agreement(
                connection, since or 0, query.brain, teams
            )
        )
        return AgreementView.of(rows, since)

    @router.get(
        "/decisions/{decision_id}", responses=shown(examples.DECISION_DETAIL)
    )
    def get_decision(decision_id: RowId) -> DecisionDetail:
        """Show one decision with all that it rests on."""
        row = reader.find(DECISIONS, decision_id)
        row = must_find(row, "decision", "decisions", decision_id)
        return DecisionDetail.whole(row)

    return router
