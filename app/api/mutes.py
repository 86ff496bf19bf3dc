"""Silences and maintenance windows."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Allow, Who, author_of, signed
from app.api.mute_views import (
    EventView,
    ImportView,
    Line,
    MuteBody,
    MutePage,
    MuteView,
    Signed,
    to_matchers,
)
from app.api.sight import OfTeams, all_teams, check_named
from app.bootstrap import Product
from app.core.errors import Refused
from app.core.numbers import LAST_ID
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
from app.models.account import Role
from app.models.matcher import MOST
from app.models.mute import Mute, MuteKind
from app.store import mutes as store
from app.store.ledger import Connection

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

    author: Signed = Field("", description="who imports it")
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
    may_read = Depends(Allow(product.gate, Role.VIEWER))
    may_mute = Depends(Allow(product.gate, Role.RESPONDER))
    router = APIRouter(prefix="/api/v1", tags=["mutes"])
    reading = APIRouter(dependencies=[may_read])
    _add_reading(reading, product)
    writing = APIRouter(dependencies=[may_mute])
    _add_writing(writing, product)
    _add_import(writing, product)
    router.include_router(reading)
    router.include_router(writing)
    return router


def _add_reading(router: APIRouter, product: Product) -> None:
    """Add the routes that show mutes."""
    label = product.rules.team_label

    @router.get("/mutes")
    def list_mutes(
        request: Request,
        query: Annotated[MuteQuery, Query()],
        teams: OfTeams,
    ) -> MutePage:
        """List mutes, newest first."""
        with product.reader.snapshot() as connection:
            found = store.find_page(
                connection,
                is_over=query.over,
                before=query.before,
                limit=query.limit + 1,
                whose=store.Whose(label, teams),
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
    async def post_mute(body: MuteBody, who: Who) -> MuteView:
        """Mute what fits, from a time until another, once or by a rule."""
        wish = signed(body, who).to_wish()
        check_named(wish.matchers, product.rules.team_label, who.teams)
        now = product.clock.now()
        # A rule takes a while to be followed: not on the keeper's thread.
        plan = await asyncio.to_thread(plan_mute, wish, now)
        mute: Mute = await _ask(product, partial(add_mute, plan=plan, now=now))
        return await asyncio.to_thread(MuteView.of, mute)

    @router.delete("/mutes/{mute_id}")
    async def delete_mute(
        mute_id: MuteId,
        who: Who,
        comment: Annotated[Line, Query(description="why")],
        author: Annotated[Signed, Query(description="who ends it")] = "",
    ) -> MuteView:
        """End a mute now, and all times that were to come; it is kept."""
        by = (author_of(who, author, "query.author"), comment)
        now = product.clock.now()
        work = partial(end_mute, number=mute_id, who=by, now=now)
        return MuteView.of(await _ask(product, work))


def _add_import(router: APIRouter, product: Product) -> None:
    """Add the route that takes calendars."""
    # An import changes whatever events of the same ids made before.
    everybody = Depends(all_teams)

    @router.post(
        "/mutes/import", openapi_extra=CALENDAR, dependencies=[everybody]
    )
    async def import_calendar(
        request: Request, query: Annotated[ImportQuery, Query()], who: Who
    ) -> ImportView:
        """Take the events of an iCalendar file as mutes, all or none.

        A second import changes what the first one made: an event is known
        by its UID.
        """
        author = author_of(who, query.author, "query.author")
        content = await _read_body(request)
        terms = Terms(
            author,
            query.comment,
            query.kind,
            to_matchers(query.matcher),
            query.zone,
        )
        now = product.clock.now()
        events = await asyncio.to_thread(_plan, content, terms, now)
        actor = f"person:{author}"
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
