"""What happens, as it happens: server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from app.api.access import Allow, Watch
from app.api.hub import Hub, Listener, Meters, Wants
from app.api.protocol import ENDLESS
from app.api.sharing import SIGHT
from app.api.sight import OfTeams
from app.bootstrap import Product
from app.core.errors import Refused, StorageFailed, TooBusy
from app.core.log import get_log
from app.core.numbers import LAST_ID
from app.models.account import Role
from app.store.teams import Teams

log = get_log("stream")
RETRY = b"retry: 2000\n"
SIGNED_OUT = b"event: signed-out\ndata: {}\n\n"
HEADERS = {
    "cache-control": "no-store",
    # nginx would keep the events until it has a page of them.
    "x-accel-buffering": "no",
}
EXAMPLE = (
    'id: 17\nevent: incident.opened\ndata: {"id":17,"kind":"incident.opened"'
    ',"incident_id":4,"summary":"..."}\n\n'
)


class StreamQuery(BaseModel):
    """What the stream takes."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(
        None,
        ge=0,
        le=LAST_ID,
        description="begin after this entry; Last-Event-ID wins over it",
    )
    kind: list[str] = Field(
        [], max_length=50, description="only of these kinds; may be repeated"
    )
    incident: int = Field(
        0, ge=0, le=LAST_ID, description="only about this incident"
    )
    target: str = Field(
        "", max_length=1_000, description="only about targets of this name"
    )

    def wants(self, teams: Teams) -> Wants:
        """Return which entries are wanted, and seen."""
        return Wants(frozenset(self.kind), self.incident, self.target, teams)


class EventStream(StreamingResponse):
    """The events of one listener."""

    media_type = "text/event-stream"

    def __init__(
        self, hub: Hub, listener: Listener, first: bytes, watch: Watch
    ) -> None:
        """Take who listens, the first words, and whether they still may."""
        self._hub = hub
        self._listener = listener
        self._first = first
        self._watch = watch
        # Pages of somebody else must not believe that it is theirs.
        headers = {**HEADERS, SIGHT: watch.caller.sight}
        super().__init__(self._events(), headers=headers)

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send until either side ends it; the place is free then."""
        scope[ENDLESS] = True
        try:
            await super().__call__(scope, receive, send)
        except (StorageFailed, TooBusy) as error:
            # The answer has begun; breaking off is all that is left to say.
            log.warning("stream.broken_off", error=str(error))
        finally:
            self._hub.leave(self._listener)

    async def _events(self) -> AsyncIterator[bytes]:
        """Yield the first words, then what happens."""
        yield RETRY + self._first
        async for part in self._hub.follow(self._listener):
            if not await self._watch.holds():
                # Who is somebody else by now comes again as that.
                if self._watch.is_shut_out:
                    yield SIGNED_OUT
                return
            yield part


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER, is_use=False))
    router = APIRouter(
        prefix="/api/v1", dependencies=[access], tags=["stream"]
    )
    hub = Hub(
        product.tail,
        product.settings.api.streams,
        Meters(product.registry),
    )
    product.keeper.listen(hub.wake)
    product.endless.append(hub.close)

    @router.get(
        "/stream",
        # FastAPI cannot read it off a class of our own.
        status_code=200,
        response_class=EventStream,
        responses={
            200: {"content": {"text/event-stream": {"example": EXAMPLE}}}
        },
    )
    async def stream(
        request: Request,
        query: Annotated[StreamQuery, Query()],
        teams: OfTeams,
        last_event_id: Annotated[str, Header(max_length=30)] = "",
    ) -> EventStream:
        """Send every new entry of the action log as a server-sent event.

        ``id`` is the entry's id, ``event`` its kind, ``data`` the entry.
        It begins with what comes next, or after a given entry; ``reset``
        says that this one is too old, and everything is to be fetched again.
        """
        after = _to_seq(last_event_id, query.after)
        position, first = await hub.start(after)
        listener = hub.enter(query.wants(teams), position)
        return EventStream(hub, listener, first, Watch(product.gate, request))

    return router


def _to_seq(header: str, given: int | None) -> int | None:
    """Return after which entry a stream begins, None for the present."""
    if not header:
        return given
    if header.isascii() and header.isdigit():
        return int(header)
    raise Refused(
        422,
        "wrong_parameter",
        "Last-Event-ID is not the id of an entry.",
        field="header.last-event-id",
        remedy="Send the last id of the stream, or none.",
    )
