"""Whole lists as files, streamed."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from app.api.access import Allow
from app.api.exporting import LISTS, Places, Span, export, to_listed
from app.api.formats import MEDIA_TYPES, Format, columns_of, make_writer
from app.api.queries import (
    AlertQuery,
    DeliveryQuery,
    IncidentQuery,
    LogQuery,
)
from app.api.sight import check_owned, teams_of
from app.bootstrap import Product
from app.core.errors import StorageFailed, TooBusy
from app.core.log import get_log
from app.core.numbers import LAST_ID
from app.models.account import Role
from app.store.reading import Reader
from app.store.teams import Teams

# No more of a page waits for a slow reader: the rest of it is with us.
PIECE = 65_536
log = get_log("export")
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            media_type.partition(";")[0]: {"schema": {"type": "string"}}
            for media_type in MEDIA_TYPES.values()
        }
    }
}


class Whole(BaseModel):
    """What every export takes beside the filters of its list."""

    format: Format = Field(Format.NDJSON, description="the kind of file")
    limit: int = Field(
        LAST_ID, ge=1, le=LAST_ID, description="so many rows at most"
    )


class AlertExport(Whole, AlertQuery):
    """What the export of alerts takes."""


class DeliveryExport(Whole, DeliveryQuery):
    """What the export of deliveries takes."""


class IncidentExport(Whole, IncidentQuery):
    """What the export of incidents takes."""


class LogExport(Whole, LogQuery):
    """What the export of the action log takes."""


QUERIES: dict[str, type[Whole]] = {
    "alerts": AlertExport,
    "deliveries": DeliveryExport,
    "incidents": IncidentExport,
    "log": LogExport,
}


class FileStream(StreamingResponse):
    """A file that is made while it is sent.

    It ends as an answer should only when the file is whole: after an error
    the connection breaks off, which every client notices.
    """

    def __init__(
        self, name: str, kind: Format, parts: Iterator[bytes], places: Places
    ) -> None:
        """Take the parts of a file and whose place is given back."""
        self._name = name
        self._parts = parts
        self._places = places
        super().__init__(
            self._pieces(),
            media_type=MEDIA_TYPES[kind],
            headers={
                "content-disposition": (
                    f'attachment; filename="{name}.{kind}"'
                ),
                "cache-control": "no-store",
                "x-accel-buffering": "no",
                "x-content-type-options": "nosniff",
            },
        )

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send the file; the place is free when either side has ended."""
        try:
            await super().__call__(scope, receive, send)
        except (StorageFailed, TooBusy) as error:
            log.error("export.broken_off", list=self._name, error=str(error))
        finally:
            self._places.leave()

    async def _pieces(self) -> AsyncIterator[bytes]:
        """Yield the file in small pieces; each part is made on a thread."""
        while True:
            part = await to_thread.run_sync(next, self._parts, None)
            if part is None:
                return
            for start in range(0, len(part), PIECE):
                yield part[start : start + PIECE]


AS_FILE: dict[str, Any] = {
    # FastAPI cannot read it off a class of our own.
    "status_code": 200,
    "response_class": FileStream,
    "responses": ANSWERS,
}


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(
        prefix="/api/v1/export", dependencies=[access], tags=["export"]
    )
    places = Places(product.settings.api.exports)

    def answer(name: str, query: Any, request: Request) -> FileStream:
        """Return a list as a file, its first page read."""
        teams = teams_of(request)
        check_owned(LISTS[name][0], teams)
        with ExitStack() as undo:
            places.enter()
            undo.callback(places.leave)
            parts = begin(product.reader, name, query, teams)
            # What cannot be read at all is a 503, not a broken answer.
            first = next(parts) + next(parts, b"")
            undo.pop_all()
        whole = itertools.chain([first], parts)
        return FileStream(name, query.format, whole, places)

    _add_lists(router, answer)
    return router


def _add_lists(
    router: APIRouter, answer: Callable[[str, Any, Request], FileStream]
) -> None:
    """Add the route of each list."""

    @router.get("/alerts", **AS_FILE)
    def export_alerts(
        query: Annotated[AlertExport, Query()], request: Request
    ) -> FileStream:
        """Return all alerts that match, newest first."""
        return answer("alerts", query, request)

    @router.get("/deliveries", **AS_FILE)
    def export_deliveries(
        query: Annotated[DeliveryExport, Query()], request: Request
    ) -> FileStream:
        """Return all deliveries that match, newest first."""
        return answer("deliveries", query, request)

    @router.get("/incidents", **AS_FILE)
    def export_incidents(
        query: Annotated[IncidentExport, Query()], request: Request
    ) -> FileStream:
        """Return all incidents that match, newest first."""
        return answer("incidents", query, request)

    @router.get("/log", **AS_FILE)
    def export_log(
        query: Annotated[LogExport, Query()], request: Request
    ) -> FileStream:
        """Return all entries of the action log that match, newest first."""
        return answer("log", query, request)


def begin(
    reader: Reader, name: str, query: Any, teams: Teams = ()
) -> Iterator[bytes]:
    """Return the parts of a file, each read when it is asked for."""
    span = Span(
        where=_where(query),
        after=query.after or 0,
        before=query.before or LAST_ID,
        limit=query.limit,
    )
    listed = to_listed(reader, name, teams)
    writer = make_writer(query.format, columns_of(listed.view))
    return export(listed, span, writer)


def _where(query: Any) -> dict[str, Any]:
    """Return the filters of a list, for the store."""
    return {
        name: value
        for name, value in query.where().items()
        if name not in Whole.model_fields
    }
