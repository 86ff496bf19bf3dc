"""Silences and maintenance windows."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import ReadAccess
from app.api.mute_views import (
    EventView,
    ImportView,
    Line,
    MuteBody,
    MutePage,
    MuteView,
    to_matchers,
)
from app.bootstrap import Product
from app.core.errors import Refused
from app.fold.calendars import LARGEST, Terms, read_calendar, too_large
from app.fold.muting import (
    PlannedEvent,
    add_mute,
    end_mute,
    no_mute,
    plan_calendar,
    plan_mute,
    take_calendar,
)
from app.models.matcher import MOST
from app.models.mute import Mute, MuteKind
from app.store import mutes as store
from app.store.ledger import Connection

LAST_ID = 2**63 - 1
MOST_ON_A_PAGE = 100
MEDIA_TYPE = "text/calendar"
MuteId = Annotated[int, Path(ge=1, le=LAST_ID)]
CALENDAR: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}
T = TypeVar("T")


class MuteQuery(BaseModel):
    """What the list takes."""

    model_config = ConfigDict(extra="forbid")

    over: bool | None = Field(
        None, description="only those that are over, or that are not"
    )
    before: int | None = Field(
        None, ge=1, le=LAST_ID, description="only ids below this one"
    )
    limit: int = Field(50, ge=1, le=MOST_ON_A_PAGE)


class ImportQuery(BaseModel):
    """What goes for all events of a calendar."""

    model_config = ConfigDict(extra="forbid")

    author: Line = Field(description="who imports it")
    comment: str = Field("", description="for events without a name")
    kind: MuteKind = MuteKind.MAINTENANCE
    zone: str = Field("", description="of times that name none")
    matcher: list[str] = Field(
        [],
        max_length=MOST,
        description="for events that say nothing themselves",
    )


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(ReadAccess(product.api_tokens))
    router = APIRouter(prefix="/api/v1", dependencies=[access], tags=["mutes"])
    _add_reading(router, product)
    _add_writing(router, product)
    _add_import(router, product)
    return router


def _add_reading(router: APIRouter, product: Product) -> None:
    """Add the routes that show mutes."""

    @router.get("/mutes")
    def list_mutes(
        request: Request, query: Annotated[MuteQuery, Query()]
    ) -> MutePage:
        """List mutes, newest first."""
        with product.reader.snapshot() as connection:
            found = store.find_page(
                connection,
                is_over=query.over,
                before=query.before,
                limit=query.limit + 1,
            )
        following = None
        if len(found) > query.limit:
            last = found[query.limit - 1].id
            url = request.url.include_query_params(before=last)
            following = f"{url.path}?{url.query}"
        items = [MuteView.of(mute) for mute in found[: query.limit]]
        return MutePage(items=items, next=following)

    @router.get("/mutes/{mute_id}")
    def get_mute(mute_id: MuteId) -> MuteView:
        """Show one mute."""
        with product.reader.snapshot() as connection:
            mute = store.find(connection, mute_id)
        if mute is None:
            raise no_mute(mute_id)
        return MuteView.of(mute)


def _add_writing(router: APIRouter, product: Product) -> None:
    """Add the routes that add and end one mute."""

    @router.post("/mutes", status_code=201)
    async def post_mute(body: MuteBody) -> MuteView:
        """Mute what fits, from a time until another, once or by a rule."""
        wish = body.to_wish()
        now = product.clock.now()
        # A rule takes a while to be followed: not on the keeper's thread.
        plan = await asyncio.to_thread(plan_mute, wish, now)
        mute: Mute = await _ask(product, partial(add_mute, plan=plan, now=now))
        return await asyncio.to_thread(MuteView.of, mute)

    @router.delete("/mutes/{mute_id}")
    async def delete_mute(
        mute_id: MuteId,
        author: Annotated[Line, Query(description="who ends it")],
        comment: Annotated[Line, Query(description="why")],
    ) -> MuteView:
        """End a mute now, and all times that were to come; it is kept."""
        who = (author, comment)
        now = product.clock.now()
        work = partial(end_mute, number=mute_id, who=who, now=now)
        return MuteView.of(await _ask(product, work))


def _add_import(router: APIRouter, product: Product) -> None:
    """Add the route that takes calendars."""

    @router.post("/mutes/import", openapi_extra=CALENDAR)
    async def import_calendar(
        request: Request, query: Annotated[ImportQuery, Query()]
    ) -> ImportView:
        """Take the events of an iCalendar file as mutes, all or none.

        A second import changes what the first one made: an event is known
        by its UID.
        """
        content = await _read_body(request)
        terms = Terms(
            query.author,
            query.comment,
            query.kind,
            to_matchers(query.matcher),
            query.zone,
        )
        now = product.clock.now()
        events = await asyncio.to_thread(_plan, content, terms, now)
        actor = f"person:{query.author}"
        outcomes = await _ask(
            product, partial(take_calendar, events=events, by=(actor, now))
        )
        return ImportView(
            events=[
                EventView.model_validate(one, from_attributes=True)
                for one in outcomes
            ]
        )


def _plan(content: bytes, terms: Terms, now: int) -> list[PlannedEvent]:
    """Return what a calendar says and when that is."""
    return plan_calendar(read_calendar(content, terms), now)


async def _ask(product: Product, work: Callable[[Connection], T]) -> T:
    """Have something written; who hangs up does not stop what was begun."""
    asked = asyncio.wrap_future(product.keeper.ask(work))
    return await asyncio.shield(asked)


async def _read_body(request: Request) -> bytes:
    """Return the body of a calendar's request, bounded as it comes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind.lower() != MEDIA_TYPE:
        raise Refused(
            415,
            "no_calendar",
            f"The body must be {MEDIA_TYPE}.",
            field="content-type",
            remedy=f"Send 'Content-Type: {MEDIA_TYPE}'.",
        )
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST:
            raise too_large()
    return content
