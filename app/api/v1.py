"""The reading API: what came in and what became of it, page by page."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api import examples
from app.api.access import Allow
from app.api.entries import EntryView
from app.api.incident_views import IncidentDossier, IncidentItem, IncidentPage
from app.api.paging import RowId, find_page, must_find, show
from app.api.queries import (
    AlertQuery,
    DeliveryQuery,
    IncidentQuery,
    LogQuery,
    PageQuery,
    Text,
)
from app.api.sight import OfTeams
from app.api.tagged import TaggedRoute, known_tags, shown
from app.api.views import (
    AlertItem,
    AlertPage,
    AlertView,
    DeliveryPage,
    DeliveryView,
    EntryPage,
    SourceView,
)
from app.bootstrap import Product
from app.models.account import Role
from app.store.listings import ALERTS, DELIVERIES, INCIDENTS, LOG
from app.store.reading import Reader

# What an export is asked for is the same.
__all__ = [
    "AlertQuery",
    "DeliveryQuery",
    "IncidentQuery",
    "LogQuery",
    "PageQuery",
    "Text",
    "make_router",
]
BODY: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": '{"alerts": []}',
            }
        }
    },
    304: shown(None)[304],
}


def make_router(product: Product) -> APIRouter:
    """Return the routes under /api/v1 that read."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[access, Depends(known_tags)],
        tags=["read"],
        route_class=TaggedRoute,
    )
    _add_incidents(router, product)
    _add_log(router, product.reader)
    _add_alerts(router, product.reader)
    _add_deliveries(router, product.reader)
    _add_sources(router, product)
    return router


def _add_incidents(router: APIRouter, product: Product) -> None:
    """Add the routes about incidents."""
    reader, within = product.reader, product.rules.windows.together

    @router.get(
        "/incidents",
        responses=shown(examples.page_of(examples.INCIDENT, "incidents")),
    )
    def list_incidents(
        request: Request, query: Annotated[IncidentQuery, Query()]
    ) -> IncidentPage:
        """List incidents, newest first; those that were merged are hidden."""
        page = find_page(reader, INCIDENTS, query, request)
        return IncidentPage(**show(page, IncidentItem.of))

    @router.get("/incidents/{incident_id}", responses=shown(examples.DOSSIER))
    def get_incident(incident_id: RowId, teams: OfTeams) -> IncidentDossier:
        """Show one incident with its episodes, siblings and words."""
        dossier = reader.find_incident(incident_id, within, teams)
        dossier = must_find(dossier, "incident", "incidents", incident_id)
        return IncidentDossier.whole(dossier)


def _add_log(router: APIRouter, reader: Reader) -> None:
    """Add the routes about the action log."""

    @router.get(
        "/log", responses=shown(examples.page_of(examples.ENTRY, "log"))
    )
    def list_log(
        request: Request, query: Annotated[LogQuery, Query()]
    ) -> EntryPage:
        """List the action log, newest first; pages by id, never by offset."""
        page = find_page(reader, LOG, query, request)
        return EntryPage(**show(page, EntryView.of))

    @router.get("/log/{entry_id}", responses=shown(examples.ENTRY))
    def get_entry(entry_id: RowId) -> EntryView:
        """Show one line of the action log."""
        row = reader.find(LOG, entry_id)
        return EntryView.of(must_find(row, "entry", "log", entry_id))


def _add_alerts(router: APIRouter, reader: Reader) -> None:
    """Add the routes about alerts."""

    @router.get("/alerts", responses=shown(examples.BY_PATH["/api/v1/alerts"]))
    def list_alerts(
        request: Request, query: Annotated[AlertQuery, Query()]
    ) -> AlertPage:
        """List alerts, newest first; pages by id, never by offset."""
        page = find_page(reader, ALERTS, query, request)
        return AlertPage(**show(page, AlertItem.of))

    @router.get("/alerts/{alert_id}", responses=shown(examples.ALERT))
    def get_alert(alert_id: RowId) -> AlertView:
        """Show one alert."""
        row = reader.find_alert(alert_id)
        return AlertView.of(must_find(row, "alert", "alerts", alert_id))


def _add_deliveries(router: APIRouter, reader: Reader) -> None:
    """Add the routes about deliveries."""

    @router.get(
        "/deliveries",
        responses=shown(examples.page_of(examples.DELIVERY, "deliveries")),
    )
    def list_deliveries(
        request: Request, query: Annotated[DeliveryQuery, Query()]
    ) -> DeliveryPage:
        """List deliveries, newest first; pages by id, never by offset."""
        page = find_page(reader, DELIVERIES, query, request)
        return DeliveryPage(**show(page, DeliveryView.of))

    @router.get(
        "/deliveries/{delivery_id}", responses=shown(examples.DELIVERY)
    )
    def get_delivery(delivery_id: RowId) -> DeliveryView:
        """Show one delivery."""
        row = reader.find_delivery(delivery_id)
        row = must_find(row, "delivery", "deliveries", delivery_id)
        return DeliveryView.of(row)

    @router.get(
        "/deliveries/{delivery_id}/body",
        response_class=Response,
        responses=BODY,
    )
    def get_body(delivery_id: RowId) -> Response:
        """Return the body of a delivery, byte for byte, as a download."""
        row = reader.find_delivery(delivery_id)
        row = must_find(row, "delivery", "deliveries", delivery_id)
        name = f'attachment; filename="delivery-{delivery_id}.bin"'
        return Response(
            bytes(row.body),
            media_type="application/octet-stream",
            headers={
                "content-disposition": name,
                "x-content-type-options": "nosniff",
            },
        )


def _add_sources(router: APIRouter, product: Product) -> None:
    """Add the route about sources."""

    @router.get("/sources", responses=shown(examples.SOURCES))
    def list_sources() -> list[SourceView]:
        """List the configured sources and how to point them here."""
        return [
            SourceView(
                name=entrance.name,
                type=entrance.kind,
                paths=list(entrance.paths),
                setup=entrance.source.setup,
            )
            for entrance in product.entrances.values()
        ]
