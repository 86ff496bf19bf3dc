"""Messages: what people are told, and what became of each letter."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from app.api import message_examples as examples
from app.api.access import Allow, Who, signed
from app.api.message_queries import DispatchQuery, MessageQuery
from app.api.message_views import (
    AuthorBody,
    ChannelView,
    DispatchPage,
    DispatchView,
    MessageDetail,
    MessagePage,
    MessageView,
    TriedView,
)
from app.api.paging import RowId, find_page, must_find, show
from app.api.tagged import TaggedRoute, known_tags, shown
from app.api.turns import write
from app.bootstrap import Product
from app.models.account import Role
from app.models.message import Dispatch, DispatchState, Message
from app.report.composing import Composer
from app.store.dispatches import DISPATCHES, find_of_message
from app.store.ledger import Connection
from app.store.messages import MESSAGES, find_message
from app.store.outbox import count_by_channel

REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such dispatch."},
    409: {"description": "It was not given up, or its channel is gone."},
}
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such channel."}
}
SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"example": examples.CHANNELS}}}
}
ChannelName = Annotated[
    str, Path(min_length=1, max_length=63, description="the channel")
]


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_read = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(prefix="/api/v1")
    reading = APIRouter(
        dependencies=[may_read, Depends(known_tags)],
        tags=["read"],
        route_class=TaggedRoute,
    )
    _add_messages(reading, product)
    _add_dispatches(reading, product)
    router.include_router(reading)
    watching = APIRouter(dependencies=[may_read])
    _add_channels(watching, product)
    router.include_router(watching)
    _add_acts(router, product)
    return router


def find_whole(
    connection: Connection, composer: Composer, number: int
) -> MessageDetail | None:
    """Return a message with its text and its ways, None if there is none."""
    message = find_message(connection, number)
    if message is None:
        return None
    dispatches = find_of_message(connection, number)
    first = dispatches[0] if dispatches else _unsent(message)
    letter = composer.letter(first, message)
    return MessageDetail.whole(message, letter, dispatches)


def list_channels(
    connection: Connection, kinds: dict[str, str]
) -> list[ChannelView]:
    """Return the channels with how much waits for each."""
    counts = count_by_channel(connection, kinds)
    states = (
        DispatchState.WAITING,
        DispatchState.GATHERING,
        DispatchState.DEAD,
    )
    return [
        ChannelView(
            name=name,
            kind=kind,
            **{one.value: counts.get((name, one.value), 0) for one in states},
        )
        for name, kind in kinds.items()
    ]


def _unsent(message: Message) -> Dispatch:
    """Return the dispatch that a message would have."""
    return Dispatch(
        message_id=message.id,
        kind=message.kind,
        channel="",
        due_at=None,
        created_at=message.at,
    )


def _add_messages(router: APIRouter, product: Product) -> None:
    """Add the routes that show messages."""
    reader, composer = product.reader, product.voice.composer

    @router.get("/messages", responses=shown(examples.MESSAGES))
    def list_messages(
        request: Request, query: Annotated[MessageQuery, Query()]
    ) -> MessagePage:
        """List what people were told, newest first."""
        page = find_page(reader, MESSAGES, query, request)
        return MessagePage(**show(page, MessageView.of))

    @router.get(
        "/messages/{message_id}", responses=shown(examples.MESSAGE_DETAIL)
    )
    def get_message(message_id: RowId) -> MessageDetail:
        """Show one message with its text, and each way that it goes."""
        find = partial(find_whole, composer=composer, number=message_id)
        return must_find(reader.ask(find), "message", "messages", message_id)


def _add_dispatches(router: APIRouter, product: Product) -> None:
    """Add the route that shows what is on its way, and what was given up."""

    @router.get("/dispatches", responses=shown(examples.DISPATCHES))
    def list_dispatches(
        request: Request, query: Annotated[DispatchQuery, Query()]
    ) -> DispatchPage:
        """List each way that messages go, newest first.

        What was given up has the state ``dead``: people were not told.
        """
        page = find_page(product.reader, DISPATCHES, query, request)
        return DispatchPage(**show(page, DispatchView.of))


def _add_channels(router: APIRouter, product: Product) -> None:
    """Add the route that shows channels."""

    @router.get("/channels", responses=SHOWN, tags=["act"])
    def get_channels() -> list[ChannelView]:
        """List the ways to reach people, with how much waits for each."""
        kinds = dict(product.voice.correspondence.kinds)
        return product.reader.ask(partial(list_channels, kinds=kinds))


def _add_acts(router: APIRouter, product: Product) -> None:
    """Add the routes by which people send letters."""
    correspondence = product.voice.correspondence
    may_send = Depends(Allow(product.gate, Role.RESPONDER))
    may_test = Depends(Allow(product.gate, Role.ADMIN))

    @router.post(
        "/dispatches/{dispatch_id}/retry",
        responses=REFUSALS,
        tags=["act"],
        dependencies=[may_send],
    )
    async def retry_dispatch(
        dispatch_id: RowId, body: AuthorBody, who: Who
    ) -> DispatchView:
        """Send once more what was given up."""
        author = signed(body, who).author
        work = partial(correspondence.retry, number=dispatch_id, author=author)
        return DispatchView.of(await write(product, work))

    @router.post(
        "/channels/{name}/test",
        responses=UNKNOWN,
        tags=["act"],
        dependencies=[may_test],
    )
    async def test_channel(
        name: ChannelName, body: AuthorBody, who: Who
    ) -> TriedView:
        """Send a test letter now, and tell what came of it."""
        author = signed(body, who).author
        tried = await correspondence.try_out(name, author)
        note = partial(correspondence.note, tried=tried, author=author)
        await write(product, note)
        return TriedView.of(tried)
