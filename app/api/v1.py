"""The reading API: what came in, newest first, page by page."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
)

from app.api.access import ReadAccess
from app.api.views import (
    AlertPage,
    AlertView,
    DeliveryPage,
    DeliveryView,
    SourceView,
)
from app.bootstrap import Product
from app.core.clock import to_moment
from app.core.errors import Refused
from app.models.alert import Severity, Status
from app.models.delivery import Outcome
from app.models.tables import DeliveryRow
from app.store.reading import Reader

LAST_ID = 2**63 - 1
RowId = Annotated[int, Path(ge=1, le=LAST_ID)]


def _storable(text: str) -> str:
    """Return a text that a database can be asked for."""
    if "\0" in text:
        # PostgreSQL has none in its texts, so nothing could match.
        raise ValueError("must not hold a NUL")
    return text


Text = Annotated[str, AfterValidator(_storable)]


class PageQuery(BaseModel):
    """What every list takes."""

    model_config = ConfigDict(extra="forbid")

    source: Text | None = Field(None, max_length=200)
    since: AwareDatetime | None = Field(
        None, description="came at or after this time, by our clock"
    )
    until: AwareDatetime | None = Field(
        None, description="came before this time, by our clock"
    )
    before: int | None = Field(
        None, ge=1, le=LAST_ID, description="only ids below this one"
    )
    limit: int = Field(50, ge=1, le=500)

    def where(self) -> dict[str, Any]:
        """Return the filters that were given, for the store."""
        given = self.model_dump(
            exclude={"before", "limit"}, exclude_none=True, mode="python"
        )
        for name in ("since", "until"):
            if name in given:
                given[name] = to_moment(given[name])
        return given


class DeliveryQuery(PageQuery):
    """What the list of deliveries takes."""

    outcome: Outcome | None = None
    reason: Text | None = Field(None, max_length=200)


class AlertQuery(PageQuery):
    """What the list of alerts takes."""

    status: Status | None = None
    severity: Severity | None = None
    name: Text | None = Field(None, max_length=500)
    fingerprint: Text | None = Field(None, max_length=500)
    delivery_id: int | None = Field(None, ge=1, le=LAST_ID)


def make_router(product: Product) -> APIRouter:
    """Return the routes under /api/v1."""
    access = Depends(ReadAccess(product.api_tokens))
    router = APIRouter(prefix="/api/v1", dependencies=[access], tags=["read"])
    _add_deliveries(router, product.reader)
    _add_alerts(router, product.reader)
    _add_sources(router, product)
    return router


def _add_deliveries(router: APIRouter, reader: Reader) -> None:
    """Add the routes about deliveries."""

    @router.get("/deliveries")
    def list_deliveries(
        request: Request, query: Annotated[DeliveryQuery, Query()]
    ) -> DeliveryPage:
        """List deliveries, newest first; pages by id, never by offset."""
        more = query.limit + 1
        rows = reader.deliveries(query.where(), query.before, more)
        items = [DeliveryView.of(row) for row in rows[: query.limit]]
        return DeliveryPage(items=items, next=_next(request, rows, query))

    @router.get("/deliveries/{delivery_id}")
    def get_delivery(delivery_id: RowId) -> DeliveryView:
        """Show one delivery."""
        return DeliveryView.of(_delivery(reader, delivery_id))

    @router.get("/deliveries/{delivery_id}/body", response_class=Response)
    def get_body(delivery_id: RowId) -> Response:
        """Return the body of a delivery, byte for byte, as a download."""
        row = _delivery(reader, delivery_id)
        name = f'attachment; filename="delivery-{delivery_id}.bin"'
        return Response(
            row.body,
            media_type="application/octet-stream",
            headers={
                "content-disposition": name,
                "x-content-type-options": "nosniff",
            },
        )


def _add_alerts(router: APIRouter, reader: Reader) -> None:
    """Add the routes about alerts."""

    @router.get("/alerts")
    def list_alerts(
        request: Request, query: Annotated[AlertQuery, Query()]
    ) -> AlertPage:
        """List alerts, newest first; pages by id, never by offset."""
        rows = reader.alerts(query.where(), query.before, query.limit + 1)
        items = [AlertView.of(row) for row in rows[: query.limit]]
        return AlertPage(items=items, next=_next(request, rows, query))

    @router.get("/alerts/{alert_id}")
    def get_alert(alert_id: RowId) -> AlertView:
        """Show one alert."""
        row = reader.find_alert(alert_id)
        if row is None:
            raise _missing("alert", "alerts", alert_id)
        return AlertView.of(row)


def _add_sources(router: APIRouter, product: Product) -> None:
    """Add the route about sources."""

    @router.get("/sources")
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


def _delivery(reader: Reader, delivery_id: int) -> DeliveryRow:
    """Return a delivery, or refuse an id that is not there."""
    row = reader.find_delivery(delivery_id)
    if row is None:
        raise _missing("delivery", "deliveries", delivery_id)
    return row


def _next(
    request: Request, rows: Sequence[Any], query: PageQuery
) -> str | None:
    """Return the address of the next page, None on the last one.

    The row beyond the limit says that there is one.
    """
    if len(rows) <= query.limit:
        return None
    last = rows[query.limit - 1].id
    url = request.url.include_query_params(before=last)
    return f"{url.path}?{url.query}"


def _missing(what: str, many: str, row_id: int) -> Refused:
    """Return the refusal for an id that is not there."""
    return Refused(
        404,
        "not_found",
        f"There is no {what} {row_id}.",
        field=f"{what}_id",
        remedy=f"List what there is with GET /api/v1/{many}.",
    )
